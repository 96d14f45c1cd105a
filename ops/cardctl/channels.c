/* channels: docs/channels.md, written from the table by which the services judge. */
#include "common/pure/channels.h"

#include "ops/cardctl/cardctl.h"

static const char head[] =
    "# Which channel may ask for what\n"
    "\n"
    "Written by `cardctl channels` from `common/pure/channels.h`, the table by which intake and\n"
    "production judge; `GET /v1/channels` serves it. Anything else is refused with\n"
    "`channel_not_allowed`.\n";

static void names(void)
{
    for (int c = CF_CHANNEL_NONE + 1; c < CF_CHANNEL_COUNT; c++)
        printf(" %s |", cf_channel_name((enum cf_channel)c));
    printf("\n| --- |");
    for (int c = CF_CHANNEL_NONE + 1; c < CF_CHANNEL_COUNT; c++)
        printf(" --- |");
    printf("\n");
}

int cardctl_channels(int argc, char **argv)
{
    size_t n;
    const struct cf_matrix_row *rows = cf_matrix(&n);
    const char *about = "";
    (void)argc;
    (void)argv;
    fputs(head, stdout);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(about, rows[i].about) != 0) {
            about = rows[i].about;
            printf("\n| %s |", about);
            names();
        }
        printf("| %s |", rows[i].operation);
        for (int c = CF_CHANNEL_NONE + 1; c < CF_CHANNEL_COUNT; c++)
            printf(" %s |", cf_matrix_may(rows[i].channels, (enum cf_channel)c) ? "yes" : "");
        printf("\n");
    }
    return fflush(stdout) == 0 ? 0 : cardctl_fail("standard output", "cannot be written");
}
