/* api_keys -- who may call: clients, their keys, their scopes.
 *
 * File: a JSON array of {"name", "key" or "key_sha256" (hex), "scopes": [..], "channels": [..]?,
 * "may_backdate": true?}. The scope "*" stands for all, an absent channel list for all.
 *
 * Owns     a struct cf_client lives as long as its struct cf_api_keys
 * Threads  one struct cf_api_keys is one thread's; every thread loads its own
 * Errors   CF_E_CONFIG with *why: client by number, rule, cure; never a key
 */
#pragma once
#include "common/pure/error.h"
#include "common/pure/str.h"

struct cf_api_keys;

struct cf_client {
    const char *name;
    const char *const *scopes;   /* NULL-terminated */
    const char *const *channels; /* NULL-terminated; NULL: every channel */
    bool may_backdate;
};

void cf_api_keys_free(struct cf_api_keys *k);
/* From the bytes of the file; why has room for 200 bytes. */
int cf_api_keys_parse(struct cf_str json, struct cf_api_keys **out, char why[200]) CF_MUST;
int cf_api_keys_load(const char *path, struct cf_api_keys **out, char why[200]) CF_MUST;
/* The client with this key, or NULL. Takes the same time whichever key fits. */
const struct cf_client *cf_api_keys_find(const struct cf_api_keys *k, struct cf_str key);
bool cf_client_may(const struct cf_client *c, const char *scope);
bool cf_client_channel(const struct cf_client *c, const char *channel);
