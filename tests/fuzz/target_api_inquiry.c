/* inquiry's routes. */
#include "services/inquiry/api.h"
#include "services/inquiry/codec.h"
#include "tests/fuzz/api_run.h"
#include "tests/fuzz/fuzz.h"

/* The section of a source: the application of the id that stands for a good one, a card. */
static struct cf_str section(struct cf_arena *a, enum inquiry_source source, unsigned variant)
{
    static const uint8_t id[16] = {0x01, 0x89, 0, 0,    0,    0,    0x70, 0,
                                   0x80, 0,    1, 0x23, 0x45, 0x67, 0x89, 0xab};
    struct inquiry_mark mark = {.state = CF_APP_ACCEPTED, .at = INT64_C(1774000000000)};
    struct inquiry_entry entry = {.kind = CF_KIND_FIRST_ISSUE,
                                  .state = CF_APP_ACCEPTED,
                                  .accepted = true,
                                  .receipt_no = CF_STR("123456789013"),
                                  .accepted_on = 20532,
                                  .due_on = 20541,
                                  .marks = &mark,
                                  .n_marks = 1};
    struct inquiry_card card = {.no = CF_STR("B00000019"),
                                .bank = CF_STR("B01"),
                                .state = CF_CARD_NORMAL,
                                .valid_until = 24000};
    struct inquiry_section s = {0};
    memcpy(entry.id, id, 16);
    if (source == INQUIRY_INTAKE && variant != 3) s.entries = &entry, s.n_entries = 1;
    if (source == INQUIRY_PRODUCTION && variant) s.cards = &card, s.n_cards = 1;
    return inquiry_codec_section_pack(a, &s);
}

/* A document; one whose sections cannot be read; one that knows the application no more. */
static void row(struct fuzz_row *row, size_t statement, int n, unsigned variant)
{
    if (n > 0 || statement == FUZZ_WAITED) return;
    struct cf_arena *a = cf_arena_new(1 << 20);
    fuzz_column(row, "key", CF_STR("a key of sixteen"));
    fuzz_number(row, "version", 8, 3);
    fuzz_number(row, "as_of", 8, INT64_C(1774000000000));
    for (int i = 0; i < INQUIRY_SOURCES; i++)
        fuzz_column(row, "section",
                    variant == 2 ? CF_STR("\xff\xff")
                                 : section(a, (enum inquiry_source)i, variant));
    fuzz_column(row, "past", variant == 2 ? CF_STR("\xff") : (struct cf_str){0});
    cf_arena_free(a);
}

void fuzz_api(struct cf_app *app, struct fuzz_api *out)
{
    static struct inquiry_front front;
    static struct inquiry_counts counts;
    struct cf_outlets_error error;
    const struct inquiry_cache_conf cache = {app->common.redis_url, 20, 256};
    front.app = app;
    front.long_lived = cf_arena_new(16 << 20);
    front.settings.service_phones = "12333,12345";
    MUST(!cf_outlets_load(front.long_lived, fuzz_data("outlets.csv"), &front.outlets, &error));
    front.env = (struct inquiry_env){.counts = &counts};
    front.cache = inquiry_cache_new(app, &cache);
    front.auditor = inquiry_auditor_new(app, 1000);
    app->own = &front;
    inquiry_api_routes(&front);
    *out = (struct fuzz_api){inquiry_service(&front.env), row, NULL};
}
