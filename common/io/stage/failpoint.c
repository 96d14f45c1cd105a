#include "common/io/stage/failpoint.h"

#ifdef CARDFLOW_TEST_HOOKS
#include "common/pure/error.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POINTS = 16 };

static struct point {
    char name[48], action[16];
    int at;
    atomic_int passed;
} points[POINTS];
static int n_points = -1;

static void read_points(void)
{
    const char *text = getenv("CARDFLOW_FAILPOINTS");
    n_points = 0;
    while (text && *text && n_points < POINTS) {
        struct point *p = &points[n_points];
        p->at = 1;
        if (sscanf(text, "%47[^=]=%15[^@,]@%d", p->name, p->action, &p->at) >= 2) n_points++;
        text = strchr(text, ',');
        if (text) text++;
    }
}

static int act(const char *action)
{
    if (!strcmp(action, "kill")) kill(getpid(), SIGKILL);
    if (!strcmp(action, "stop")) kill(getpid(), SIGSTOP);
    if (!strcmp(action, "exit")) _exit(3);
    if (!strcmp(action, "unknown")) return CF_E_UNKNOWN;
    if (!strcmp(action, "db")) return CF_E_DB;
    return 0;
}

int cf_failpoint(const char *name)
{
    if (n_points < 0) read_points(); /* the stage thread is the only caller */
    for (int i = 0; i < n_points; i++)
        if (!strcmp(points[i].name, name) &&
            atomic_fetch_add(&points[i].passed, 1) + 1 == points[i].at)
            return act(points[i].action);
    return 0;
}
#endif
