/* days -- dates as tests write them. Include after cmocka.h. */
#pragma once
#include "common/pure/date.h"

/* YYYY-MM-DD; the test fails when it is no date. */
static inline cf_day day(const char *text)
{
    cf_day d = CF_DAY_NONE;
    if (!cf_day_parse(cf_str_of(text), &d)) fail_msg("%s is no date", text);
    return d;
}
