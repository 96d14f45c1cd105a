/* story -- what becomes of a person's application beside the plain path, and how that must end.
 *
 * Persons do what they do at any time, or as soon as they see that they can: they look at rows as
 * they would at inquiry. */
#include "cardflow/v1/card.pb-c.h"
#include "cardflow/v1/common.pb-c.h"
#include "common/io/ids.h"
#include "services/intake/codec.h"
#include "services/notification/codec.h"
#include "services/photo-fetch/codec.h"
#include "services/photo-fetch/store.h"
#include "services/production/codec.h"
#include "tests/sim/world_inside.h"

enum { ANY_MS = 8000 };

static const uint8_t zero[16];

static const struct {
    const char *name;
    uint32_t share;
} stories[] = {
#define X(name, share) {#name, share},
    WORLD_STORIES(X)
#undef X
};

void world_story_choose(uint32_t i)
{
    uint32_t at = sim_below(1000);
    int story = STORY_COUNT - 1;
    for (; story > STORY_PLAIN && at >= stories[story].share; story--)
        at -= stories[story].share;
    world_persons[i].story = story;
    world_persons[i].no_phone = story == STORY_SUPPLEMENT || story == STORY_NO_SUPPLEMENT;
}

bool world_police_have_none(const struct sim_person *p)
{
    return p->story == STORY_UPLOAD || p->story == STORY_NO_PHOTO;
}

/* ---- what is seen of them -------------------------------------------------------------------- */

static int16_t part_of(const struct cf_key *key)
{
    return (int16_t)cf_key_partition(key, SIM_PARTS);
}

const void *world_row_of(enum sim_service service, const struct sim_person *p)
{
    return sim_store_row(sim_data_of(service), false, 0, part_of(&p->key), &p->key);
}

const void *world_wide_of(enum sim_service service, uint16_t aux, const struct sim_person *p,
                          const uint8_t id[16])
{
    struct cf_key key;
    if (!cf_key_bytes(id, 16, &key)) return NULL;
    return sim_store_row(sim_data_of(service), true, aux, part_of(&p->key), &key);
}

static enum cf_app_state intake_state(const struct sim_person *p, const uint8_t app[16])
{
    const struct intake_application *row = world_wide_of(SIM_INTAKE, INTAKE_AUX_APPLICATION, p, app);
    return row ? (enum cf_app_state)row->state : CF_APP_NONE;
}

/* ---- what they do ---------------------------------------------------------------------------- */

void world_new_id(uint32_t i, const char *what, uint8_t id[16])
{
    cf_uuid8_of(id, cf_str_of(what), {(const char *)&i, sizeof i});
}

static void upload(uint32_t i)
{
    const struct sim_person *p = &world_persons[i];
    const struct photo_fetch_job *job = world_row_of(SIM_PHOTO_FETCH, p);
    uint8_t id[16], photo[16];
    if (!job || (job->state != PHOTO_MISSING && job->state != PHOTO_FETCHING)) {
        world_later(i, WORLD_LOOK_MS, upload);
        return;
    }
    world_new_id(i, "upload", id);
    world_new_id(i, "uploaded", photo);
    sim_world_send("photo.commands", "photo.upload", "sim", cf_key_str(&p->key), id,
                   photo_fetch_codec_upload(world_arena, p->app, id, photo));
}

static void supplement(uint32_t i)
{
    struct sim_person *p = &world_persons[i];
    struct intake_supplement m = {.request = {.submitted_at = sim_now}};
    struct cf_key key;
    uint8_t id[16];
    if (intake_state(p, p->app) != CF_APP_NOTICED) {
        world_later(i, WORLD_LOOK_MS, supplement);
        return;
    }
    p->no_phone = false;
    struct cf_str sealed = world_person_seal(i, false, &key);
    p->no_phone = true; /* the first submission may be sent again, as it was */
    world_new_id(i, "supplement", id);
    memcpy(m.application_id, p->app, 16);
    sim_world_send("application.commands", "application.supplement", "sim", cf_key_str(&key), id,
                   intake_codec_supplement(world_arena, &m, id, sealed));
}

static void withdraw(uint32_t i)
{
    struct sim_person *p = &world_persons[i];
    struct intake_withdraw m = {.reason = CF_STR("not wanted")};
    struct cf_str actor = intake_codec_actor(world_arena, CF_STR("holder"), CF_STR("李安"),
                                             CF_STR("resident_id"), CF_STR("1"));
    struct cf_str sealed;
    if (cf_seal(sim_ring(), actor, cf_key_str(&p->key), INTAKE_FIELD_ACTOR, world_arena, &sealed))
        CF_BUG("an actor cannot be sealed");
    world_new_id(i, "withdraw", p->command);
    memcpy(m.application_id, p->app, 16);
    sim_world_send("application.commands", "application.withdraw", "sim", cf_key_str(&p->key),
                   p->command, intake_codec_withdraw(world_arena, &m, p->command, sealed));
}

static void die(uint32_t i)
{
    struct cf_key key;
    struct cf_str sealed = world_person_seal(i, false, &key);
    uint8_t id[16];
    world_new_id(i, "death", id);
    sim_world_send("enrolment.events", "enrolment.ended", "sim", cf_key_str(&key), id,
                   intake_codec_enrolment(world_arena, "ended", sealed, 5, (struct cf_str){0},
                                          CF_STR("death")));
}

void world_operate(const struct sim_person *p, const char *operation, const char *card_no,
                   const char *bank, const uint8_t id[16])
{
    Cardflow__V1__CardCommand c;
    cardflow__v1__card_command__init(&c);
    Cardflow__V1__Operator op;
    cardflow__v1__operator__init(&op);
    c.operation_id = cf_data_id(id);
    c.operation = world_lit(operation);
    c.card_no = world_lit(card_no);
    c.channel = world_lit("bank_outlet");
    c.actor_role = world_lit("holder");
    op.bank_code = world_lit(bank);
    op.staff_id = world_lit("sim");
    c.operator_ = &op;
    c.requested_at_ms = sim_now;
    sim_world_send("card.commands", "card.operation", "sim", cf_key_str(&p->key), id,
                   cf_pack(world_arena, &c.base));
}

static void release(uint32_t i)
{
    struct sim_person *p = &world_persons[i];
    const struct production_row *row = world_row_of(SIM_PRODUCTION, p);
    if (!row || memcmp(row->app_id, p->second, 16) != 0) {
        world_later(i, WORLD_LOOK_MS, release);
        return;
    }
    world_new_id(i, "release", p->command);
    world_operate(p, "release", p->card, "", p->command);
}

/* The card that is in use is lost. */
static void replace(uint32_t i)
{
    struct sim_person *p = &world_persons[i];
    const struct intake_holder *h = world_row_of(SIM_INTAKE, p);
    if (!h || h->card.state != CF_CARD_NORMAL || memcmp(h->permanent.app, zero, 16) != 0) {
        world_later(i, WORLD_LOOK_MS, replace);
        return;
    }
    world_new_id(i, "second", p->second);
    world_submit(i, p->second, WORLD_LOST);
    if (p->story == STORY_RELEASES) world_later(i, (cf_ms)sim_below(3000), release);
}

void world_story_begin(uint32_t i)
{
    static world_deed *const deeds[STORY_COUNT] = {
        [STORY_UPLOAD] = upload, [STORY_SUPPLEMENT] = supplement, [STORY_WITHDRAW] = withdraw,
        [STORY_DIES] = die,      [STORY_REPLACES] = replace,      [STORY_RELEASES] = replace,
        [STORY_TEMPORARY] = world_temporary, [STORY_TEMPORARY_LEFT] = world_temporary,
        [STORY_EXTENDED] = world_temporary,  [STORY_REISSUE_DATA] = world_reissue,
        [STORY_REISSUE_BANK] = world_reissue, [STORY_REISSUE_EXPIRY] = world_import};
    world_deed *deed = deeds[world_persons[i].story];
    if (deed) world_later(i, (cf_ms)sim_below(ANY_MS), deed);
}

bool sim_story_parks(const struct cf_key *key)
{
    const struct sim_person *p = world_person_of(key);
    return p && p->story == STORY_DENIES;
}

bool sim_story_replaces(const struct cf_key *key)
{
    const struct sim_person *p = world_person_of(key);
    return p && (p->story == STORY_REPLACES || p->story == STORY_RELEASES ||
                 p->story >= STORY_TEMPORARY);
}

bool sim_story_arrives_twice(const struct cf_key *key)
{
    const struct sim_person *p = world_person_of(key);
    return p && p->story == STORY_BREAKS_LATE;
}

/* ---- how it ends ----------------------------------------------------------------------------- */

struct end {
    enum cf_app_state state; /* of the last application */
    enum cf_card_state card; /* in hand */
    bool second;             /* the last one is the second */
};

/* Intake's state until it is accepted, then production's. */
static struct end end_of(const struct sim_person *p)
{
    const uint8_t *last = memcmp(p->second, zero, 16) ? p->second : p->app;
    const struct production_row *row = world_row_of(SIM_PRODUCTION, p);
    struct end end = {.state = intake_state(p, last), .second = last == p->second};
    if (row) end.card = cf_card_state_parse(row->card_state);
    if (end.state == CF_APP_ACCEPTED) {
        end.state = CF_APP_NONE;
        if (row && !memcmp(row->app_id, last, 16)) end.state = cf_app_state_parse(row->app_state);
        else if (row) end.state = CF_APP_CLOSED; /* at once */
    }
    return end;
}

/* What a command was answered; 0: nothing. */
static int answer_to(const struct sim_person *p)
{
    const struct intake_command *row = world_wide_of(SIM_INTAKE, INTAKE_AUX_COMMAND, p, p->command);
    return row ? row->result : 0;
}

static bool collected(const struct end *e)
{
    return e->state == CF_APP_COLLECTED && e->card == CF_CARD_NORMAL;
}

static bool ended_well(const struct sim_person *p, const struct end *e)
{
    switch ((enum world_story)p->story) {
    case STORY_UPLOAD:
    case STORY_SUPPLEMENT:
    case STORY_BREAKS:
    case STORY_BREAKS_LATE:
    case STORY_SILENT:
    case STORY_MIXED:
    case STORY_TWICE: return collected(e);
    case STORY_NO_PHOTO:
    case STORY_NO_SUPPLEMENT:
    case STORY_UNENROLLED:
    case STORY_NO_ACCOUNT: return e->state == CF_APP_EXPIRED && !e->card;
    case STORY_UNCOLLECTED: return e->state == CF_APP_PICKUP_EXPIRED && !e->card;
    case STORY_DENIES: return e->state == CF_APP_PRODUCED && !e->card;
    case STORY_WITHDRAW:
        if (answer_to(p) == INTAKE_DONE) return e->state == CF_APP_WITHDRAWN && !e->card;
        return answer_to(p) == INTAKE_REFUSED && collected(e);
    case STORY_DIES:
        return cf_app_state_is_end(e->state) && (!e->card || e->card == CF_CARD_CANCELLED);
    case STORY_REPLACES: return e->second && collected(e);
    case STORY_RELEASES:
        return e->second && e->card == CF_CARD_NORMAL &&
               (e->state == CF_APP_COLLECTED || e->state == CF_APP_WITHDRAWN);
    case STORY_TEMPORARY:
    case STORY_TEMPORARY_LEFT: return collected(e) && world_temporary_ended(p);
    case STORY_EXTENDED:
        return e->state == CF_APP_PICKUP_EXPIRED && !e->card && world_temporary_ended(p);
    case STORY_REISSUE_DATA:
    case STORY_REISSUE_BANK:
    case STORY_REISSUE_EXPIRY: return collected(e) && world_reissue_ended(p);
    case STORY_REISSUE_MASS: return collected(e);
    case STORY_PLAIN:
    case STORY_COUNT: break;
    }
    return true;
}

/* The police may say two things; the first one counts, everywhere. */
static void check_photo(const struct sim_person *p, size_t i)
{
    struct production_holder h;
    const struct photo_fetch_job *job = world_row_of(SIM_PHOTO_FETCH, p);
    const struct production_row *row = world_row_of(SIM_PRODUCTION, p);
    if (!row || !job || job->state != PHOTO_READY || memcmp(job->application_id, row->app_id, 16))
        return;
    if (production_row_open(world_arena, row, &h)) sim_broken("person %zu: an odd row", i);
    const struct production_app *app = &h.permanent.app;
    if (app->has_photo && memcmp(app->photo_ref, job->photo_ref, 16) != 0)
        sim_broken("person %zu: the card is made with another photo", i);
}

bool sim_check_story(const struct sim_person *p, size_t i)
{
    cf_arena_reset(world_arena);
    check_photo(p, i);
    if (p->story == STORY_PLAIN) return false;
    struct end e = end_of(p);
    if (!ended_well(p, &e))
        sim_broken("person %zu, %s: ends as %s, card %s, answer %d", i, stories[p->story].name,
                   cf_app_state_name(e.state), cf_card_state_name(e.card), answer_to(p));
    return true;
}
