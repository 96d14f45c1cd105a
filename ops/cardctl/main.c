#include "ops/cardctl/cardctl.h"

#include <string.h>

/* In parts: C promises 4,095 bytes a string. */
static const char *const usage[] = {
    "usage: cardctl COMMAND [OPTION...]\n"
    "\n"
    "  holder-ref --type TYPE     references of the numbers on standard input, one a line, as\n"
    "                             hexadecimal digits\n"
    "  seal [--with-ref]          persons on standard input, one JSON object a line, as packed\n"
    "                             cardflow.v1.Sealed in hexadecimal; with the reference before it\n"
    "                             and a blank between\n"
    "      --reference-key-file FILE   or CARDFLOW_REFERENCE_KEY_FILE\n"
    "      --sealing-key-file FILE     or CARDFLOW_SEALING_KEY_FILE (seal)\n"
    "\n"
    "  topics create              makes the topics that are not there yet\n"
    "      --brokers LIST              or CARDFLOW_KAFKA_BROKERS\n"
    "      --file FILE                 declarations (proto/topics.json)\n"
    "      --partitions N              default 16; a power of two, at most 256\n"
    "      --replication N             default 1\n"
    "      --test                      record times are the producers' and nothing is deleted,\n"
    "                                  so that a test clock can be used\n"
    "      --timeout SECONDS           default 30\n"
    "\n"
    "  parked list|show           records that wait in a service's table, without their values\n"
    "  parked redrive             has them decided again, all that waits under each key found\n"
    "  parked drop                takes exactly those found out of the way, into table dropped\n"
    "  dlq list|show              dead letters of a topic that nobody has dealt with\n"
    "  dlq redrive                sends them to their topic again, once\n"
    "  dlq drop                   counts them as dealt with\n"
    "      --service NAME              whose records; for dlq the service that reads the topic\n"
    "      --topic NAME                as application.events; needed for dlq\n"
    "      --key HEX, --reason TEXT    that key; a part of the reason\n"
    "      --from TIME, --to TIME      RFC 3339; parked or dead since then, and before\n"
    "      --limit N                   so many records (redrive of parked: keys), the oldest first\n"
    "      --all                       instead of a filter, to change all there is\n"
    "      --rate N                    records a second, default 1000\n"
    "      --dry-run                   shows what would be changed, and changes nothing\n"
    "      --json                      one JSON object\n"
    "      --handled                   dlq list, show: those dealt with, too\n"
    "      --wait SECONDS              parked: for the service to follow, default 30\n"
    "      --operator NAME, --purpose TEXT   who and why, for audit.events; needed for a change\n"
    "      --brokers LIST              or CARDFLOW_KAFKA_BROKERS\n"
    "      --dsn-file FILE             or CARDFLOW_POSTGRES_DSN, the service's own\n"
    "\n"
    "  deadlines recalculate      each open deadline that a calendar or policies move, with the old\n"
    "                             and the new date, and has production move it: the services must\n"
    "                             run with these files already\n"
    "      --dry-run                   shows what would be changed, and changes nothing\n"
    "      --calendar FILE             or CARDFLOW_CALENDAR_FILE\n"
    "      --policies FILE             or CARDFLOW_POLICIES_FILE\n"
    "      --reason TEXT, --operator NAME   why and who, for the record; needed for a change\n"
    "      --brokers LIST              or CARDFLOW_KAFKA_BROKERS; needed for a change\n"
    "      --rate N                    deadlines a second, default 1000\n"
    "      --wait SECONDS              for the services to follow, default 30\n"
    "      --json                      one JSON object\n"
    "      --dsn-file FILE             or CARDFLOW_POSTGRES_DSN, intake's\n"
    "\n",
    "  notices list               what banks were told of cards and have not acknowledged; the\n"
    "                             oldest first\n"
    "      --bank CODE                 of this bank only\n"
    "      --overdue                   losses that were not acknowledged in time only\n"
    "      --json                      one JSON object\n"
    "      --dsn-file FILE             or CARDFLOW_POSTGRES_DSN, production's\n"
    "\n"
    "  channels                   which channel may ask for what, as docs/channels.md\n"
    "\n"
    "  bank-files export          orders and card notices of a bank that exchanges files, as CSV\n"
    "                             with a manifest each; every line once (docs/bank-files.md)\n"
    "  bank-files import          a file of the bank's results; all of it or nothing\n"
    "      --bank CODE, --dir FOLDER   which bank, and the folder shared with it\n"
    "      --file NAME                 import: the CSV in the folder, its manifest beside it\n"
    "      --operator NAME, --purpose TEXT   who and why, for audit.events\n"
    "      --brokers LIST              or CARDFLOW_KAFKA_BROKERS\n"
    "      --reference-key-file FILE, --sealing-key-file FILE   export, as for seal\n"};

static void tell_usage(FILE *to)
{
    for (size_t i = 0; i < sizeof usage / sizeof *usage; i++)
        fputs(usage[i], to);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *word, *second;
        int (*run)(int argc, char **argv);
    } commands[] = {
        {"holder-ref", NULL, cardctl_holder_ref},
        {"seal", NULL, cardctl_seal},
        {"topics", "create", cardctl_topics_create},
        {"parked", "list", cardctl_parked_list},
        {"parked", "show", cardctl_parked_show},
        {"parked", "redrive", cardctl_parked_redrive},
        {"parked", "drop", cardctl_parked_drop},
        {"dlq", "list", cardctl_dlq_list},
        {"dlq", "show", cardctl_dlq_show},
        {"dlq", "redrive", cardctl_dlq_redrive},
        {"dlq", "drop", cardctl_dlq_drop},
        {"deadlines", "recalculate", cardctl_deadlines_recalculate},
        {"notices", "list", cardctl_notices_list},
        {"channels", NULL, cardctl_channels},
        {"bank-files", "export", cardctl_bank_export},
        {"bank-files", "import", cardctl_bank_import},
    };
    if (argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
        tell_usage(stdout);
        return 0;
    }
    for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
        int words = commands[i].second ? 2 : 1;
        if (strcmp(argv[1], commands[i].word) != 0) continue;
        if (words == 2 && (argc < 3 || strcmp(argv[2], commands[i].second) != 0)) continue;
        return commands[i].run(argc - 1 - words, argv + 1 + words);
    }
    tell_usage(stderr);
    return 2;
}
