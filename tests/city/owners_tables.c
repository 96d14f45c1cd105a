/* owners_tables -- which state follows which. */
#include "tests/city/owners_inside.h"

typedef bool matrix[CF_APP_COUNT][CF_APP_COUNT];

/* By table: of permanent and of temporary cards. */
static matrix app_edge[2], app_reach[2], intake_reach;
static bool card_edge[CF_CARD_COUNT][CF_CARD_COUNT];
static bool photo_reach[PHOTO_STATE_COUNT][PHOTO_STATE_COUNT];

static void close_over(bool *m, int n)
{
    for (int k = 0; k < n; k++)
        for (int i = 0; i < n; i++)
            for (int j = 0; j < n; j++)
                m[i * n + j] = m[i * n + j] || (m[i * n + k] && m[k * n + j]);
}

static void read_production(void)
{
    size_t n;
    for (int t = 0; t < 2; t++) {
        const struct production_app_edge *a =
            t ? production_temporary_edges(&n) : production_app_edges(&n);
        for (size_t i = 0; i < n; i++)
            if (a[i].to != CF_APP_NONE) app_edge[t][a[i].from][a[i].to] = true;
        memcpy(app_reach[t], app_edge[t], sizeof app_reach[t]);
        close_over(&app_reach[t][0][0], CF_APP_COUNT);
    }
    const struct production_card_edge *c = production_card_edges(&n);
    for (size_t i = 0; i < n; i++) {
        card_edge[c[i].from][c[i].to] = c[i].to != CF_CARD_NONE;
        if (c[i].to != CF_CARD_NONE) continue;
        /* Back to where it was before the loss: wherever a loss can begin. */
        for (size_t k = 0; k < n; k++)
            if (c[k].to == CF_CARD_TEMPORARY_LOSS || c[k].to == CF_CARD_FORMAL_LOSS)
                card_edge[c[i].from][c[k].from] = true;
    }
}

static void read_others(void)
{
    size_t n;
    const struct photo_fetch_edge *p = photo_fetch_edges(&n);
    for (size_t i = 0; i < n; i++)
        if (p[i].on != PHOTO_ON_TAKE_FETCH && p[i].on != PHOTO_ON_TAKE_READY &&
            p[i].on != PHOTO_ON_TAKE_MISSING)
            photo_reach[p[i].from][p[i].to] = true;
    close_over(&photo_reach[0][0], PHOTO_STATE_COUNT);
    for (int from = 0; from < CF_APP_COUNT; from++)
        for (int on = 0; on < INTAKE_EVENT_COUNT; on++)
            intake_reach[from][intake_state_next((enum cf_app_state)from,
                                                 (enum intake_event)on)] = true;
    for (int from = 0; from < CF_APP_COUNT; from++)
        intake_reach[from][CF_APP_NONE] = false;
    close_over(&intake_reach[0][0], CF_APP_COUNT);
}

void owners_read_tables(void)
{
    static bool read;
    if (read) return;
    read = true;
    read_production();
    read_others();
}

/* photo_missing and photo_ready are told by photo-fetch, and pass between two steps told here. */
bool owners_app_edge(enum cf_app_state from, enum cf_app_state to, bool temporary)
{
    static const enum cf_app_state quiet[] = {CF_APP_PHOTO_MISSING, CF_APP_PHOTO_READY};
    bool(*edge)[CF_APP_COUNT] = app_edge[temporary];
    if (edge[from][to]) return true;
    for (int i = 0; i < 2; i++) {
        if (!edge[from][quiet[i]]) continue;
        if (edge[quiet[i]][to]) return true;
        if (edge[quiet[i]][quiet[!i]] && edge[quiet[!i]][to]) return true;
    }
    return false;
}

bool owners_app_reach(enum cf_app_state from, enum cf_app_state to, bool temporary)
{
    return app_reach[temporary][from][to];
}

bool owners_intake_reach(int from, int to)
{
    return intake_reach[from][to];
}

bool owners_photo_reach(int from, int to)
{
    return photo_reach[from][to];
}

bool owners_card_edge(enum cf_card_state from, enum cf_card_state to)
{
    return card_edge[from][to];
}
