/* owners_rows -- rows of the services after each turn: what changed, changed along an edge. */
#include "tests/city/owners_inside.h"

int16_t owners_part(const struct cf_key *key)
{
    return (int16_t)cf_key_partition(key, SIM_PARTS);
}

const void *owners_row(enum sim_service service, uint16_t kind, int16_t part,
                       const struct cf_key *key)
{
    return sim_store_row(sim_data_of(service), false, kind, part, key);
}

const void *owners_aux(enum sim_service service, uint16_t kind, int16_t part,
                       const uint8_t id[16])
{
    struct cf_key key;
    if (!cf_key_bytes(id, 16, &key)) CF_BUG("an id is a key");
    return sim_store_row(sim_data_of(service), true, kind, part, &key);
}

static void intake_seen(void)
{
    for (size_t i = 0; i < owners.n_apps; i++)
        for (int16_t p = 0; p < SIM_PARTS; p++) {
            int16_t *last = &owners.apps[i].intake[p];
            const struct intake_application *row =
                owners_aux(SIM_INTAKE, INTAKE_AUX_APPLICATION, p, owners.apps[i].id);
            if (!row) continue;
            if (row->moved_to.len) { /* and may come back */
                *last = CF_APP_NONE;
                continue;
            }
            if (*last && *last != row->state && !owners_intake_reach(*last, row->state))
                sim_broken("an application goes from %s to %s in intake",
                            cf_app_state_name((enum cf_app_state)*last),
                            cf_app_state_name((enum cf_app_state)row->state));
            *last = row->state;
            owners.apps[i].temporary = row->kind == CF_KIND_TEMPORARY;
            owners_walked->app_states[row->state] = true;
        }
}

static void photo_seen(void)
{
    static struct photo_fetch_job last[sizeof owners.keys / sizeof *owners.keys];
    for (size_t i = 0; i < owners.n_keys; i++) {
        const struct photo_fetch_job *job =
            owners_row(SIM_PHOTO_FETCH, 0, owners_part(&owners.keys[i]), &owners.keys[i]);
        if (!job) continue;
        bool same = !memcmp(last[i].application_id, job->application_id, 16);
        if (same && last[i].state != job->state && !owners_photo_reach(last[i].state, job->state))
            sim_broken("a photo goes from %s to %s",
                        photo_fetch_state_name((enum photo_state)last[i].state),
                        photo_fetch_state_name((enum photo_state)job->state));
        last[i] = *job;
    }
}

bool owners_production(const struct cf_key *key, struct production_holder *h)
{
    const struct production_row *row =
        owners_row(SIM_PRODUCTION, PRODUCTION_HOLDER, owners_part(key), key);
    memset(h, 0, sizeof *h);
    if (row && production_row_open(city_arena(), row, h))
        sim_broken("a holder's row in production cannot be read");
    return row != NULL;
}

static void check_slot(const struct production_slot *was, const struct production_slot *is,
                       bool temporary)
{
    bool same = was->app.state && !memcmp(was->app.id, is->app.id, 16);
    enum cf_app_state from = was->app.state, to = is->app.state;
    if (same && from != to && !owners_app_reach(from, to, temporary))
        sim_broken("an application goes from %s to %s in production", cf_app_state_name(from),
                    cf_app_state_name(to));
    if (cf_card_state_is_usable(is->card.state) && cf_card_state_is_usable(is->made.state))
        sim_broken("a holder's row has two usable cards");
    owners_walked->app_states[to] = true;
}

static void production_seen(void)
{
    static struct production_holder last[sizeof owners.keys / sizeof *owners.keys];
    for (size_t i = 0; i < owners.n_keys; i++) {
        struct production_holder h;
        if (!owners_production(&owners.keys[i], &h)) continue;
        check_slot(&last[i].permanent, &h.permanent, false);
        check_slot(&last[i].temporary, &h.temporary, true);
        last[i] = h; /* of its texts nothing is read any more */
    }
}

void owners_seen(enum sim_service service)
{
    if (service == SIM_INTAKE) intake_seen();
    if (service == SIM_PHOTO_FETCH) photo_seen();
    if (service == SIM_PRODUCTION) production_seen();
    for (int s = SIM_INTAKE; s <= SIM_PRODUCTION; s++) {
        const struct sim_store *d = sim_data_of((enum sim_service)s);
        /* Only a bank can contradict; what our own services send fits. */
        if (sim_store_parked(d) != sim_store_parked_of(d, "bank.results"))
            sim_broken("%s has parked a message of our own",
                        sim_service((enum sim_service)s)->name);
    }
}
