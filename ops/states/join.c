/* The tables of intake, photo-fetch and production become one list. */
#include "ops/states/states.h"
#include "services/intake/rules.h"
#include "services/photo-fetch/rules.h"
#include "services/production/rules.h"

static const char *const card_event_names[] = {"",
#define X(value, name) name,
                                               PRODUCTION_CARD_EVENTS(X)
#undef X
};

static const char *const photo_event_names[] = {
    [PHOTO_ON_TAKE_FETCH] = "accepted, the police are asked",
    [PHOTO_ON_TAKE_READY] = "accepted with a photo or without need",
    [PHOTO_ON_TAKE_MISSING] = "accepted without a photo",
    [PHOTO_ON_GOT] = "the police have one",
    [PHOTO_ON_NOT_THERE] = "the police have none",
    [PHOTO_ON_AGAIN] = "the police are asked again",
    [PHOTO_ON_UPLOAD] = "upload",
    [PHOTO_ON_WAIVE] = "waiver",
    [PHOTO_ON_STOP] = "stop",
    [PHOTO_ON_EXPIRE] = "expire",
};

static void add(struct states_list *out, struct states_edge e)
{
    if (out->n == STATES_EDGES) {
        fprintf(stderr, "states: more than %d edges\n", STATES_EDGES);
        return;
    }
    out->edge[out->n++] = e;
}

/* From accepted on intake only follows, see check_following(). */
static void add_intake(struct states_list *out)
{
    size_t n;
    const struct intake_edge *e = intake_edges(&n);
    for (size_t i = 0; i < n; i++)
        if (e[i].from == CF_APP_RECEIVED || e[i].from == CF_APP_NOTICED)
            add(out, (struct states_edge){STATES_APPLICATION, cf_app_state_name(e[i].from),
                                          cf_app_state_name(e[i].to), intake_event_name(e[i].on),
                                          "intake", NULL});
}

static void add_production(struct states_list *out, enum states_machine machine,
                           const struct production_app_edge *e, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add(out, (struct states_edge){machine, cf_app_state_name(e[i].from),
                                      cf_app_state_name(e[i].to),
                                      production_app_event_name(e[i].on), "production", NULL});
}

static void add_cards(struct states_list *out)
{
    size_t n;
    const struct production_card_edge *e = production_card_edges(&n);
    for (size_t i = 0; i < n; i++)
        add(out, (struct states_edge){STATES_CARD, cf_card_state_name(e[i].from),
                                      e[i].to ? cf_card_state_name(e[i].to) : STATES_BEFORE_LOSS,
                                      card_event_names[e[i].on], "production", NULL});
}

/* ---- photo-fetch and production tell of the same steps -------------------------------------- */

static enum cf_app_state app_state_of(enum photo_state state)
{
    switch (state) {
    case PHOTO_FETCHING:
        return CF_APP_ACCEPTED;
    case PHOTO_MISSING:
        return CF_APP_PHOTO_MISSING;
    case PHOTO_READY:
        return CF_APP_PHOTO_READY;
    case PHOTO_EXPIRED:
        return CF_APP_EXPIRED;
    case PHOTO_NONE:
    case PHOTO_STOPPED: /* another service has ended it */
    case PHOTO_STATE_COUNT:
        break;
    }
    return CF_APP_NONE;
}

static bool is_taken(enum photo_event on)
{
    return on == PHOTO_ON_TAKE_FETCH || on == PHOTO_ON_TAKE_READY || on == PHOTO_ON_TAKE_MISSING;
}

/* Which step of an application it is; one that takes an application begins at accepted, whatever
 * the one before was. */
static bool photo_step(const struct photo_fetch_edge *e, enum cf_app_state *from,
                       enum cf_app_state *to)
{
    *from = is_taken(e->on) ? CF_APP_ACCEPTED : app_state_of(e->from);
    *to = app_state_of(e->to);
    return *from && *to && *from != *to;
}

static bool by_photo(enum production_app_event on, enum cf_app_state from)
{
    return on == PRODUCTION_ON_PHOTO_READY || on == PRODUCTION_ON_PHOTO_MISSING ||
           (on == PRODUCTION_ON_EXPIRE && from == CF_APP_PHOTO_MISSING);
}

static struct states_edge *find(struct states_list *list, enum cf_app_state from,
                                enum cf_app_state to)
{
    for (size_t i = 0; i < list->n; i++) {
        struct states_edge *e = &list->edge[i];
        if (e->machine == STATES_APPLICATION && strcmp(e->from, cf_app_state_name(from)) == 0 &&
            strcmp(e->to, cf_app_state_name(to)) == 0)
            return e;
    }
    return NULL;
}

static size_t join_photo(struct states_list *list)
{
    size_t n, bad = 0;
    const struct photo_fetch_edge *e = photo_fetch_edges(&n);
    for (size_t i = 0; i < n; i++) {
        enum cf_app_state from, to;
        if (!photo_step(&e[i], &from, &to)) continue;
        struct states_edge *known = find(list, from, to);
        if (!known) {
            bad++;
            fprintf(stderr, "states: photo-fetch goes from %s to %s, production does not\n",
                    cf_app_state_name(from), cf_app_state_name(to));
        } else if (!known->also) {
            known->also = photo_event_names[e[i].on];
        } else {
            struct states_edge more = *known;
            more.also = photo_event_names[e[i].on];
            bool told = false;
            for (size_t k = 0; k < list->n; k++)
                told = told || (list->edge[k].also == more.also && list->edge[k].to == more.to &&
                                list->edge[k].from == more.from);
            if (!told) add(list, more);
        }
    }
    size_t edges;
    const struct production_app_edge *p = production_app_edges(&edges);
    for (size_t i = 0; i < edges; i++) {
        if (!by_photo(p[i].on, p[i].from) || p[i].to == p[i].from) continue;
        if (find(list, p[i].from, p[i].to)->also) continue;
        bad++;
        fprintf(stderr, "states: production goes from %s to %s, photo-fetch does not\n",
                cf_app_state_name(p[i].from), cf_app_state_name(p[i].to));
    }
    return bad;
}

/* ---- intake follows ------------------------------------------------------------------------- */

/* What intake keeps of a state: all between acceptance and the outlet are `accepted` to it. */
static enum cf_app_state kept_as(enum cf_app_state state)
{
    return intake_count_of(state) == INTAKE_COUNT_ACCEPTED ? CF_APP_ACCEPTED : state;
}

static bool intake_goes(enum cf_app_state from, enum cf_app_state to)
{
    size_t n;
    const struct intake_edge *e = intake_edges(&n);
    for (size_t i = 0; i < n; i++)
        if (e[i].from == from && e[i].to == to) return true;
    return false;
}

static size_t follow(const struct production_app_edge *e, size_t n)
{
    size_t bad = 0;
    for (size_t i = 0; i < n; i++) {
        enum cf_app_state from = kept_as(e[i].from), to = kept_as(e[i].to);
        if (!e[i].to || from == to || intake_goes(from, to)) continue;
        bad++;
        fprintf(stderr, "states: production goes from %s to %s, intake does not follow\n",
                cf_app_state_name(e[i].from), cf_app_state_name(e[i].to));
    }
    return bad;
}

/* And it follows nowhere else. */
static size_t follows_only(void)
{
    size_t n, n_app, n_temporary, bad = 0;
    const struct intake_edge *e = intake_edges(&n);
    const struct production_app_edge *app = production_app_edges(&n_app);
    const struct production_app_edge *temporary = production_temporary_edges(&n_temporary);
    for (size_t i = 0; i < n; i++) {
        bool real = e[i].from == e[i].to || e[i].from == CF_APP_RECEIVED ||
                    e[i].from == CF_APP_NOTICED;
        for (size_t k = 0; k < n_app; k++)
            real = real || (kept_as(app[k].from) == e[i].from && kept_as(app[k].to) == e[i].to);
        for (size_t k = 0; k < n_temporary; k++)
            real = real ||
                   (kept_as(temporary[k].from) == e[i].from && kept_as(temporary[k].to) == e[i].to);
        if (real) continue;
        bad++;
        fprintf(stderr, "states: intake follows from %s to %s, production does not go there\n",
                cf_app_state_name(e[i].from), cf_app_state_name(e[i].to));
    }
    return bad;
}

/* ---- all ------------------------------------------------------------------------------------ */

size_t states_join(struct states_list *out)
{
    size_t n_app, n_temporary;
    const struct production_app_edge *app = production_app_edges(&n_app);
    const struct production_app_edge *temporary = production_temporary_edges(&n_temporary);
    out->n = 0;
    add_intake(out);
    add_production(out, STATES_APPLICATION, app, n_app);
    size_t bad = join_photo(out);
    add_production(out, STATES_TEMPORARY, temporary, n_temporary);
    add_cards(out);
    return bad + follow(app, n_app) + follow(temporary, n_temporary) + follows_only();
}
