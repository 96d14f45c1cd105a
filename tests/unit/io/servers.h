/* servers -- a Redis and a PostgreSQL of the test's own: started, killed, frozen, started again.
 *
 * Data lie in a new directory below TMPDIR or /tmp; servers listen on a free port of 127.0.0.1 and
 * on a socket in that directory. As root they run as postgres, cardflow or nobody. A server ends
 * with the test, whatever becomes of it.
 *
 * Errors   a binary that is not there, or a server that does not come up, ends the test with a
 *          plain message: without servers these tests would show nothing
 */
#pragma once
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <libpq-fe.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SERVERS_FN __attribute__((unused)) static

/* How much longer our own code may take: ThreadSanitizer looks at every access. */
#ifdef __SANITIZE_THREAD__
enum { SERVERS_SLOWER = 5 };
#else
enum { SERVERS_SLOWER = 1 };
#endif

enum server_kind { SERVER_REDIS, SERVER_POSTGRES };

struct server {
    enum server_kind kind;
    pid_t pid; /* 0: not running */
    int port;
    char dir[64];
    char url[160];        /* Redis: redis://127.0.0.1:port; PostgreSQL: DSN over TCP */
    char socket_url[160]; /* the same over the Unix socket */
};

SERVERS_FN _Noreturn void servers_die(const char *what, const char *detail)
{
    fprintf(stderr, "test servers: %s: %s\n", what, detail);
    exit(1);
}

SERVERS_FN void server_sleep_ms(long ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    while (nanosleep(&t, &t) && errno == EINTR) {
    }
}

SERVERS_FN int server_free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, len) ||
        getsockname(fd, (struct sockaddr *)&a, &len))
        servers_die("no free port", strerror(errno));
    close(fd);
    return ntohs(a.sin_port);
}

SERVERS_FN void server_binary(const char *name, char out[PATH_MAX])
{
    glob_t g = {0};
    char pattern[128];
    snprintf(pattern, sizeof pattern, "/usr/lib/postgresql/*/bin/%s", name);
    if (glob(pattern, 0, NULL, &g) == 0) {
        snprintf(out, PATH_MAX, "%s", g.gl_pathv[g.gl_pathc - 1]);
        globfree(&g);
        return;
    }
    const char *path = getenv("PATH");
    while (path && *path) {
        size_t n = strcspn(path, ":");
        snprintf(out, PATH_MAX, "%.*s/%s", (int)n, path, name);
        if (access(out, X_OK) == 0) return;
        path += n + (path[n] == ':');
    }
    servers_die(name, "not found in PATH or /usr/lib/postgresql/*/bin; install it");
}

SERVERS_FN const struct passwd *server_user(void)
{
    const struct passwd *u = getpwnam("postgres");
    if (!u) u = getpwnam("cardflow");
    if (!u) u = getpwnam("nobody");
    if (!u) servers_die("users", "none of postgres, cardflow, nobody");
    return u;
}

/* fork and exec with output to dir/log; ends with this process. */
SERVERS_FN pid_t server_spawn(const char *dir, char *const argv[])
{
    const struct passwd *user = getuid() == 0 ? server_user() : NULL;
    pid_t parent = getpid(), pid = fork();
    if (pid < 0) servers_die("fork", strerror(errno));
    if (pid) return pid;
    char log[96];
    snprintf(log, sizeof log, "%s/log", dir);
    if (user && (setgid(user->pw_gid) || setuid(user->pw_uid))) _exit(126);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0 || chdir(dir)) _exit(126);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(argv[0], argv);
    _exit(127);
}

SERVERS_FN void server_dir(struct server *s)
{
    const char *tmp = getenv("TMPDIR");
    /* A Unix socket's path has room for about a hundred characters. */
    if (!tmp || strlen(tmp) > 30) tmp = "/tmp";
    snprintf(s->dir, sizeof s->dir, "%s/cf-servers-XXXXXX", tmp);
    if (!mkdtemp(s->dir)) servers_die(s->dir, strerror(errno));
    if (getuid() == 0) {
        const struct passwd *u = server_user();
        if (chown(s->dir, u->pw_uid, u->pw_gid)) servers_die(s->dir, strerror(errno));
    }
    s->port = server_free_port();
}

/* The server's processes: itself and its children (PostgreSQL's backends). */
SERVERS_FN size_t server_pids(const struct server *s, pid_t *pids, size_t max)
{
    char path[64];
    size_t n = 0;
    if (s->pid <= 0) return 0;
    pids[n++] = s->pid;
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", s->pid, s->pid);
    FILE *f = fopen(path, "r");
    for (int pid; f && n < max && fscanf(f, "%d", &pid) == 1;)
        pids[n++] = pid;
    if (f) fclose(f);
    return n;
}

SERVERS_FN void server_signal(const struct server *s, int sig)
{
    pid_t pids[128];
    size_t n = server_pids(s, pids, 128);
    for (size_t i = 0; i < n; i++)
        kill(pids[i], sig);
}

SERVERS_FN void server_freeze(const struct server *s)
{
    server_signal(s, SIGSTOP);
}

SERVERS_FN void server_thaw(const struct server *s)
{
    server_signal(s, SIGCONT);
}

/* kill -9 of the server and its children. */
SERVERS_FN void server_kill(struct server *s)
{
    if (s->pid <= 0) return;
    server_signal(s, SIGKILL);
    waitpid(s->pid, NULL, 0);
    s->pid = 0;
}

SERVERS_FN int server_unlink(const char *path, const struct stat *st, int flag, struct FTW *at)
{
    (void)st, (void)flag, (void)at;
    return remove(path);
}

/* The end: no process and no file remains. */
SERVERS_FN void server_stop(struct server *s)
{
    server_kill(s);
    if (s->dir[0]) nftw(s->dir, server_unlink, 16, FTW_DEPTH | FTW_PHYS);
    s->dir[0] = 0;
}

SERVERS_FN bool server_ended(struct server *s)
{
    if (waitpid(s->pid, NULL, WNOHANG) != s->pid) return false;
    s->pid = 0;
    return true;
}

/* ---- Redis --------------------------------------------------------------------------------- */

SERVERS_FN bool server_redis_answers(const struct server *s)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)s->port),
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    char answer[8] = {0};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = connect(fd, (struct sockaddr *)&a, sizeof a) == 0 &&
                send(fd, "PING\r\n", 6, MSG_NOSIGNAL) == 6 && recv(fd, answer, 7, 0) == 7 &&
                strncmp(answer, "+PONG", 5) == 0;
    close(fd);
    return good;
}

/* Starts again on the same port after server_kill; the data are gone, as nothing is saved. */
SERVERS_FN void server_redis_again(struct server *s)
{
    char bin[PATH_MAX], port[16], sock[96];
    server_binary("redis-server", bin);
    snprintf(port, sizeof port, "%d", s->port);
    snprintf(sock, sizeof sock, "%s/redis.sock", s->dir);
    char *const argv[] = {bin,
                          (char[]){"--port"},
                          port,
                          (char[]){"--bind"},
                          (char[]){"127.0.0.1"},
                          (char[]){"--unixsocket"},
                          sock,
                          (char[]){"--save"},
                          (char[]){""},
                          (char[]){"--appendonly"},
                          (char[]){"no"},
                          (char[]){"--dir"},
                          s->dir,
                          (char[]){"--io-threads"},
                          (char[]){"1"},
                          NULL};
    s->pid = server_spawn(s->dir, argv);
    for (int i = 0; i < 500; i++) {
        if (server_redis_answers(s)) return;
        if (server_ended(s)) break;
        server_sleep_ms(10);
    }
    servers_die("redis-server does not come up; see log in", s->dir);
}

SERVERS_FN void server_redis_start(struct server *s)
{
    *s = (struct server){.kind = SERVER_REDIS};
    server_dir(s);
    snprintf(s->url, sizeof s->url, "redis://127.0.0.1:%d", s->port);
    snprintf(s->socket_url, sizeof s->socket_url, "unix://%s/redis.sock", s->dir);
    server_redis_again(s);
}

/* ---- PostgreSQL ---------------------------------------------------------------------------- */

/* Starts again after server_kill on the same data. */
SERVERS_FN void server_postgres_again(struct server *s)
{
    char bin[PATH_MAX], port[16], data[96], sock[128];
    server_binary("postgres", bin);
    snprintf(port, sizeof port, "%d", s->port);
    snprintf(data, sizeof data, "%s/data", s->dir);
    snprintf(sock, sizeof sock, "unix_socket_directories=%s", s->dir);
    char *const argv[] = {bin,
                          (char[]){"-D"},
                          data,
                          (char[]){"-p"},
                          port,
                          (char[]){"-c"},
                          (char[]){"listen_addresses=127.0.0.1"},
                          (char[]){"-c"},
                          sock,
                          (char[]){"-c"},
                          (char[]){"shared_buffers=16MB"},
                          (char[]){"-c"},
                          (char[]){"max_connections=20"},
                          NULL};
    for (int i = 0; i < 1500; i++) {
        /* Just after a kill the old backends may still hold the data: then it ends, try again. */
        if (s->pid <= 0 || server_ended(s)) s->pid = server_spawn(s->dir, argv);
        if (PQping(s->url) == PQPING_OK) return;
        server_sleep_ms(20);
    }
    servers_die("postgres does not come up; see log in", s->dir);
}

SERVERS_FN void server_postgres_start(struct server *s)
{
    char bin[PATH_MAX], data[96];
    int status = -1;
    *s = (struct server){.kind = SERVER_POSTGRES};
    server_dir(s);
    snprintf(s->url, sizeof s->url, "host=127.0.0.1 port=%d user=cardflow dbname=postgres",
             s->port);
    snprintf(s->socket_url, sizeof s->socket_url, "host=%s port=%d user=cardflow dbname=postgres",
             s->dir, s->port);
    server_binary("initdb", bin);
    snprintf(data, sizeof data, "%s/data", s->dir);
    char *const argv[] = {bin,
                          (char[]){"-D"},
                          data,
                          (char[]){"-U"},
                          (char[]){"cardflow"},
                          (char[]){"-A"},
                          (char[]){"trust"},
                          (char[]){"-E"},
                          (char[]){"UTF8"},
                          (char[]){"--no-locale"},
                          (char[]){"-N"},
                          NULL};
    pid_t pid = server_spawn(s->dir, argv);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        servers_die("initdb failed; see log in", s->dir);
    server_postgres_again(s);
}

SERVERS_FN void server_no_notice(void *arg, const PGresult *res)
{
    (void)arg, (void)res;
}

/* One command over a connection of its own; what it answers in the first column, as a number. */
SERVERS_FN long server_sql(const struct server *s, const char *sql)
{
    PGconn *c = PQconnectdb(s->url);
    PQsetNoticeReceiver(c, server_no_notice, NULL);
    PGresult *res = PQexec(c, sql);
    ExecStatusType got = PQresultStatus(res);
    if (got != PGRES_COMMAND_OK && got != PGRES_TUPLES_OK)
        servers_die("SQL of the test failed", PQerrorMessage(c));
    long n = PQntuples(res) > 0 ? strtol(PQgetvalue(res, 0, 0), NULL, 10) : 0;
    PQclear(res);
    PQfinish(c);
    return n;
}
