#include "common/io/memory.h"

#ifdef CARDFLOW_JEMALLOC
#include <jemalloc/jemalloc.h>

/* Read by the library at its start. Few threads allocate much: more arenas would only hold memory. What
 * one batch has freed the next one needs again; a page given back in between costs a fault. */
const char *malloc_conf = "narenas:2,dirty_decay_ms:1000,muzzy_decay_ms:0";

void cf_memory_prepare(void)
{
}

void cf_memory_rest(void)
{
    mallctl("thread.tcache.flush", NULL, NULL, NULL, 0);
    mallctl("arena.4096.purge", NULL, NULL, NULL, 0); /* 4096 stands for all arenas */
}

#else
#include <malloc.h>

void cf_memory_prepare(void)
{
    mallopt(M_ARENA_MAX, 2);
    mallopt(M_MMAP_THRESHOLD, 1 << 20);
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

void cf_memory_rest(void)
{
    malloc_trim(0);
}
#endif
