/* Photos that come with an application or a supplement. */
#include "common/pure/photo.h"
#include "services/intake/api.h"
#include "services/intake/photos.h"

enum { BASE64_MAX = (64 << 10) / 3 * 4 };

struct cf_str intake_photo_in(struct cf_in *in, const struct intake_front *front)
{
    struct cf_str photo = cf_in_text(in, "photo_base64", CF_OPTIONAL, 0, BASE64_MAX);
    if (photo.len && !front->photos)
        cf_in_wrong(in, "photo_base64", "is not taken here",
                    "Send it by PUT /v1/applications/{application_id}/photo once it is accepted.");
    return photo;
}

static void put(void *arg, int e, const uint8_t ref[16], uint32_t reasons)
{
    struct intake_write *w = arg;
    if (e)
        cf_problem_away(w->req, "photo-fetch");
    else
        w->photo_done(w, ref, reasons);
}

void intake_photo_put(struct intake_write *w, const struct cf_key *key, struct cf_str base64,
                      void (*done)(struct intake_write *w, const uint8_t ref[16],
                                   uint32_t reasons))
{
    static const uint8_t none[16];
    struct cf_str jpeg;
    uint32_t partitions = (uint32_t)w->front->app->partitions;
    w->photo_done = done;
    if (!intake_photo_decode(w->req->arena, base64, &jpeg))
        done(w, none, CF_PHOTO_BAD_NOT_A_JPEG);
    else if (intake_photos_put(w->front->photos, (int16_t)cf_key_partition(key, partitions), jpeg,
                               put, w))
        cf_problem_away(w->req, "photo-fetch");
}
