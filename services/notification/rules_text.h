/* rules_text -- templates and values to the text of a message.
 *
 * Shapes   a placeholder is {name}, a name of NOTIFY_VALUES; anything else in braces is a fault
 * Errors   a message with an empty value, or one that would be too long, is not made (false)
 * Limits   a value is cut at 64 characters and escaped: control characters go, braces and the
 *          brackets that mark the sender become parentheses
 */
#pragma once
#include "services/notification/rules.h"

/* clang-format off */
#define NOTIFY_VALUES(X)             \
    X(RECEIPT_NO,  "receipt_no")     \
    X(NOTICE_NO,   "notice_no")      \
    X(DUE_ON,      "due_on")         \
    X(RESPOND_BY,  "respond_by")     \
    X(OUTLET_CODE, "outlet_code")    \
    X(CARD_NO,     "card_no")        \
    X(ORDER_NO,    "order_no")
/* clang-format on */

enum notification_value {
#define X(value, name) NOTIFY_VALUE_##value,
    NOTIFY_VALUES(X)
#undef X
        NOTIFY_VALUE_COUNT
};

struct notification_values {
    struct cf_str v[NOTIFY_VALUE_COUNT]; /* len 0: none */
};

#define NOTIFY_TEXT_MAX 1000 /* bytes */

struct notification_fault {
    const char *template, *lang, *rule;
};

/* Checks one text as the start of the program does; NULL: good, else the rule that is broken.
 * *used gets a bit for each value in it. */
const char *notification_text_check(struct cf_str text, unsigned *used);
/* Checks the two languages of a template: both good, and with the same values. */
bool notification_pair_check(struct cf_str zh, struct cf_str en, struct notification_fault *fault);
/* Checks all templates of the program. */
bool notification_texts_check(struct notification_fault *fault);
/* Adds the text of the message to out. */
bool notification_render(enum notification_template t, enum cf_lang lang,
                         const struct notification_values *values, struct cf_buf *out);
/* The same of any text. */
bool notification_fill(struct cf_str text, const struct notification_values *values,
                       struct cf_buf *out);
