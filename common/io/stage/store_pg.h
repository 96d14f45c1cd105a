/* store_pg -- the store's door to PostgreSQL; inside the stage only.
 *
 * store_pg.c connects, owns shards and reads; store_commit.c writes the one transaction. The
 * stage's own statements are files in sql/; those of a service's rows come from its columns.
 */
#pragma once
#include "common/io/stage/columns.h"
#include "common/io/stage/doors.h"
#include "common/io/stage/pipe.h"

enum { STORE_KINDS = 16, STORE_ARRAYS = CF_PIPE_PARAMS };

struct store_pg {
    struct cf_store door;
    struct cf_pipe pipe;
    const struct cf_service *service;
    uint8_t replica[16];
    int partitions, member_timeout_ms;
    struct store_table {
        int load, insert, update, save;
    } kinds[STORE_KINDS], aux[STORE_KINDS];
    struct cf_buf generated[16 * STORE_KINDS]; /* SQL from columns, and names */
    size_t n_generated;
    struct cf_pgarray arrays[STORE_ARRAYS];
    char topic_names[64][128];
    int s_standing, s_take, s_give, s_seed, s_count, s_still, s_cursor_seed, s_cursor_load,
        s_output_seed, s_output_load, s_parked_load, s_guard_shard, s_guard_cursor, s_verdict,
        s_output_save, s_journal_add, s_journal_load, s_work_put, s_work_drop, s_work_load,
        s_parked_add, s_parked_rows, s_parked_count, s_parked_done, s_parked_dropped, s_number_take;
};

int store_pg_commit(void *self, const struct cf_commit *c);
/* Leaves a failed transaction; closes the connection when it cannot. */
void store_pg_recover(struct store_pg *s);

/* Topic in i is topic_names[i]; output i is topic_names[inputs + i]. */
static inline struct cf_str store_in_name(const struct store_pg *s, size_t i)
{
    return cf_str_of(s->topic_names[i]);
}

static inline struct cf_str store_out_name(const struct store_pg *s, size_t i)
{
    return cf_str_of(s->topic_names[cf_inputs(s->service) + i]);
}
