/* ops -- the operations of a random sequence.
 *
 * An operation is a kind and the seed of all its choices, so that a sequence stays what it is when
 * others are left out of it. What it is about is chosen among what is there when it comes.
 */
#pragma once
#include "tests/city/city.h"

/* clang-format off */
/* X(VALUE, weight, "what") */
#define OPS(X)                                                          \
    X(SUBMIT,      22, "an application")                                \
    X(SUPPLEMENT,   6, "a supplement")                                  \
    X(WITHDRAW,     7, "a withdrawal")                                  \
    X(ENROL,       10, "registered, or changed")                        \
    X(END,          3, "the enrolment ends, perhaps by death")          \
    X(RENEW,        2, "another document")                              \
    X(SCHOOL,       1, "the unit becomes a school, or is none any more")\
    X(PHOTO,        8, "a photo, or a guardian's declaration")          \
    X(FRONT,       14, "the police answer, or a timer fires")           \
    X(BANK,        40, "the next step of a line")                       \
    X(FETCH,        5, "a temporary card is fetched at its outlet")         \
    X(BANK_WRONG,   3, "any answer of a bank about any line")           \
    X(OPERATE,     26, "an operation on a card")                        \
    X(IMPORT,       5, "a card made before")                            \
    X(TIME,        10, "time goes on, and timers fire")                 \
    X(JUMP,         4, "time goes on, and timers are late")             \
    X(AGAIN,        7, "something is sent once more")
/* clang-format on */

enum op_kind {
#define X(value, weight, what) OP_##value,
    OPS(X)
#undef X
        OP_KINDS
};

struct op {
    enum op_kind kind;
    uint64_t seed;
};

const char *op_text(enum op_kind kind);
/* From the scheduler's chance. */
struct op op_random(void);
/* Persons are invented; in each sequence, most are enrolled. */
void ops_begin(void);
void ops_first(void);
void op_do(const struct op *op);
/* Time goes on; what is due fires on time, in order. */
void ops_pass(cf_ms ms);
