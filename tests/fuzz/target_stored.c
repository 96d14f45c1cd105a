/* What comes back from tables and the log: journal rows, bundles of work, sealed values. */
#include "common/io/seal.h"
#include "common/io/stage/bundle.h"
#include "common/io/stage/journal.h"
#include "tests/fuzz/fuzz.h"

/* A row that reads well to its end is the row that would be written. */
static void journal(struct cf_str s)
{
    struct cf_journal_reader r = {.rest = s};
    struct cf_out_message m = {0};
    struct cf_str topic;
    struct cf_buf again;
    int e;
    cf_buf_init(&again, 8 << 20);
    cf_journal_begin(&again);
    while (!(e = cf_journal_next(&r, &topic, &m)) && m.type.ptr) {
        char *z = fuzz_z(topic);
        MUST(topic.ptr >= s.ptr && m.value.ptr + m.value.len <= s.ptr + s.len);
        if (strlen(z) == topic.len)
            cf_journal_add(&again, z, &m);
        else
            e = CF_E_DATA; /* a topic with a zero cannot be written */
        free(z);
        if (e) break;
    }
    if (!e) MUST(cf_str_eq(cf_buf_str(&again), s));
    cf_buf_free(&again);
}

static void bundle(struct cf_str s)
{
    struct cf_arena *a = cf_arena_new(16 << 20);
    struct cf_work row = {.kind = 3, .part = 1, .args = s}, pieces[64], piece;
    struct cf_str rest = s;
    size_t n = 0;
    int e = 0;
    while (rest.len && n < 64 && !(e = cf_bundle_next(&row, &rest, &piece))) {
        MUST(piece.kind == 3 && piece.part == 1 && piece.key.len >= 1);
        pieces[n++] = piece;
    }
    if (!e && !rest.len && n) {
        struct cf_work again = cf_bundle_of(a, pieces, n);
        size_t bytes = 0;
        for (size_t i = 0; i < n; i++)
            bytes += cf_bundle_bytes(&pieces[i]);
        MUST(cf_str_eq(again.args, s) && bytes == s.len && again.pieces == n);
    }
    cf_arena_free(a);
}

static void sealed(struct cf_str s)
{
    static struct cf_seal_ring *ring;
    static const uint8_t key[CF_SEAL_KEY_LEN] = "01234567890123456789012345678901";
    struct cf_arena *a = cf_arena_new(16 << 20);
    struct cf_str packed, plain, owner = CF_STR("0123456789abcdef");
    struct cf_sealed parts;
    if (!ring) {
        ring = cf_seal_ring_new(key);
        MUST(cf_seal_ring_add(ring, 1, key));
    }
    /* Nobody has sealed it. */
    if (!cf_sealed_decode(s, &parts)) MUST(parts.nonce.len == 12 && parts.tag.len == 16);
    MUST(cf_unseal(ring, s, owner, 1, a, &plain) != 0);
    MUST(cf_seal(ring, s, owner, 1, a, &packed) == 0 && packed.len <= s.len + CF_SEAL_OVERHEAD);
    MUST(cf_sealed_decode(packed, &parts) == 0 && parts.ciphertext.len == s.len);
    MUST(cf_unseal(ring, packed, owner, 1, a, &plain) == 0 && cf_str_eq(plain, s));
    MUST(cf_unseal(ring, packed, owner, 2, a, &plain) != 0);
    /* One bit turned, and it does not open. */
    char *bad = fuzz_exact(packed);
    size_t at = s.len % packed.len;
    bad[at] = (char)(bad[at] ^ 1);
    struct cf_str changed = {bad, packed.len};
    if (!cf_unseal(ring, changed, owner, 1, a, &plain)) MUST(cf_str_eq(plain, s));
    free(bad);
    cf_arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const all[])(struct cf_str) = {journal, bundle, sealed};
    struct cf_str in = fuzz_str(data, size);
    size_t which = fuzz_byte(&in) % 3;
    if (in.len > 65536) in.len = 65536;
    char *exact = fuzz_exact(in);
    all[which]((struct cf_str){exact, in.len});
    free(exact);
    return 0;
}
