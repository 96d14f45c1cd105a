#include "services/intake/photos.h"

#include "common/io/json.h"
#include "common/pure/keys.h"
#include "common/pure/photo.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>

struct intake_photos {
    struct cf_partner *partner;
    struct cf_arena *scratch;
    char authorization[600];
};

struct putting {
    struct intake_photos *photos;
    intake_photo_done *done;
    void *arg;
};

/* {photo_ref, reasons}; CF_E_DECODE. */
static int read_answer(struct intake_photos *p, struct cf_str body, uint8_t ref[16],
                       uint32_t *reasons)
{
    struct cf_json_error wrong;
    struct cf_field_errors errors = {0};
    json_t *root = cf_json_parse(body, &wrong);
    if (!root) return CF_E_DECODE;
    struct cf_in in = cf_in_of(root, p->scratch, &errors);
    const json_t *list = cf_in_array(&in, "reasons", CF_NEEDED, CF_PHOTO_REASON_COUNT);
    for (size_t i = 0; list && i < json_array_size(list); i++)
        *reasons |= cf_photo_reason_parse(cf_in_text_item(&in, "reasons", list, i, 1, 60));
    struct cf_str hex = cf_in_text(&in, "photo_ref", CF_OPTIONAL, 32, 32);
    bool good = !errors.n && (*reasons ? !hex.len : cf_unhex(hex, ref, 16));
    json_decref(root);
    cf_arena_reset(p->scratch);
    return good ? 0 : CF_E_DECODE;
}

static void answered(void *arg, const struct cf_call_result *r)
{
    struct putting x = *(struct putting *)arg;
    uint8_t ref[16] = {0};
    uint32_t reasons = 0;
    free(arg);
    int e = r->status == 200 ? read_answer(x.photos, r->body, ref, &reasons) : CF_E_NET;
    x.done(x.arg, e, ref, reasons);
}

int intake_photos_put(struct intake_photos *p, int16_t part, struct cf_str jpeg,
                      intake_photo_done *done, void *arg)
{
    char path[40];
    struct putting *x = cf_malloc(sizeof *x);
    *x = (struct putting){p, done, arg};
    snprintf(path, sizeof path, "/v1/internal/photos/%d", part);
    const struct cf_call c = {.method = "PUT", .path = path, .type = "image/jpeg", .body = jpeg};
    int e = cf_partner_call(p->partner, &c, answered, x);
    if (e) free(x);
    return e;
}

int intake_photos_new(struct cf_loop *loop, const struct intake_photos_conf *conf,
                      struct intake_photos **out)
{
    struct intake_photos *p = cf_calloc(1, sizeof *p);
    snprintf(p->authorization, sizeof p->authorization, "Bearer %s", conf->key);
    const struct cf_partner_conf partner = {.name = "photo-fetch",
                                            .url = conf->url,
                                            .authorization = p->authorization,
                                            .max_connections = 16,
                                            .timeout_ms = conf->timeout,
                                            .answer_max = 4096};
    p->scratch = cf_arena_new(1 << 20);
    int e = cf_partner_new(loop, &partner, &p->partner);
    if (e) {
        intake_photos_free(p);
        p = NULL;
    }
    *out = p;
    return e;
}

void intake_photos_free(struct intake_photos *p)
{
    if (!p) return;
    if (p->partner) cf_partner_free(p->partner);
    cf_arena_free(p->scratch);
    explicit_bzero(p->authorization, sizeof p->authorization);
    free(p);
}

bool intake_photo_decode(struct cf_arena *a, struct cf_str base64, struct cf_str *out)
{
    if (base64.len == 0 || base64.len % 4) return false;
    char *bytes = cf_arena_alloc(a, base64.len / 4 * 3);
    int n = EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)base64.ptr,
                            (int)base64.len);
    if (n < 0) return false;
    if (base64.ptr[base64.len - 1] == '=') n--;
    if (base64.ptr[base64.len - 2] == '=') n--;
    *out = (struct cf_str){bytes, (size_t)n};
    return true;
}
