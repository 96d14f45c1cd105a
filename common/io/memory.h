/* memory -- how the process gets its memory and gives it back.
 *
 * jemalloc where it is linked (release and development), the C library's own under sanitizers.
 *
 * Errors   none: out of memory ends the process where it happens
 */
#pragma once

/* Before the first thread is made. */
void cf_memory_prepare(void);
/* A burst is over: what is free goes back to the system. Takes some milliseconds. */
void cf_memory_rest(void);
