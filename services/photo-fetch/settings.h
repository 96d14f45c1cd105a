/* settings -- photo-fetch's settings as a struct; see conf.def. */
#pragma once
#include "common/io/conf.h"
#include "common/pure/photo.h"

struct photo_fetch_settings {
#define CONF CF_CONF_FIELD
#include "services/photo-fetch/conf.def"
#undef CONF
};

static inline struct cf_photo_limits photo_fetch_limits(const struct photo_fetch_settings *s)
{
    struct cf_photo_limits l = cf_photo_limits_default();
    l.width = (uint32_t)s->photo_width;
    l.height = (uint32_t)s->photo_height;
    l.dpi = (uint32_t)s->photo_dpi;
    l.min_bytes = (size_t)s->photo_min_bytes;
    l.max_bytes = (size_t)s->photo_max_bytes;
    l.white_min = (uint32_t)s->photo_white_min;
    return l;
}
