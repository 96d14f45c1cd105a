/* codec_unit -- the clock of a unit: what is asked of the counting, its outcome, and the notices. */
#include "services/intake/codec_inside.h"

#include "cardflow/v1/unit.pb-c.h"

typedef Cardflow__V1__IntakeInternal pb_internal;

struct cf_str intake_codec_unit_code(struct cf_str key)
{
    const struct cf_str prefix = CF_STR("unit:");
    bool is = key.len > prefix.len && memcmp(key.ptr, prefix.ptr, prefix.len) == 0 &&
              cf_utf8_valid(key);
    return is ? (struct cf_str){key.ptr + prefix.len, key.len - prefix.len} : (struct cf_str){0};
}

static struct cf_str pack_count(struct cf_arena *a, cf_day due_on, uint32_t enrolled,
                                uint32_t missing)
{
    pb_internal x;
    Cardflow__V1__IntakeInternal__UnitCounted c;
    cardflow__v1__intake_internal__init(&x);
    cardflow__v1__intake_internal__unit_counted__init(&c);
    c.due_on = due_on;
    c.enrolled = enrolled;
    c.missing = missing;
    x.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_UNIT_COUNTED;
    x.unit_counted = &c;
    return cf_pack(a, &x.base);
}

static const Cardflow__V1__IntakeInternal__UnitCounted *read_count(struct cf_arena *a,
                                                                   struct cf_str bytes)
{
    const pb_internal *x = cf_unpack(a, &cardflow__v1__intake_internal__descriptor, bytes);
    bool is = x && x->body_case == CARDFLOW__V1__INTAKE_INTERNAL__BODY_UNIT_COUNTED;
    return is ? x->unit_counted : NULL;
}

struct cf_str intake_codec_unit_args(struct cf_arena *a, cf_day due_on)
{
    return pack_count(a, due_on, 0, 0);
}

bool intake_codec_unit_args_read(struct cf_arena *a, struct cf_str args, cf_day *due_on)
{
    const Cardflow__V1__IntakeInternal__UnitCounted *c = read_count(a, args);
    if (c) *due_on = c->due_on;
    return c != NULL;
}

struct cf_str intake_codec_unit_counted(struct cf_arena *a, uint32_t enrolled, uint32_t missing)
{
    return pack_count(a, 0, enrolled, missing);
}

struct cf_msg *intake_codec_unit_outcome(struct cf_decode *d, const struct cf_key *key, bool failed,
                                         struct cf_str payload)
{
    struct intake_unit_count *body = cf_arena_zero(d->arena, sizeof *body);
    const Cardflow__V1__IntakeInternal__UnitCounted *c =
        failed ? NULL : read_count(d->arena, payload);
    if ((!failed && !c) || !intake_codec_unit_code(cf_key_str(key)).len) return NULL;
    body->failed = failed;
    if (c) {
        body->enrolled = c->enrolled;
        body->missing = c->missing;
    }
    return add(d, INTAKE_KIND_UNIT, INTAKE_MSG_UNIT_COUNTED, key, body);
}

void intake_codec_send_unit_notice(struct cf_step *s, const struct intake_unit *u, const char *what,
                                   bool silent)
{
    Cardflow__V1__UnitNotice n;
    cardflow__v1__unit_notice__init(&n);
    n.unit_code = z(s->arena, intake_codec_unit_code(cf_key_str(&s->msg->key)));
    n.what = literal(what);
    n.registered_on = u->registered_on;
    n.due_on = u->due_on;
    n.provisional = u->due_on > ((const struct intake_env *)s->env)->calendar->coverage_until;
    n.enrolled = (uint32_t)u->enrolled;
    n.missing = (uint32_t)u->missing;
    n.silent = silent;
    n.at_ms = s->now;
    cf_send(s, INTAKE_OUT_UNITS, &s->msg->key, "unit.deadline_marked", &n.base);
}
