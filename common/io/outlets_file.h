/* outlets_file -- the banks' outlets from their file, at start.
 *
 * Owns     texts live in the arena
 * Errors   CF_E_CONFIG; file, line and cause are logged
 * Limits   a file of 4 MiB
 */
#pragma once
#include "common/pure/outlets.h"

int cf_outlets_read(struct cf_arena *arena, const char *path, struct cf_outlets *out) CF_MUST;
