/* The program that draws papers: started when needed, asked over a socket, one paper after another.
 *
 * Both ways a frame is its length, 4 bytes with the highest first, and that many bytes; an answer
 * of length 0 says that the paper cannot be drawn. */
#include "common/io/log.h"
#include "common/io/paper.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAITING_MAX = 64, ANSWER_S = 10, IDLE_S = 60, PDF_MAX = 4 << 20 };

struct job {
    STAILQ_ENTRY(job) next;
    cf_printed *done;
    void *arg;
};

STAILQ_HEAD(jobs, job);

struct cf_printer {
    struct event_base *base;
    char *program;
    struct bufferevent *link; /* NULL: not running */
    pid_t pid;
    struct jobs jobs;
    size_t waiting;
};

/* So much time until the next answer, or until the program is not needed. */
static void patience(struct cf_printer *p, int seconds)
{
    bufferevent_set_timeouts(p->link, &(struct timeval){.tv_sec = seconds}, NULL);
}

static void finish(struct cf_printer *p, int e, struct cf_str pdf)
{
    struct job *job = STAILQ_FIRST(&p->jobs);
    STAILQ_REMOVE_HEAD(&p->jobs, next);
    p->waiting--;
    job->done(job->arg, e, pdf);
    free(job);
}

/* The program has closed its end or is hung: either way it is over soon, and waited for. */
static void stop(struct cf_printer *p)
{
    bufferevent_free(p->link);
    p->link = NULL;
    kill(p->pid, SIGKILL);
    while (waitpid(p->pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

static void over(struct cf_printer *p)
{
    struct jobs lost = STAILQ_HEAD_INITIALIZER(lost);
    stop(p);
    if (p->waiting) cf_log(LOG_WARN, "printer.lost", F("papers", p->waiting));
    /* A callback may ask for another paper: that is for the next program. */
    STAILQ_CONCAT(&lost, &p->jobs);
    p->waiting = 0;
    struct job *job;
    while ((job = STAILQ_FIRST(&lost))) {
        STAILQ_REMOVE_HEAD(&lost, next);
        job->done(job->arg, CF_E_NET, (struct cf_str){0});
        free(job);
    }
}

static void readable(struct bufferevent *link, void *arg)
{
    struct cf_printer *p = arg;
    struct evbuffer *in = bufferevent_get_input(link);
    uint32_t n;
    while (evbuffer_copyout(in, &n, sizeof n) == sizeof n) {
        n = __builtin_bswap32(n);
        if (n > PDF_MAX || !p->waiting) {
            over(p);
            return;
        }
        if (evbuffer_get_length(in) < sizeof n + n) return;
        evbuffer_drain(in, sizeof n);
        const char *pdf = (const char *)evbuffer_pullup(in, (ev_ssize_t)n);
        finish(p, n ? 0 : CF_E_DATA, (struct cf_str){pdf, n});
        evbuffer_drain(in, n);
        if (!p->waiting) patience(p, IDLE_S);
    }
}

static void happened(struct bufferevent *link, short what, void *arg)
{
    struct cf_printer *p = arg;
    bool slow = what & BEV_EVENT_TIMEOUT;
    (void)link;
    if (slow && !p->waiting) {
        stop(p); /* nothing was asked: its memory goes back */
        return;
    }
    if (slow) cf_log(LOG_WARN, "printer.slow", F("after_s", (int)ANSWER_S));
    over(p);
}

static int spawn(struct cf_printer *p, int fd)
{
    /* The service's own environment holds secrets. */
    static char path[] = "PATH=/usr/bin:/bin", locale[] = "LC_ALL=C.UTF-8",
                cache[] = "XDG_CACHE_HOME=/nonexistent";
    char *const argv[] = {p->program, NULL}, *const env[] = {path, locale, cache, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    sigset_t none;
    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    int e = posix_spawn(&p->pid, p->program, &actions, &attr, argv, env);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attr);
    return e;
}

static int start(struct cf_printer *p)
{
    int fd[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd)) return CF_E_NET;
    int e = spawn(p, fd[1]);
    close(fd[1]);
    if (e) {
        cf_log(LOG_ERROR, "printer.not_started", F("program", p->program), F("why", strerror(e)),
               F("cure", "put cardflow-paper beside the service's program"));
        close(fd[0]);
        return CF_E_NET;
    }
    evutil_make_socket_nonblocking(fd[0]);
    p->link = bufferevent_socket_new(p->base, fd[0], BEV_OPT_CLOSE_ON_FREE);
    if (!p->link) CF_BUG("out of memory");
    bufferevent_setcb(p->link, readable, NULL, happened, p);
    bufferevent_enable(p->link, EV_READ | EV_WRITE);
    return 0;
}

int cf_printer_print(struct cf_printer *p, const struct cf_paper *paper, cf_printed *done,
                     void *arg)
{
    if (paper->text.full) return CF_E_TOO_LARGE;
    if (p->waiting >= WAITING_MAX) return CF_E_NET;
    int e = p->link ? 0 : start(p);
    if (e) return e;
    struct job *job = cf_malloc(sizeof *job);
    *job = (struct job){.done = done, .arg = arg};
    STAILQ_INSERT_TAIL(&p->jobs, job, next);
    if (p->waiting++ == 0) patience(p, ANSWER_S);
    uint32_t n = __builtin_bswap32((uint32_t)paper->text.len);
    if (bufferevent_write(p->link, &n, sizeof n) ||
        bufferevent_write(p->link, paper->text.ptr, paper->text.len))
        CF_BUG("out of memory");
    return 0;
}

static char *beside(void)
{
    char own[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", own, sizeof own - 1);
    while (n > 0 && own[n - 1] != '/')
        n--;
    if (n <= 0) CF_BUG("the program that runs has no path");
    struct cf_buf path;
    cf_buf_init(&path, 2 * PATH_MAX);
    cf_buf_printf(&path, "%.*scardflow-paper", (int)n, own);
    char *z = cf_calloc(1, path.len + 1);
    memcpy(z, path.ptr, path.len);
    cf_buf_free(&path);
    return z;
}

struct cf_printer *cf_printer_new(struct cf_loop *loop, const char *program)
{
    struct cf_printer *p = cf_calloc(1, sizeof *p);
    p->base = cf_loop_base(loop);
    p->program = program ? strdup(program) : beside();
    if (!p->program) CF_BUG("out of memory");
    STAILQ_INIT(&p->jobs);
    return p;
}

/* With the server that it answers for: whoever waits is gone already. */
void cf_printer_free(struct cf_printer *p)
{
    struct job *job;
    if (!p) return;
    if (p->link) stop(p);
    while ((job = STAILQ_FIRST(&p->jobs))) {
        STAILQ_REMOVE_HEAD(&p->jobs, next);
        free(job);
    }
    free(p->program);
    free(p);
}

/* ---- answers ---------------------------------------------------------------------------------- */

static void printed(void *arg, int e, struct cf_str pdf)
{
    if (e)
        cf_problem_away(arg, "printer");
    else
        cf_answer(arg, 200, CF_PDF, pdf);
}

void cf_answer_paper(struct cf_request *req, struct cf_printer *p, struct cf_paper *paper)
{
    cf_answer_header(req, "Content-Language", cf_str_of(paper->lang == CF_LANG_EN ? "en" : "zh"));
    if (cf_printer_print(p, paper, printed, req)) cf_problem_away(req, "printer");
    cf_paper_free(paper);
}
