#include "common/pure/calendar.h"

/* Takes the line up to \n (or the end) off the front of *text, without its end. */
static struct cf_str take_line(struct cf_str *text)
{
    const char *end = memchr(text->ptr, '\n', text->len);
    struct cf_str line = {text->ptr, end ? (size_t)(end - text->ptr) : text->len};
    size_t used = line.len + (end != NULL);
    text->ptr += used;
    text->len -= used;
    if (line.len && line.ptr[line.len - 1] == '\r') line.len--;
    return line;
}

static struct cf_str take_field(struct cf_str *line)
{
    const char *end = memchr(line->ptr, ',', line->len);
    struct cf_str field = {line->ptr, end ? (size_t)(end - line->ptr) : line->len};
    size_t used = field.len + (end != NULL);
    line->ptr += used;
    line->len -= used;
    return field;
}

/* NULL, or what is wrong with the line. */
static const char *read_row(struct cf_str line, struct cf_calendar_row *row)
{
    struct cf_str date = take_field(&line), kind = take_field(&line);
    if (!cf_day_parse(date, &row->day)) return "the first field is not a date YYYY-MM-DD";
    if (cf_str_is(kind, "holiday"))
        row->kind = CF_DAY_HOLIDAY;
    else if (cf_str_is(kind, "makeup"))
        row->kind = CF_DAY_MAKEUP;
    else
        return "the second field is neither holiday nor makeup";
    row->name = line;
    if (line.len == 0) return "the name is missing";
    if (memchr(line.ptr, ',', line.len) || memchr(line.ptr, '"', line.len))
        return "a name holds neither a comma nor quotes";
    if (!cf_utf8_valid(line)) return "the name is not UTF-8";
    if (row->kind == CF_DAY_MAKEUP && cf_weekday_of(row->day) < CF_SATURDAY)
        return "a make-up workday is a Saturday or a Sunday";
    return NULL;
}

static size_t count_lines(struct cf_str text)
{
    size_t n = 0;
    while (text.len)
        take_line(&text), n++;
    return n;
}

/* A file of a spreadsheet begins with U+FEFF. */
static void drop_bom(struct cf_str *text)
{
    if (text->len >= 3 && memcmp(text->ptr, "\xEF\xBB\xBF", 3) == 0) {
        text->ptr += 3;
        text->len -= 3;
    }
}

static int year_of(const struct cf_calendar_row *row)
{
    return cf_date_of_day(row->day).year;
}

static const char *read_rows(struct cf_str csv, struct cf_calendar_row *rows, size_t *n,
                             unsigned *line_no)
{
    while (csv.len) {
        struct cf_str line = take_line(&csv);
        ++*line_no;
        if (*line_no == 1) {
            if (!cf_str_is(line, "date,kind,name")) return "the header is not date,kind,name";
        } else if (line.len) {
            const char *why = read_row(line, &rows[*n]);
            if (why) return why;
            if (*n && rows[*n - 1].day >= rows[*n].day) return "the dates do not ascend";
            if (*n && year_of(&rows[*n]) > year_of(&rows[*n - 1]) + 1)
                return "a year before it has no rows: it would count as one without holidays";
            ++*n;
        }
    }
    return *n ? NULL : "there are no rows";
}

int cf_calendar_load(struct cf_arena *arena, struct cf_str csv, struct cf_calendar *out,
                     struct cf_calendar_error *error)
{
    drop_bom(&csv);
    /* The names point into a copy, so that the caller may let the file go. */
    struct cf_str text = cf_arena_str(arena, csv);
    struct cf_calendar_row *rows = cf_arena_alloc(arena, (count_lines(text) + 1) * sizeof *rows);
    size_t n = 0;
    *error = (struct cf_calendar_error){0};
    error->why = read_rows(text, rows, &n, &error->line);
    if (error->why) return CF_E_CONFIG;
    *out = (struct cf_calendar){
        .rows = rows,
        .n = n,
        .coverage_from = cf_day_of_date(cf_date_of_day(rows[0].day).year, 1, 1),
        .coverage_until = cf_day_of_date(cf_date_of_day(rows[n - 1].day).year, 12, 31),
    };
    return CF_E_OK;
}

static const struct cf_calendar_row *find(const struct cf_calendar *cal, cf_day day)
{
    size_t low = 0, high = cal->n;
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (cal->rows[mid].day < day)
            low = mid + 1;
        else
            high = mid;
    }
    return low < cal->n && cal->rows[low].day == day ? &cal->rows[low] : NULL;
}

enum cf_day_kind cf_day_kind_of(const struct cf_calendar *cal, cf_day day)
{
    const struct cf_calendar_row *row = find(cal, day);
    if (row) return row->kind;
    return cf_weekday_of(day) < CF_SATURDAY ? CF_DAY_WORKED : CF_DAY_WEEKEND;
}

struct cf_str cf_day_name(const struct cf_calendar *cal, cf_day day)
{
    const struct cf_calendar_row *row = find(cal, day);
    return row ? row->name : (struct cf_str){"", 0};
}

bool cf_is_workday(const struct cf_calendar *cal, cf_day day)
{
    enum cf_day_kind kind = cf_day_kind_of(cal, day);
    return kind == CF_DAY_WORKED || kind == CF_DAY_MAKEUP;
}

cf_day cf_add_workdays(const struct cf_calendar *cal, cf_day start, int n)
{
    cf_day day = start;
    int step = n < 0 ? -1 : 1, left = n < 0 ? -n : n;
    if (n == 0 && !cf_is_workday(cal, day)) left = 1;
    while (left > 0) {
        day += step;
        left -= cf_is_workday(cal, day);
    }
    return day;
}

int cf_workdays_between(const struct cf_calendar *cal, cf_day from, cf_day to)
{
    if (to < from) return -cf_workdays_between(cal, to, from);
    int n = 0;
    for (cf_day day = from + 1; day <= to; day++)
        n += cf_is_workday(cal, day);
    return n;
}

cf_day cf_last_workday_of_month(const struct cf_calendar *cal, cf_day day)
{
    struct cf_date d = cf_date_of_day(day);
    bool december = d.month == 12;
    /* The first of the next month is not counted itself. */
    cf_day first = cf_day_of_date(december ? d.year + 1 : d.year, december ? 1 : d.month + 1, 1);
    return cf_add_workdays(cal, first, -1);
}
