#include "tests/unit/pure/vectors.h"

#include "common/pure/mask.h"

typedef size_t mask_fn(struct cf_str text, char out[CF_MASK_MAX]);

static const struct {
    mask_fn *mask;
    const char *text, *want;
} rows[] = {
    {cf_mask_number,  "370202199003071234",      "3702**********1234"},
    {cf_mask_number,  "37020219900307002X",      "3702**********002X"},
    {cf_mask_number,  "USA370277070410",         "USA*********410"   },
    {cf_mask_number,  "H0000001702",             "H0*******02"       },
    {cf_mask_number,  "H00000017",               "H0*****17"         },
    {cf_mask_number,  "01234567",                "01****67"          },
    {cf_mask_number,  "E012345",                 "E******"           },
    {cf_mask_number,  "E0123",                   "E****"             },
    {cf_mask_number,  "E012",                    "****"              },
    {cf_mask_number,  "",                        ""                  },
    {cf_mask_number,  "张三李四王五",      "******"            },
    {cf_mask_number,  "\xFF\xFE\xFD\xFC\xFB",    "*****"             },
    {cf_mask_name,    "张",                     "张*"              },
    {cf_mask_name,    "张伟",                  "张*"              },
    {cf_mask_name,    "阿依古丽·买买提", "阿*"              },
    {cf_mask_name,    "\U00020BB7明",           "\U00020BB7*"       },
    {cf_mask_name,    "SMITH JOHN",              "S*"                },
    {cf_mask_name,    "\xFF张",                 "*"                 },
    {cf_mask_name,    "",                        ""                  },
    {cf_mask_phone,   "13812345678",             "138****5678"       },
    {cf_mask_phone,   "1381234567",              "**********"        },
    {cf_mask_phone,   "1381234567x",             "***********"       },
    {cf_mask_phone,   "",                        ""                  },
    {cf_mask_cardnum, "B00000019",               "B0****019"         },
    {cf_mask_cardnum, "B0000001",                "********"          },
    {cf_mask_cardnum, "",                        ""                  },
};

static void personal_data_shows_only_what_it_may(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[CF_MASK_MAX];
        size_t n = rows[i].mask(cf_str_of(rows[i].text), out);
        if (strcmp(out, rows[i].want) != 0 || n != strlen(out))
            fail_msg("%s: %s", rows[i].text, out);
    }
}

static void text_of_any_length_fits(void **state)
{
    (void)state;
    static mask_fn *const masks[] = {cf_mask_number, cf_mask_name, cf_mask_phone, cf_mask_cardnum};
    char text[3000];
    memset(text, '7', sizeof text);
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
        for (size_t n = 0; n < sizeof text; n += n < 100 ? 1 : 97) {
            char out[CF_MASK_MAX];
            size_t got = masks[i]((struct cf_str){text, n}, out);
            assert_true(got < CF_MASK_MAX);
            assert_int_equal(strlen(out), got);
            size_t shown = 0;
            for (size_t at = 0; at < got; at++)
                shown += out[at] != '*';
            /* At least half of a text that is longer than two stays hidden. */
            if (n > 2 && n != 11 && n != 9) assert_true(shown * 2 <= n);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(personal_data_shows_only_what_it_may),
        cmocka_unit_test(text_of_any_length_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
