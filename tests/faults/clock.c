/* clock -- a wall clock that can be set, for one process and without root: preloaded into a
 * service by test_clock.py, it adds to CLOCK_REALTIME the nanoseconds that stand in the file which
 * CARDFLOW_CLOCK_FILE names. CLOCK_MONOTONIC is left alone.
 *
 * Waits until a time on the wall clock follow it while they last, as the kernel's do: set back,
 * they take longer. Only that makes a library which waits by the wall clock show what it would do.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

enum { SLICE_NS = 20000000, YEAR_2000_S = 946684800 };
static const int64_t second_ns = 1000000000;
static const volatile int64_t *shift;

__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv("CARDFLOW_CLOCK_FILE");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) abort(); /* preloaded for nothing: the test would show nothing */
    void *at = mmap(NULL, sizeof *shift, PROT_READ, MAP_SHARED, fd, 0);
    if (at == MAP_FAILED) abort();
    shift = at;
    close(fd);
}

static int64_t read_ns(clockid_t id)
{
    struct timespec t;
    syscall(SYS_clock_gettime, id, &t);
    return (int64_t)t.tv_sec * second_ns + t.tv_nsec;
}

static int64_t now_ns(void)
{
    return read_ns(CLOCK_REALTIME) + (shift ? *shift : 0);
}

static struct timespec timespec_of(int64_t ns)
{
    return (struct timespec){ns / second_ns, ns % second_ns};
}

int clock_gettime(clockid_t id, struct timespec *t)
{
    if (id != CLOCK_REALTIME && id != CLOCK_REALTIME_COARSE)
        return (int)syscall(SYS_clock_gettime, id, t);
    *t = timespec_of(now_ns());
    return 0;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    (void)zone;
    int64_t ns = now_ns();
    t->tv_sec = ns / second_ns;
    t->tv_usec = ns % second_ns / 1000;
    return 0;
}

time_t time(time_t *out)
{
    time_t t = now_ns() / second_ns;
    if (out) *out = t;
    return t;
}

int timespec_get(struct timespec *t, int base)
{
    if (base != TIME_UTC) return 0;
    *t = timespec_of(now_ns());
    return base;
}

int pthread_cond_timedwait(pthread_cond_t *restrict cond, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
    /* So early on the wall clock means: a condition that goes by CLOCK_MONOTONIC. */
    if (until->tv_sec < YEAR_2000_S)
        return pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, until);
    int64_t until_ns = (int64_t)until->tv_sec * second_ns + until->tv_nsec, left;
    while ((left = until_ns - now_ns()) > 0) {
        struct timespec slice =
            timespec_of(read_ns(CLOCK_MONOTONIC) + (left < SLICE_NS ? left : SLICE_NS));
        int e = pthread_cond_clockwait(cond, mutex, CLOCK_MONOTONIC, &slice);
        if (e != ETIMEDOUT) return e;
    }
    return ETIMEDOUT;
}

/* glibc's types of C11 are its own of POSIX under other names. */
int cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex,
                  const struct timespec *restrict until)
{
    int e = pthread_cond_timedwait((pthread_cond_t *)cond, (pthread_mutex_t *)mutex, until);
    return e == 0 ? thrd_success : e == ETIMEDOUT ? thrd_timedout : thrd_error;
}
