/* receipt -- numbers for receipts, vouchers and one-time notices that cannot be counted up.
 *
 * Shapes   11 digits and a check digit; vouchers and notices with a letter before. A sequence
 *          number is put through a keyed one-to-one mapping of 0 .. 10^11 - 1, so that numbers
 *          never meet and a neighbour's number cannot be told without the key
 * Limits   this hides order, it is not encryption of anything secret
 * Source   ISO 7064, MOD 11,10
 */
#pragma once
#include "common/pure/str.h"

#define CF_RECEIPT_SPACE UINT64_C(100000000000)
#define CF_RECEIPT_LEN 12
#define CF_VOUCHER_LETTER 'V'
#define CF_NOTICE_LETTER 'N'

/* The mapping and its reverse; x below CF_RECEIPT_SPACE. */
uint64_t cf_receipt_scramble(const uint8_t key[16], uint64_t x);
uint64_t cf_receipt_unscramble(const uint8_t key[16], uint64_t y);

/* 12 digits and a zero. False when the sequence is past the space: nothing is repeated. */
bool cf_receipt_make(const uint8_t key[16], uint64_t sequence, char out[CF_RECEIPT_LEN + 1]);
/* With a letter 'A' to 'Z' before; the letter is part of the mapping, not of the check. */
bool cf_receipt_make_prefixed(const uint8_t key[16], char letter, uint64_t sequence,
                              char out[CF_RECEIPT_LEN + 2]);
/* 12 digits with a right check digit. */
bool cf_receipt_check(struct cf_str number);
bool cf_receipt_check_prefixed(struct cf_str number, char letter);
/* The check digit of 11 digits. */
char cf_iso7064_check(const char *digits, size_t n);
