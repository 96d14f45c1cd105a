#include "common/pure/regions.h"

/* Ascending. The data says where each code comes from: NOTICE, data/regions.csv. */
static const uint32_t codes[] = {
#include "pure/regions_table.inc"
};

#define N (sizeof codes / sizeof codes[0])

/* Index of the first code that is not below `code`. */
static size_t lower_bound(uint32_t code)
{
    size_t low = 0, high = N;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (codes[mid] < code)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* Is there a code in from .. to? */
static bool any_between(uint32_t from, uint32_t to)
{
    size_t i = lower_bound(from);
    return i < N && codes[i] <= to;
}

bool cf_region_known(uint32_t code)
{
    return any_between(code, code);
}

bool cf_region_hmt(uint32_t code)
{
    return code == 810000 || code == 820000 || code == 830000;
}

bool cf_province_known(uint32_t province)
{
    return province <= 99 && any_between(province * 10000, province * 10000 + 9999);
}

bool cf_issuing_area_known(uint32_t area)
{
    if (area > 9999) return false;
    if (area % 100 == 0) return cf_province_known(area / 100);
    return any_between(area * 100, area * 100 + 99);
}

size_t cf_region_count(void)
{
    return N;
}
