/* cardctl -- small things an operator or an outside producer needs on a command line.
 *
 * Errors   exit codes: 0 done, 1 could not (why on standard error), 2 wrong use
 * Limits   personal data comes in on standard input only, never as an argument
 */
#pragma once
#include "common/pure/str.h"

#include <stdio.h>

/* The value of --name; NULL when absent. */
const char *cardctl_option(int argc, char **argv, const char *name);
bool cardctl_flag(int argc, char **argv, const char *name);
/* The value of --name, or of the variable; says on standard error when both are absent. */
const char *cardctl_needed(int argc, char **argv, const char *name, const char *variable);
/* 1..max, or -1 after a message. */
int cardctl_number(int argc, char **argv, const char *name, int fallback, int max);
int cardctl_fail(const char *what, const char *why);

/* One command a function; argv begins behind the command's words. */
int cardctl_holder_ref(int argc, char **argv);
int cardctl_seal(int argc, char **argv);
int cardctl_topics_create(int argc, char **argv);
int cardctl_parked_list(int argc, char **argv);
int cardctl_parked_show(int argc, char **argv);
int cardctl_parked_redrive(int argc, char **argv);
int cardctl_parked_drop(int argc, char **argv);
int cardctl_dlq_list(int argc, char **argv);
int cardctl_dlq_show(int argc, char **argv);
int cardctl_dlq_redrive(int argc, char **argv);
int cardctl_dlq_drop(int argc, char **argv);
int cardctl_deadlines_recalculate(int argc, char **argv);
int cardctl_notices_list(int argc, char **argv);
int cardctl_bank_export(int argc, char **argv);
int cardctl_bank_import(int argc, char **argv);
int cardctl_channels(int argc, char **argv);
