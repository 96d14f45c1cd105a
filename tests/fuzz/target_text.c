/* Numbers, names, dates and other words of common/pure, each by the first byte of the input. */
#include "common/pure/cardnum.h"
#include "common/pure/cell.h"
#include "common/pure/fold.h"
#include "common/pure/hash.h"
#include "common/pure/keys.h"
#include "common/pure/kinds.h"
#include "common/pure/mask.h"
#include "common/pure/names.h"
#include "common/pure/phone.h"
#include "common/pure/reasons.h"
#include "common/pure/receipt.h"
#include "tests/fuzz/fuzz.h"

static void numbers(struct cf_str s)
{
    char norm[CF_IDNUM_MAX], again[CF_IDNUM_MAX];
    unsigned warnings = 0, none = 0;
    size_t n = cf_idnum_normalise(s, norm, &warnings);
    MUST(n < CF_IDNUM_MAX && norm[n] == 0);
    /* Pieces of malformed characters may come together; the check refuses them either way. */
    if (cf_utf8_valid(s)) {
        MUST(cf_idnum_normalise((struct cf_str){norm, n}, again, &none) == n);
        MUST(memcmp(norm, again, n) == 0 && none == 0);
    }
    MUST(warnings >> CF_WARN_COUNT == 0);
    cf_day today = cf_day_of_date(2026, 3, 2);
    for (int t = 0; t < CF_DOC_COUNT; t++) {
        struct cf_idnum id;
        cf_idnum_check((enum cf_doc_type)t, s, today, &id);
        MUST(id.reason < CF_ID_REASON_COUNT);
        MUST(cf_id_reason_name(id.reason) && cf_id_reason_code(id.reason));
        if (id.reason != CF_ID_OK) {
            MUST(!id.has_birth && !id.has_sex && id.birth_date == CF_DAY_NONE &&
                 id.sex == CF_SEX_NONE);
            continue;
        }
        /* A good number stays as it is, and its birthday is not ahead. */
        MUST(n == s.len && memcmp(norm, s.ptr, n) == 0 && warnings == 0);
        MUST(!id.has_birth || id.birth_date <= today);
        uint8_t in[CF_REF_INPUT_MAX];
        MUST(cf_ref_input((enum cf_doc_type)t, s, in) > s.len);
    }
    char mask[CF_MASK_MAX];
    MUST(cf_mask_number(s, mask) < CF_MASK_MAX);
    MUST(cf_mask_phone(s, mask) < CF_MASK_MAX);
    MUST(cf_mask_cardnum(s, mask) < CF_MASK_MAX);
}

static void names(struct cf_str s)
{
    struct cf_buf once, twice;
    unsigned warnings = 0, again = 0;
    char mask[CF_MASK_MAX];
    cf_buf_init(&once, 1 << 20);
    cf_buf_init(&twice, 1 << 20);
    if (cf_name_normalise(s, &once, &warnings)) {
        struct cf_str n = cf_buf_str(&once);
        enum cf_name_reason r = cf_name_check(n);
        MUST(r < CF_NAME_REASON_COUNT && cf_name_reason_name(r) && cf_name_reason_code(r));
        if (r == CF_NAME_OK) {
            MUST(cf_utf8_valid(n));
            MUST(cf_name_script(n) != CF_SCRIPT_NONE);
            /* A good name is normal already. */
            MUST(cf_name_normalise(n, &twice, &again));
            MUST(cf_str_eq(cf_buf_str(&twice), n) && again == 0);
        }
        /* What the check takes as it stands, normalising does not change. */
        if (cf_name_check(s) == CF_NAME_OK) MUST(cf_str_eq(n, s) && warnings == 0);
    }
    size_t n = cf_mask_name(s, mask);
    MUST(n < CF_MASK_MAX && mask[n] == 0);
    if (cf_utf8_valid(s)) MUST(cf_utf8_valid((struct cf_str){mask, n}));
    cf_buf_free(&once);
    cf_buf_free(&twice);
}

static void dates(struct cf_str s)
{
    cf_day day = 0;
    cf_ms ms = 0;
    unsigned warnings = 0;
    char text[30];
    if (cf_day_parse(s, &day)) {
        MUST(cf_str_is(s, cf_day_text(day, text)));
        struct cf_date d = cf_date_of_day(day);
        MUST(cf_date_real(d.year, d.month, d.day) && cf_day_of_date(d.year, d.month, d.day) == day);
        MUST(cf_day_of_ms(cf_ms_of_day(day)) == day && cf_minute_of_ms(cf_ms_of_day(day)) == 0);
        char zh[24];
        MUST(strlen(cf_day_text_zh(day, zh)) <= 18);
        MUST(cf_age_on(day, day) == 0);
    }
    if (cf_rfc3339_parse(s, &ms)) {
        cf_ms back = 0;
        struct cf_date d = cf_date_of_day(cf_day_of_ms(ms));
        if (d.year >= 1 && d.year <= 9999) {
            MUST(cf_rfc3339_parse(cf_str_of(cf_rfc3339_text(ms, text)), &back));
            MUST(back == ms);
        }
    }
    if (cf_cell_date(s, &day, &warnings))
        MUST(cf_day_parse(cf_str_of(cf_day_text(day, text)), &day));
    cf_cell_is_scientific(s);
    struct cf_str inner = cf_cell_text(s, &warnings);
    MUST(inner.len <= s.len);
}

static void ids(struct cf_str s)
{
    uint8_t id[16], back[16];
    char text[37], hex[33];
    struct cf_key key;
    if (cf_uuid_parse(s, id)) {
        cf_uuid_text(id, text);
        MUST(cf_uuid_parse(cf_str_of(text), back) && memcmp(id, back, 16) == 0);
        MUST(strncasecmp(text, s.ptr, 36) == 0);
        cf_hex(id, 16, hex);
        MUST(cf_unhex(cf_str_of(hex), back, 16) && memcmp(id, back, 16) == 0);
    }
    cf_unhex(s, id, 16);
    if (cf_key_bytes(s.ptr, s.len, &key)) {
        MUST(s.len >= 1 && s.len <= CF_KEY_MAX && cf_str_eq(cf_key_str(&key), s));
        MUST(cf_key_partition(&key, 12) < 12 &&
             cf_key_partition(&key, 12) == cf_partition_of(s.ptr, s.len, 12));
        MUST(cf_key_eq(&key, &key) && cf_key_cmp(&key, &key) == 0);
        cf_key_hash(&key);
    }
    if (cf_key_unit(s, &key)) MUST(key.len == s.len + 5);
    if (cf_key_bank(s, &key)) MUST(key.len == s.len + 5);
}

static void cards(struct cf_str s)
{
    static const uint8_t secret[16] = {3, 1, 4};
    char norm[CF_CARDNUM_MAX], made[CF_CARDNUM_LEN + 1], receipt[CF_RECEIPT_LEN + 2];
    unsigned warnings = 0;
    size_t n = cf_cardnum_normalise(s, norm, &warnings);
    MUST(n < CF_CARDNUM_MAX && norm[n] == 0);
    enum cf_cardnum_reason r = cf_cardnum_check(s);
    MUST(r < CF_CARDNUM_REASON_COUNT && cf_cardnum_reason_name(r));
    if (cf_cardnum_valid(s))
        MUST(s.len == CF_CARDNUM_LEN && cf_str_eq(s, (struct cf_str){norm, n}));
    if (s.len >= 9) {
        uint64_t x;
        memcpy(&x, s.ptr, 8);
        uint32_t serial = (uint32_t)(x % CF_CARDNUM_SERIALS);
        char area = (char)('A' + (uint8_t)s.ptr[8] % 26);
        MUST(cf_cardnum_make(area, serial, made) && cf_cardnum_valid(cf_str_of(made)));
        MUST(!cf_cardnum_make(area, CF_CARDNUM_SERIALS, made));
        x %= CF_RECEIPT_SPACE;
        MUST(cf_receipt_unscramble(secret, cf_receipt_scramble(secret, x)) == x);
        MUST(cf_receipt_make(secret, x, receipt) && cf_receipt_check(cf_str_of(receipt)));
        MUST(cf_receipt_make_prefixed(secret, 'V', x, receipt) &&
             cf_receipt_check_prefixed(cf_str_of(receipt), 'V'));
    }
    if (cf_receipt_check(s)) MUST(s.len == CF_RECEIPT_LEN);
    if (cf_receipt_check_prefixed(s, 'N')) MUST(s.len == CF_RECEIPT_LEN + 1 && s.ptr[0] == 'N');
    char phone[CF_PHONE_MAX], again[CF_PHONE_MAX];
    n = cf_phone_normalise(s, phone, &warnings);
    MUST(n < CF_PHONE_MAX);
    if (cf_utf8_valid(s))
        MUST(cf_phone_normalise((struct cf_str){phone, n}, again, &warnings) == n);
    if (cf_phone_check(s) == CF_PHONE_OK) MUST(s.len == 11 && s.ptr[0] == '1');
    cf_phone_reason_code(cf_phone_check(s));
}

static void utf8(struct cf_str s)
{
    struct cf_str rest = s;
    struct cf_buf b;
    bool good = true;
    cf_buf_init(&b, 1 << 20);
    while (rest.len) {
        char out[4];
        size_t before = rest.len;
        int32_t cp = cf_utf8_next(&rest);
        if (cp <= 0) good = false;
        if (cp < 0) { /* left where it is */
            MUST(rest.len == before);
            rest.ptr++, rest.len--;
            continue;
        }
        MUST(rest.len < before && before - rest.len <= 4);
        if (cp > 0) cf_buf_add(&b, out, cf_utf8_put(cp, out));
    }
    MUST(good == cf_utf8_valid(s));
    if (good) MUST(cf_str_eq(cf_buf_str(&b), s));
    cf_buf_free(&b);
    cf_marks_of(s);
}

/* Words of lists: what parses is written as it was. */
static void words(struct cf_str s)
{
    enum cf_doc_type doc = cf_doc_type_parse(s);
    if (doc != CF_DOC_NONE) MUST(cf_str_is(s, cf_doc_type_name(doc)));
    doc = cf_doc_type_parse_zh(s);
    if (doc != CF_DOC_NONE)
        MUST(cf_str_is(s, cf_doc_type_name_zh(doc)) || cf_str_is(s, cf_doc_type_name(doc)));
    enum cf_channel channel = cf_channel_parse(s);
    if (channel != CF_CHANNEL_NONE) MUST(cf_str_is(s, cf_channel_name(channel)));
    enum cf_app_kind kind = cf_app_kind_parse(s);
    if (kind != CF_KIND_NONE) MUST(cf_str_is(s, cf_app_kind_name(kind)));
    enum cf_app_state state = cf_app_state_parse(s);
    if (state != CF_APP_NONE) MUST(cf_str_is(s, cf_app_state_name(state)));
    enum cf_reason reason = cf_reason_parse(s);
    if (reason != CF_REASON_NONE) MUST(cf_str_is(s, cf_reason_info(reason)->code));
    unsigned w = cf_warning_parse(s);
    MUST((w & (w - 1)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const all[])(struct cf_str) = {numbers, names, dates, ids, cards, utf8, words};
    struct cf_str in = fuzz_str(data, size);
    size_t which = fuzz_byte(&in) % (sizeof all / sizeof *all);
    if (in.len > 4096) in.len = 4096;
    char *exact = fuzz_exact(in);
    all[which]((struct cf_str){exact, in.len});
    free(exact);
    return 0;
}
