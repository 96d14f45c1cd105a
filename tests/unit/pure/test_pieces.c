/* A file in pieces: what is at hand, what is asked for, and which piece makes room. */
#include "tests/unit/pure/vectors.h"

#include "common/pure/pieces.h"

static const char file[] = "0123456789abcdefghi"; /* 19 bytes: pieces of 4, the last of 3 */
enum { SIZE = 19, PIECE = 4 };

static bool give(struct cf_pieces *p, uint32_t index)
{
    size_t at = (size_t)index * PIECE, n = SIZE - at < PIECE ? SIZE - at : PIECE;
    return cf_pieces_give(p, index, (struct cf_str){file + at, n});
}

static void only_a_whole_piece_of_the_file_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *why;
        uint32_t index;
        struct cf_str bytes;
        bool taken;
    } rows[] = {
        {"the first",             0, {file, 4},      true },
        {"the last, shorter",     4, {file + 16, 3}, true },
        {"the last, too long",    4, {file + 15, 4}, false},
        {"too short",             1, {file + 4, 3},  false},
        {"nothing",               1, {file, 0},      false},
        {"behind the end",        5, {file, 4},      false},
        {"nothing behind the end", 5, {file, 0},     false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cf_pieces p = cf_pieces_of(SIZE, PIECE);
        if (cf_pieces_give(&p, rows[i].index, rows[i].bytes) != rows[i].taken)
            fail_msg("%s", rows[i].why);
        cf_pieces_free(&p);
    }
}

static void what_is_missing_is_asked_for_until_all_is_read(void **state)
{
    (void)state;
    struct cf_pieces p = cf_pieces_of(SIZE, PIECE);
    char out[9] = "";
    int given = 0;
    while (!cf_pieces_copy(&p, 3, out, 8)) {
        assert_true(given++ < 3);
        assert_true(give(&p, p.want));
    }
    assert_int_equal(given, 3);
    assert_string_equal(out, "3456789a");
    cf_pieces_free(&p);
}

static void the_piece_used_longest_ago_makes_room(void **state)
{
    (void)state;
    struct cf_pieces p = cf_pieces_of(SIZE, PIECE);
    struct cf_str s;
    for (uint32_t i = 0; i < CF_PIECES; i++)
        assert_true(give(&p, i));
    assert_true(cf_pieces_at(&p, 1, &s)); /* 0 is used; 1 is the oldest now */
    assert_true(s.len == 3 && !memcmp(s.ptr, "123", 3));
    assert_true(give(&p, 4));
    assert_true(cf_pieces_at(&p, 0, &s) && cf_pieces_at(&p, 8, &s));
    assert_true(cf_pieces_at(&p, 18, &s) && s.len == 1);
    assert_false(cf_pieces_at(&p, 4, &s));
    assert_int_equal(p.want, 1);
    cf_pieces_free(&p);
}

static void a_file_in_memory_is_one_piece(void **state)
{
    (void)state;
    struct cf_pieces p = cf_pieces_in_memory((struct cf_str){file, SIZE});
    char out[SIZE + 1] = "";
    assert_true(cf_pieces_copy(&p, 0, out, SIZE));
    assert_string_equal(out, file);
    cf_pieces_free(&p); /* leaves the caller's bytes */
    struct cf_pieces empty = cf_pieces_in_memory((struct cf_str){NULL, 0});
    assert_true(cf_pieces_copy(&empty, 0, out, 0));
    assert_int_equal(empty.piece, 1);
    cf_pieces_free(&empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_a_whole_piece_of_the_file_is_taken),
        cmocka_unit_test(what_is_missing_is_asked_for_until_all_is_read),
        cmocka_unit_test(the_piece_used_longest_ago_makes_room),
        cmocka_unit_test(a_file_in_memory_is_one_piece),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
