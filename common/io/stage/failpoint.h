/* failpoint -- named places where a test build can be made to fail.
 *
 * CARDFLOW_FAILPOINTS="before_commit=kill@3,after_commit=stop" : the action is done the third
 * time the place is passed. Actions: kill (SIGKILL to itself), stop (SIGSTOP), unknown (the
 * outcome of a commit is reported as unknown), db (the database is reported as away), exit.
 * In a build without CARDFLOW_TEST_HOOKS there is nothing.
 *
 * Errors   0, or the error that the action stands for
 */
#pragma once

#ifdef CARDFLOW_TEST_HOOKS
int cf_failpoint(const char *name) __attribute__((warn_unused_result));
#else
static inline int cf_failpoint(const char *name)
{
    (void)name;
    return 0;
}
#endif
