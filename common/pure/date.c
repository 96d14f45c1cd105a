#include "common/pure/date.h"

#include "common/pure/error.h"

/* Days of the months before, in a common year. */
static const int before_month[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

/* Days from 0001-01-01 to 1970-01-01. */
#define EPOCH_DAYS 719162

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 0001-01-01 to 1 January of the year. */
static int days_before_year(int year)
{
    int y = year - 1;
    return 365 * y + y / 4 - y / 100 + y / 400;
}

static int month_length(int year, int month)
{
    return before_month[month] - before_month[month - 1] + (month == 2 && is_leap(year));
}

bool cf_date_real(int year, int month, int day)
{
    return year >= 1 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
           day <= month_length(year, month);
}

cf_day cf_day_of_date(int year, int month, int day)
{
    if (!cf_date_real(year, month, day)) CF_BUG("no such date");
    int leap_day = month > 2 && is_leap(year);
    return days_before_year(year) + before_month[month - 1] + leap_day + day - 1 - EPOCH_DAYS;
}

struct cf_date cf_date_of_day(cf_day day)
{
    int64_t n = (int64_t)day + EPOCH_DAYS;
    int64_t last = days_before_year(10000) - 1;
    if (n < 0) n = 0;
    if (n > last) n = last;
    /* 146097 days are exactly 400 years; the guess is right or one too low. */
    int year = (int)(n * 400 / 146097) + 1;
    if (days_before_year(year + 1) <= n) year++;
    int left = (int)n - days_before_year(year);
    int month = 1;
    while (month < 12 && left >= month_length(year, month))
        left -= month_length(year, month++);
    return (struct cf_date){year, month, left + 1};
}

enum cf_weekday cf_weekday_of(cf_day day)
{
    /* 1970-01-01 was a Thursday. */
    int64_t n = ((int64_t)day + 3) % 7;
    return (enum cf_weekday)(n < 0 ? n + 8 : n + 1);
}

/* Exactly n digits at p. */
static bool digits(const char *p, size_t n, int *out)
{
    int v = 0;
    for (size_t i = 0; i < n; i++) {
        if (p[i] < '0' || p[i] > '9') return false;
        v = v * 10 + (p[i] - '0');
    }
    *out = v;
    return true;
}

bool cf_day_parse(struct cf_str t, cf_day *out)
{
    int y, m, d;
    if (t.len != 10 || t.ptr[4] != '-' || t.ptr[7] != '-') return false;
    if (!digits(t.ptr, 4, &y) || !digits(t.ptr + 5, 2, &m) || !digits(t.ptr + 8, 2, &d))
        return false;
    if (!cf_date_real(y, m, d)) return false;
    *out = cf_day_of_date(y, m, d);
    return true;
}

/* v in n digits at p; what lies behind them. */
static char *put(char *p, int v, int n)
{
    for (int i = n - 1; i >= 0; i--, v /= 10)
        p[i] = (char)('0' + v % 10);
    return p + n;
}

static char *put_day(char *p, cf_day day)
{
    struct cf_date d = cf_date_of_day(day);
    p = put(p, d.year, 4);
    *p++ = '-';
    p = put(p, d.month, 2);
    *p++ = '-';
    return put(p, d.day, 2);
}

const char *cf_day_text(cf_day day, char out[11])
{
    *(day == CF_DAY_NONE ? out : put_day(out, day)) = 0;
    return out;
}

static char *put_text(char *p, const char *z)
{
    size_t n = strlen(z);
    memcpy(p, z, n);
    return p + n;
}

const char *cf_day_text_zh(cf_day day, char out[24])
{
    char *p = out;
    if (day != CF_DAY_NONE) {
        struct cf_date d = cf_date_of_day(day);
        p = put_text(put(p, d.year, 4), "年");
        p = put_text(put(p, d.month, d.month > 9 ? 2 : 1), "月");
        p = put_text(put(p, d.day, d.day > 9 ? 2 : 1), "日");
    }
    *p = 0;
    return out;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

cf_day cf_day_of_ms(cf_ms ms)
{
    return (cf_day)floor_div(ms + CF_SHANGHAI_OFFSET_MS, CF_MS_PER_DAY);
}

cf_ms cf_ms_of_day(cf_day day)
{
    return (cf_ms)day * CF_MS_PER_DAY - CF_SHANGHAI_OFFSET_MS;
}

int cf_minute_of_ms(cf_ms ms)
{
    return (int)((ms - cf_ms_of_day(cf_day_of_ms(ms))) / 60000);
}

/* HH:MM at p, within its range. */
static bool hour_minute(const char *p, int *h, int *m)
{
    return p[2] == ':' && digits(p, 2, h) && digits(p + 3, 2, m) && *h <= 23 && *m <= 59;
}

/* Takes .123456 off the front of what is not empty, cut to milliseconds; false for a dot without
 * digits. */
static bool take_fraction(struct cf_str *t, int *ms)
{
    *ms = 0;
    if (t->ptr[0] != '.') return true;
    size_t n = 1;
    for (int unit = 100; n < t->len && t->ptr[n] >= '0' && t->ptr[n] <= '9'; n++, unit /= 10)
        *ms += (t->ptr[n] - '0') * unit;
    t->ptr += n;
    t->len -= n;
    return n > 1;
}

/* Z or +HH:MM, and nothing behind it. */
static bool take_offset(struct cf_str t, int *minutes)
{
    int h, m;
    *minutes = 0;
    if (t.len == 1) return t.ptr[0] == 'Z' || t.ptr[0] == 'z';
    if (t.len != 6 || (t.ptr[0] != '+' && t.ptr[0] != '-')) return false;
    if (!hour_minute(t.ptr + 1, &h, &m)) return false;
    *minutes = (h * 60 + m) * (t.ptr[0] == '-' ? -1 : 1);
    return true;
}

bool cf_rfc3339_parse(struct cf_str t, cf_ms *out)
{
    cf_day day;
    int h, m, s, ms, offset;
    if (t.len < 20 || !cf_day_parse((struct cf_str){t.ptr, 10}, &day)) return false;
    if (t.ptr[10] != 'T' && t.ptr[10] != 't') return false;
    if (!hour_minute(t.ptr + 11, &h, &m)) return false;
    if (t.ptr[16] != ':' || !digits(t.ptr + 17, 2, &s) || s > 60) return false;
    struct cf_str rest = {t.ptr + 19, t.len - 19};
    if (!take_fraction(&rest, &ms) || !take_offset(rest, &offset)) return false;
    int64_t minutes = (int64_t)day * 1440 + h * 60 + m - offset;
    *out = minutes * 60000 + s * 1000 + ms;
    return true;
}

const char *cf_rfc3339_text(cf_ms ms, char out[30])
{
    cf_day day = cf_day_of_ms(ms);
    int in_day = (int)(ms - cf_ms_of_day(day));
    char *p = put_day(out, day);
    *p++ = 'T';
    p = put(p, in_day / 3600000, 2);
    *p++ = ':';
    p = put(p, in_day / 60000 % 60, 2);
    *p++ = ':';
    p = put(p, in_day / 1000 % 60, 2);
    if (in_day % 1000) {
        *p++ = '.';
        p = put(p, in_day % 1000, 3);
    }
    p = put_text(p, "+08:00");
    *p = 0;
    return out;
}

int cf_age_on(cf_day birth, cf_day day)
{
    struct cf_date b = cf_date_of_day(birth), d = cf_date_of_day(day);
    bool had_birthday = d.month > b.month || (d.month == b.month && d.day >= b.day);
    return d.year - b.year - !had_birthday;
}

cf_day cf_birthday(cf_day birth, int age)
{
    struct cf_date b = cf_date_of_day(birth);
    bool real = cf_date_real(b.year + age, b.month, b.day);
    if (b.year + age > 9999) return cf_day_of_date(9999, 12, 31);
    return real ? cf_day_of_date(b.year + age, b.month, b.day)
                : cf_day_of_date(b.year + age, 3, 1);
}
