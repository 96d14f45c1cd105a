/* error -- one int that says what to do.
 *
 * A refusal is not an error: it is a decision. These are only "the machine could not".
 * 0 is good. The class drives the one loop that retries, parks, releases or exits.
 */
#pragma once

enum cf_class {
    CF_OK,
    CF_DEADLETTER, /* the record goes to <topic>.dlq (outside topics only) */
    CF_PARK,       /* the record waits in `parked` for a person */
    CF_RETRY,      /* the world is away: the same work again, later */
    CF_RELEASE,    /* another owner has the shard: give it up */
    CF_FATAL       /* end the process; the restart recovers from the journal */
};

#define CF_ERRORS(X)                                                  \
    X(DECODE, DEADLETTER, "record cannot be decoded")                 \
    X(WRONG_KEY, DEADLETTER, "key or partition is not the payload's") \
    X(MISSING_HEADERS, DEADLETTER, "a required header is missing")    \
    X(TOO_LARGE, DEADLETTER, "record is larger than the limit")       \
    X(VERSION, PARK, "unknown type or version")                       \
    X(ILLEGAL, PARK, "event not allowed in state")                    \
    X(DATA, PARK, "value cannot be stored")                           \
    X(DB, RETRY, "database unavailable")                              \
    X(UNKNOWN, RETRY, "outcome of the commit is unknown")             \
    X(NET, RETRY, "partner or network unavailable")                   \
    X(FENCED, RELEASE, "another owner has this partition")            \
    X(GAP, FATAL, "the log lost records")                             \
    X(BROKER, FATAL, "producer is in a fatal state")                  \
    X(CONFIG, FATAL, "configuration is wrong")                        \
    X(SQL, FATAL, "statement failed in a way that has no cure")

enum cf_error {
    CF_E_OK,
#define X(name, class_, text) CF_E_##name,
    CF_ERRORS(X)
#undef X
};

#define CF_MUST __attribute__((warn_unused_result))

enum cf_class cf_error_class(int e);
const char *cf_error_text(int e);

/* Going on would write wrong rows: say where and end the process. */
#define CF_BUG(why) cf_bug(__FILE__, __LINE__, why)
_Noreturn void cf_bug(const char *file, int line, const char *why);
