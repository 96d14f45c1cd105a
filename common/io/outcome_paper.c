#include "common/io/outcome_paper.h"

static const struct cf_both kinds[] = {
    [CF_KIND_FIRST_ISSUE] = {"首次申领", "First issue"},
    [CF_KIND_LOSS_REPLACEMENT] = {"遗失补卡", "Replacement of a lost card"},
    [CF_KIND_DAMAGE_REPLACEMENT] = {"损坏换卡", "Replacement of a damaged card"},
    [CF_KIND_PHOTO_SWAP] = {"更换照片", "Change of the photo"},
    [CF_KIND_TEMPORARY] = {"临时卡", "Temporary card"},
    [CF_KIND_REISSUE] = {"换领", "Reissue"},
};

static void kind_line(struct cf_paper *p, enum cf_app_kind kind)
{
    if (kind > 0 && (size_t)kind < sizeof kinds / sizeof *kinds)
        cf_paper_field_both(p, (struct cf_both){"业务种类", "Kind"}, kinds[kind]);
}

static void id_line(struct cf_paper *p, const struct cf_outcome *x)
{
    char id[37];
    cf_uuid_text(x->id, id);
    cf_paper_field(p, (struct cf_both){"申领编号", "Application"}, cf_str_of(id));
}

void cf_paper_phones(struct cf_paper *p, const char *phones)
{
    cf_paper_field(p, (struct cf_both){"咨询、投诉电话", "Phones for questions and complaints"},
                   cf_str_of(phones));
}

/* ---- receipt ---------------------------------------------------------------------------------- */

static void outlet_lines(struct cf_paper *p, const struct cf_outlets *outlets,
                         const struct cf_outcome *x)
{
    const struct cf_outlet *outlet =
        outlets ? cf_outlet_find(outlets, x->bank_code, x->outlet_code) : NULL;
    struct cf_str bank = outlet ? outlet->bank_name : x->bank_code;
    struct cf_str place = outlet ? outlet->outlet_name : x->outlet_code;
    cf_paper_field(p, (struct cf_both){"领卡银行", "Bank"}, bank);
    cf_paper_field(p, (struct cf_both){"领卡网点", "Pickup outlet"}, place);
    cf_paper_field(p, (struct cf_both){"网点编号", "Outlet code"}, x->outlet_code);
}

static void date_lines(struct cf_paper *p, const struct cf_outcome *x, bool provisional)
{
    if (x->promised_on > 0)
        cf_paper_day(p, (struct cf_both){"预计可领日期", "Pickup promised for"}, x->promised_on);
    cf_paper_day(p, (struct cf_both){"最迟可领日期", "Ready for pickup by"}, x->due_on);
    if (cf_promised_late(x->state, x->promised_on, x->due_on))
        cf_paper_text(p, (struct cf_both){
                             "提示：银行预计的可领日期晚于规定期限，详情可拨打上述电话询问。",
                             "Warning: the bank's date is later than the card is due; ask by the "
                             "phones that are named."});
    if (provisional)
        cf_paper_text(p, (struct cf_both){
                             "该日期为暂定：当年放假安排公布后重新计算，变化时另行通知。",
                             "This date is provisional: it is counted again when the holidays of "
                             "that year are published."});
    cf_paper_text(p, (struct cf_both){
                         "到卡后有短信通知；请凭本回执和身份证件到上述网点领取。",
                         "A text message tells when the card is there. Bring this receipt and the "
                         "identity document to the outlet above."});
}

static const char *joined_counted(struct cf_arena *a, const struct cf_explanation *why)
{
    struct cf_str all = {0};
    for (size_t i = 0; i < why->counted_n; i++) {
        char day[11];
        cf_day_text(why->counted[i].day, day);
        all = cf_arena_printf(a, "%.*s%s%d: %s", CF_ARG(all), i ? ", " : "", why->counted[i].n,
                              day);
    }
    return all.len ? all.ptr : "";
}

static struct cf_both joined_skipped(struct cf_arena *a, const struct cf_explanation *why)
{
    struct cf_str zh = {0}, en = {0};
    for (size_t i = 0; i < why->skipped_n; i++) {
        const struct cf_skipped_day *d = &why->skipped[i];
        const char *comma = i ? ", " : "";
        char day[11];
        cf_day_text(d->day, day);
        struct cf_str name = d->name.len ? d->name : CF_STR("周末");
        zh = cf_arena_printf(a, "%.*s%s%s（%.*s）", CF_ARG(zh), comma, day, CF_ARG(name));
        en = cf_arena_printf(a, "%.*s%s%s (%s)", CF_ARG(en), comma, day,
                             d->name.len ? "holiday" : "weekend");
    }
    return (struct cf_both){zh.len ? zh.ptr : "", en.len ? en.ptr : ""};
}

static void deadline_lines(struct cf_paper *p, struct cf_arena *a,
                           const struct cf_outcome_deadline *d)
{
    char zh[160], en[160], day[11];
    cf_day_text(d->accepted_on, day);
    cf_paper_head(p, (struct cf_both){"日期的计算", "How the date was counted"});
    snprintf(zh, sizeof zh, "受理日 %s 的次日起 %d 个工作日（%s）", day, d->working_days,
             d->policy ? d->policy : "-");
    snprintf(en, sizeof en, "%d working days from the day after acceptance on %s (%s)",
             d->working_days, day, d->policy ? d->policy : "-");
    cf_paper_field_both(p, (struct cf_both){"依据", "Rule"}, (struct cf_both){zh, en});
    const char *counted = joined_counted(a, &d->why);
    cf_paper_field(p, (struct cf_both){"计入的工作日", "Working days counted"}, cf_str_of(counted));
    cf_paper_field_both(p, (struct cf_both){"不计的日期", "Days not counted"},
                        joined_skipped(a, &d->why));
}

void cf_receipt_paper(struct cf_paper *p, enum cf_lang lang, const struct cf_outcome_world *world,
                      struct cf_arena *arena, const struct cf_outcome *x, cf_ms accepted_at)
{
    struct cf_outcome_deadline d;
    bool has_deadline = cf_outcome_deadline(world, arena, x, &d);
    cf_paper_begin(p, lang, "receipt",
                   (struct cf_both){"社会保障卡领卡回执", "Receipt for a social-security card"},
                   x->receipt_no);
    kind_line(p, x->kind);
    id_line(p, x);
    cf_paper_time(p, (struct cf_both){"受理时间", "Accepted at"}, accepted_at);
    cf_paper_head(p, (struct cf_both){"领卡", "Pickup"});
    outlet_lines(p, world->outlets, x);
    date_lines(p, x, has_deadline && d.provisional);
    cf_paper_phones(p, world->phones);
    if (has_deadline) deadline_lines(p, arena, &d);
}

/* ---- notice ----------------------------------------------------------------------------------- */

void cf_notice_paper(struct cf_paper *p, enum cf_lang lang, const struct cf_outcome_world *world,
                     const struct cf_outcome *x, cf_ms issued_at)
{
    cf_paper_begin(p, lang, "notice", (struct cf_both){"一次性告知单", "One-time notice"},
                   x->notice_no);
    kind_line(p, x->kind);
    id_line(p, x);
    cf_paper_time(p, (struct cf_both){"告知时间", "Issued at"}, issued_at);
    cf_paper_field_both(
        p, (struct cf_both){"结果", "Outcome"},
        x->respond_by > 0
            ? (struct cf_both){"待补正：请在期限内补齐下列各项",
                               "To be completed: put right all of the following in time"}
            : (struct cf_both){"不予受理：原因如下", "Not taken: for the following reasons"});
    for (size_t i = 0; i < x->n_reasons; i++)
        cf_paper_reason(p, i + 1, x->reasons[i], x->respond_by);
    cf_paper_head(p, (struct cf_both){"咨询", "Questions"});
    cf_paper_phones(p, world->phones);
}
