#include "common/pure/receipt.h"

#include "common/pure/hash.h"

/* The smallest even number of bits that holds 10^11: two halves of 19. */
#define HALF_BITS 19
#define HALF_MASK ((UINT64_C(1) << HALF_BITS) - 1)
#define ROUNDS 8

/* The letter goes into every round, so that a receipt, a voucher and a notice with the same
 * sequence have nothing in common. */
static uint64_t mix(const uint8_t key[16], char letter, int round, uint64_t half)
{
    uint8_t in[8] = {(uint8_t)round,       (uint8_t)letter,       (uint8_t)half,
                     (uint8_t)(half >> 8), (uint8_t)(half >> 16), 0};
    return cf_siphash(key, in, sizeof in) & HALF_MASK;
}

static uint64_t forward(const uint8_t key[16], char letter, uint64_t x)
{
    uint64_t left = x >> HALF_BITS, right = x & HALF_MASK;
    for (int i = 0; i < ROUNDS; i++) {
        uint64_t next = left ^ mix(key, letter, i, right);
        left = right;
        right = next;
    }
    return left << HALF_BITS | right;
}

static uint64_t backward(const uint8_t key[16], char letter, uint64_t y)
{
    uint64_t left = y >> HALF_BITS, right = y & HALF_MASK;
    for (int i = ROUNDS; i-- > 0;) {
        uint64_t before = right ^ mix(key, letter, i, left);
        right = left;
        left = before;
    }
    return left << HALF_BITS | right;
}

/* The network permutes 2^38 values. Walking on until the value is below 10^11 again permutes
 * just those: from inside one always comes back inside. Needs less than 3 steps on average. */
static uint64_t scramble(const uint8_t key[16], char letter, uint64_t x)
{
    do
        x = forward(key, letter, x);
    while (x >= CF_RECEIPT_SPACE);
    return x;
}

uint64_t cf_receipt_scramble(const uint8_t key[16], uint64_t x)
{
    return scramble(key, 0, x);
}

uint64_t cf_receipt_unscramble(const uint8_t key[16], uint64_t y)
{
    do
        y = backward(key, 0, y);
    while (y >= CF_RECEIPT_SPACE);
    return y;
}

char cf_iso7064_check(const char *digits, size_t n)
{
    int product = 10;
    for (size_t i = 0; i < n; i++) {
        int sum = (product + (digits[i] - '0')) % 10;
        product = (sum ? sum : 10) * 2 % 11;
    }
    return (char)('0' + (11 - product) % 10);
}

static bool make(const uint8_t key[16], char letter, uint64_t sequence, char *out)
{
    if (sequence >= CF_RECEIPT_SPACE) return false;
    uint64_t v = scramble(key, letter, sequence);
    for (int i = CF_RECEIPT_LEN - 2; i >= 0; i--, v /= 10)
        out[i] = (char)('0' + v % 10);
    out[CF_RECEIPT_LEN - 1] = cf_iso7064_check(out, CF_RECEIPT_LEN - 1);
    out[CF_RECEIPT_LEN] = 0;
    return true;
}

bool cf_receipt_make(const uint8_t key[16], uint64_t sequence, char out[CF_RECEIPT_LEN + 1])
{
    return make(key, 0, sequence, out);
}

bool cf_receipt_make_prefixed(const uint8_t key[16], char letter, uint64_t sequence,
                              char out[CF_RECEIPT_LEN + 2])
{
    if (letter < 'A' || letter > 'Z') return false;
    out[0] = letter;
    return make(key, letter, sequence, out + 1);
}

bool cf_receipt_check(struct cf_str number)
{
    if (number.len != CF_RECEIPT_LEN) return false;
    for (size_t i = 0; i < number.len; i++)
        if (number.ptr[i] < '0' || number.ptr[i] > '9') return false;
    return cf_iso7064_check(number.ptr, CF_RECEIPT_LEN - 1) == number.ptr[CF_RECEIPT_LEN - 1];
}

bool cf_receipt_check_prefixed(struct cf_str number, char letter)
{
    if (number.len == 0 || number.ptr[0] != letter) return false;
    return cf_receipt_check((struct cf_str){number.ptr + 1, number.len - 1});
}
