/* codec_roster -- rosters: opened, split, their rows. */
#include "services/intake/codec_inside.h"

typedef Cardflow__V1__IntakeInternal__RosterOpened pb_opened;
typedef Cardflow__V1__IntakeInternal__RowOutcome pb_row;

const char *intake_row_outcome_name(enum intake_row_outcome outcome)
{
    static const char *const names[] = {"",
#define X(value, name) name,
                                        INTAKE_ROW_OUTCOMES(X)
#undef X
    };
    return names[outcome];
}

static void fill_opened(struct cf_arena *a, const struct intake_roster_meta *m, pb_opened *o)
{
    cardflow__v1__intake_internal__roster_opened__init(o);
    o->roster_id = cf_data_id(m->roster_id);
    o->client = z(a, m->client);
    o->unit_code = z(a, m->unit_code);
    o->bank_code = z(a, m->bank_code);
    o->outlet_code = z(a, m->outlet_code);
    o->kind = literal(cf_app_kind_name(m->kind));
    o->introduction_letter_no = z(a, m->introduction_letter_no);
    o->id_copies_held = m->id_copies_held;
    o->agent = cf_data(m->agent);
    o->size = m->size;
    o->sha256 = (ProtobufCBinaryData){32, (uint8_t *)(uintptr_t)m->sha256};
    o->channel = literal(cf_channel_name(m->channel));
    o->submitted_at_ms = m->submitted_at;
    o->may_backdate = m->may_backdate;
    o->encoding = z(a, m->encoding);
    o->reissue_reason = z(a, m->reissue_reason);
}

struct cf_str intake_codec_roster_opened(struct cf_arena *a, const struct intake_roster_meta *m)
{
    Cardflow__V1__IntakeInternal x;
    cardflow__v1__intake_internal__init(&x);
    pb_opened o;
    fill_opened(a, m, &o);
    x.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROSTER_OPENED;
    x.roster_opened = &o;
    return cf_pack(a, &x.base);
}

int intake_codec_split_read(struct cf_arena *a, struct cf_str args, struct intake_roster_meta *out,
                            uint32_t *next_row)
{
    const Cardflow__V1__RosterSplit *s =
        cf_unpack(a, &cardflow__v1__roster_split__descriptor, args);
    if (!s || !s->roster || s->roster->roster_id.len != 16) return CF_E_DECODE;
    const pb_opened *o = s->roster;
    *out = (struct intake_roster_meta){.client = text(o->client),
                                       .unit_code = text(o->unit_code),
                                       .bank_code = text(o->bank_code),
                                       .outlet_code = text(o->outlet_code),
                                       .introduction_letter_no = text(o->introduction_letter_no),
                                       .encoding = text(o->encoding),
                                       .reissue_reason = text(o->reissue_reason),
                                       .kind = cf_app_kind_parse(text(o->kind)),
                                       .channel = cf_channel_parse(text(o->channel)),
                                       .id_copies_held = o->id_copies_held,
                                       .may_backdate = o->may_backdate,
                                       .agent = cf_bytes(o->agent),
                                       .submitted_at = o->submitted_at_ms,
                                       .size = o->size};
    memcpy(out->roster_id, o->roster_id.data, 16);
    *next_row = s->next_row;
    return 0;
}

struct cf_str intake_codec_split_args(struct cf_arena *a, struct cf_str args, uint32_t next_row)
{
    Cardflow__V1__RosterSplit *s = cf_unpack(a, &cardflow__v1__roster_split__descriptor, args);
    if (!s) CF_BUG("arguments of a split that do not unpack");
    s->next_row = next_row;
    return cf_pack(a, &s->base);
}

struct cf_str intake_codec_progress(struct cf_arena *a, const uint8_t roster_id[16],
                                    uint32_t next_row, uint32_t records, bool complete,
                                    const char *problem)
{
    Cardflow__V1__IntakeInternal x;
    cardflow__v1__intake_internal__init(&x);
    Cardflow__V1__IntakeInternal__RosterProgress p;
    cardflow__v1__intake_internal__roster_progress__init(&p);
    p.roster_id = cf_data_id(roster_id);
    p.next_row = next_row;
    p.records = records;
    p.complete = complete;
    p.problem = literal(problem ? problem : "");
    x.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROSTER_PROGRESS;
    x.roster_progress = &p;
    return cf_pack(a, &x.base);
}

size_t intake_codec_split_words(struct cf_arena *a, struct cf_str joined, char ***out)
{
    size_t n = 0, max = 1;
    for (size_t i = 0; i < joined.len; i++)
        max += joined.ptr[i] == '|';
    char **list = cf_arena_alloc(a, max * sizeof *list);
    while (joined.len) {
        const char *bar = memchr(joined.ptr, '|', joined.len);
        size_t len = bar ? (size_t)(bar - joined.ptr) : joined.len;
        list[n++] = z(a, (struct cf_str){joined.ptr, len});
        joined.ptr += bar ? len + 1 : len;
        joined.len -= bar ? len + 1 : len;
    }
    *out = list;
    return n;
}

struct cf_str intake_codec_row(struct cf_arena *a, const struct intake_row_msg *m)
{
    Cardflow__V1__IntakeInternal x;
    cardflow__v1__intake_internal__init(&x);
    pb_row r;
    cardflow__v1__intake_internal__row_outcome__init(&r);
    r.roster_id = cf_data_id(m->roster_id);
    r.row_no = (uint32_t)m->row_no;
    r.application_id = id_or_nothing(m->application_id);
    r.outcome = literal(intake_row_outcome_name(m->outcome));
    r.n_reasons = intake_codec_split_words(a, m->reasons, &r.reasons);
    r.warnings = m->warnings;
    r.app_state = literal(cf_app_state_name(m->state));
    r.taken_over = m->taken_over;
    r.notice = z(a, m->notice);
    x.body_case = CARDFLOW__V1__INTAKE_INTERNAL__BODY_ROW_OUTCOME;
    x.row_outcome = &r;
    return cf_pack(a, &x.base);
}

void intake_codec_send_row(struct cf_step *s, const struct intake_row_msg *m)
{
    struct cf_key key = cf_key_roster(m->roster_id);
    cf_send_bytes(s, INTAKE_OUT_INTERNAL, &key, "row.outcome", intake_codec_row(s->arena, m));
}
