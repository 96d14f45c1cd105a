/* dies -- whether a call ends the process by abort(), and what it says before.
 *
 * The call runs in a child, so that the test goes on; include cmocka.h first.
 */
#pragma once
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DIES_STATUS 77

/* An ordinary end, so that what the child has run is counted by gcov. */
static inline void dies_end(int signal_no)
{
    (void)signal_no;
    exit(DIES_STATUS);
}

static inline void dies_in_child(void (*call)(void), int to)
{
    dup2(to, STDERR_FILENO);
    signal(SIGABRT, dies_end);
    call();
    _exit(0);
}

/* true: it ended by abort(), with `why` among its last words. */
static inline bool dies(void (*call)(void), const char *why)
{
    int ends[2], status = 0;
    char said[1024];
    size_t n = 0;
    if (pipe(ends) != 0) return false;
    pid_t child = fork();
    if (child == 0) dies_in_child(call, ends[1]);
    close(ends[1]);
    for (ssize_t got; n < sizeof said - 1; n += (size_t)got)
        if ((got = read(ends[0], said + n, sizeof said - 1 - n)) <= 0) break;
    said[n] = 0;
    close(ends[0]);
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == DIES_STATUS && strstr(said, why);
}
