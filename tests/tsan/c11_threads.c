/* c11_threads -- C11 threads on top of POSIX ones, in programs built with ThreadSanitizer.
 *
 * librdkafka makes threads, locks and conditions by <threads.h>. The sanitizer watches only the
 * calls of <pthread.h>: a thread that it was not told of crashes in the first call it watches, and
 * an order made by a lock that it did not see looks like a race. In glibc both kinds are the same
 * object, so that each function here is the POSIX one by another name.
 *
 * Source   glibc 2.34 and newer: thrd_t is pthread_t; mtx_t, cnd_t hold what the POSIX types hold */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

_Static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t), "a mtx_t holds a pthread_mutex_t");
_Static_assert(sizeof(cnd_t) >= sizeof(pthread_cond_t), "a cnd_t holds a pthread_cond_t");

/* Of the sanitizer's own library; no header of the compiler declares them. */
void AnnotateIgnoreWritesBegin(const char *file, int line);
void AnnotateIgnoreWritesEnd(const char *file, int line);

struct birth {
    thrd_start_t run;
    void *arg;
};

static void unseen_begin(void)
{
    AnnotateIgnoreWritesBegin(__FILE__, __LINE__);
}

static void unseen_end(void)
{
    AnnotateIgnoreWritesEnd(__FILE__, __LINE__);
}

static int thrd_code(int e)
{
    switch (e) {
    case 0: return thrd_success;
    case EBUSY: return thrd_busy;
    case ENOMEM: return thrd_nomem;
    case ETIMEDOUT: return thrd_timedout;
    default: return thrd_error;
    }
}

static void *born(void *arg)
{
    struct birth birth = *(struct birth *)arg;
    free(arg);
    return (void *)(intptr_t)birth.run(birth.arg);
}

int thrd_create(thrd_t *thread, thrd_start_t run, void *arg)
{
    struct birth *birth = malloc(sizeof *birth);
    if (!birth) return thrd_nomem;
    *birth = (struct birth){run, arg};
    int e = pthread_create(thread, NULL, born, birth);
    if (e) free(birth);
    return e == EAGAIN ? thrd_nomem : thrd_code(e);
}

int thrd_join(thrd_t thread, int *result)
{
    void *got = NULL;
    int e = pthread_join(thread, &got);
    if (!e && result) *result = (int)(intptr_t)got;
    return thrd_code(e);
}

int mtx_init(mtx_t *lock, int kind)
{
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    if (kind & mtx_recursive) pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_RECURSIVE);
    unseen_begin();
    int e = pthread_mutex_init((pthread_mutex_t *)lock, &attr);
    unseen_end();
    pthread_mutexattr_destroy(&attr);
    return thrd_code(e);
}

void mtx_destroy(mtx_t *lock)
{
    unseen_begin();
    pthread_mutex_destroy((pthread_mutex_t *)lock);
    unseen_end();
}

int mtx_lock(mtx_t *lock)
{
    return thrd_code(pthread_mutex_lock((pthread_mutex_t *)lock));
}

int mtx_unlock(mtx_t *lock)
{
    return thrd_code(pthread_mutex_unlock((pthread_mutex_t *)lock));
}

int cnd_init(cnd_t *changed)
{
    unseen_begin();
    int e = pthread_cond_init((pthread_cond_t *)changed, NULL);
    unseen_end();
    return thrd_code(e);
}

void cnd_destroy(cnd_t *changed)
{
    unseen_begin();
    pthread_cond_destroy((pthread_cond_t *)changed);
    unseen_end();
}

int cnd_signal(cnd_t *changed)
{
    return thrd_code(pthread_cond_signal((pthread_cond_t *)changed));
}

int cnd_broadcast(cnd_t *changed)
{
    return thrd_code(pthread_cond_broadcast((pthread_cond_t *)changed));
}

int cnd_wait(cnd_t *changed, mtx_t *lock)
{
    return thrd_code(pthread_cond_wait((pthread_cond_t *)changed, (pthread_mutex_t *)lock));
}

int cnd_timedwait(cnd_t *restrict changed, mtx_t *restrict lock,
                  const struct timespec *restrict until)
{
    return thrd_code(
        pthread_cond_timedwait((pthread_cond_t *)changed, (pthread_mutex_t *)lock, until));
}

void call_once(once_flag *flag, void (*once)(void))
{
    pthread_once((pthread_once_t *)flag, once);
}
