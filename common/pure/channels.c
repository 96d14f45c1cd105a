#include "common/pure/channels.h"

static const struct cf_matrix_row rows[] = {
#define X(value, name, channels) {"application", name, (channels)},
    CF_MATRIX_APPLICATIONS(X)
#undef X
#define X(value, name, channels) {"card", name, (channels)},
        CF_MATRIX_OPERATIONS(X)
#undef X
};

const struct cf_matrix_row *cf_matrix(size_t *n)
{
    *n = sizeof rows / sizeof *rows;
    return rows;
}

bool cf_matrix_may(unsigned channels, enum cf_channel channel)
{
    return channel >= CF_CHANNEL_NONE && channel < CF_CHANNEL_COUNT && (channels >> channel & 1);
}
