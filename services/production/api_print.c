/* Vouchers and one-time notices on paper. */
#include "common/io/outcome_paper.h"
#include "common/pure/mask.h"
#include "services/production/api_inside.h"

/* The words of an operation, a card's state, a channel, a way of signing. */
static const struct named {
    const char *name;
    struct cf_both text;
} operations[] = {
    {"activate", {"激活", "Activation"}},
    {"application", {"申领", "Application"}},
    {"cancel", {"注销", "Cancellation"}},
    {"collect", {"代领", "Collection by an agent"}},
    {"disable_password", {"停用密码", "Password switched off"}},
    {"extend_deadline", {"延长办理期限", "More time for an application"}},
    {"extend_temporary", {"临时卡延期", "Extension of a temporary card"}},
    {"import_card", {"登记原有卡", "Record of an earlier card"}},
    {"lock", {"锁定", "Lock"}},
    {"open_add_on", {"开通附加业务", "Opening of an add-on"}},
    {"release", {"解除挂失", "Release of a reported loss"}},
    {"report_formal_loss", {"正式挂失", "Report of loss, in writing"}},
    {"report_temporary_loss", {"临时挂失", "Report of loss, for 7 days"}},
    {"reset_password", {"重置密码", "Reset of the password"}},
    {"set_password", {"设置密码", "Setting of the password"}},
    {"unlock", {"解锁", "Unlock"}},
    {"withdraw", {"撤销申领", "Withdrawal of an application"}},
}, states[] = {
    {"app_locked", {"应用锁定", "Locked"}},
    {"cancelled", {"注销", "Cancelled"}},
    {"formal_loss", {"正式挂失", "Reported lost"}},
    {"normal", {"正常", "Normal"}},
    {"sealed", {"封存（未激活）", "Sealed, not activated"}},
    {"temporary_loss", {"临时挂失", "Reported lost for 7 days"}},
}, channels[] = {
    {"bank_outlet", {"银行网点", "Bank outlet"}},
    {"bank_phone", {"银行电话", "Bank, by phone"}},
    {"hotline_12345", {"12345热线", "Hotline 12345"}},
    {"online", {"网上", "Online"}},
    {"school", {"学校", "School"}},
    {"terminal", {"自助终端", "Terminal"}},
    {"unit", {"单位", "Unit"}},
    {"upstream", {"上级系统", "Upstream system"}},
}, methods[] = {
    {"fingerprint", {"指纹", "Fingerprint"}},
    {"handwritten", {"手写签名", "Handwritten"}},
    {"seal", {"印章", "Seal"}},
    {"signature_pad", {"签名板", "Signature pad"}},
}, roles[] = {
    {"agent", {"代办人", "Agent"}},
    {"guardian", {"监护人", "Guardian"}},
    {"holder", {"本人", "Holder"}},
};

static void word(struct cf_paper *p, struct cf_both label, const struct named *all, size_t n,
                 const PGresult *res, int column)
{
    struct cf_str v = cf_pgf_get(res, 0, column);
    for (size_t i = 0; i < n; i++)
        if (cf_str_is(v, all[i].name)) {
            cf_paper_field_both(p, label, all[i].text);
            return;
        }
    cf_paper_field(p, label, v);
}

#define WORD(p, zh, en, table, res, column)                                                        \
    word(p, (struct cf_both){zh, en}, table, sizeof table / sizeof *table, res, column)

static cf_ms time_of(const PGresult *res, int column)
{
    return strtoll(PQgetvalue(res, 0, column), NULL, 10);
}

static void reason_lines(struct cf_paper *p, struct cf_str codes)
{
    for (size_t no = 1; codes.len; no++) {
        const char *comma = memchr(codes.ptr, ',', codes.len);
        size_t n = comma ? (size_t)(comma - codes.ptr) : codes.len;
        cf_paper_reason(p, no, (struct cf_str){codes.ptr, n}, 0);
        codes.ptr += n + (comma ? 1 : 0);
        codes.len -= n + (comma ? 1 : 0);
    }
}

static void signature_lines(struct cf_paper *p, const PGresult *res)
{
    cf_paper_head(p, (struct cf_both){"签字", "Signature"});
    if (PQgetisnull(res, 0, PRODUCTION_PAPER_SIGNED_AT)) {
        cf_paper_text(p, (struct cf_both){"持卡人（监护人、代办人）签字：________________    "
                                          "日期：____________",
                                          "Holder, guardian or agent: ________________    "
                                          "Date: ____________"});
        return;
    }
    WORD(p, "签字人", "Signed by", roles, res, PRODUCTION_PAPER_ROLE);
    WORD(p, "方式", "How", methods, res, PRODUCTION_PAPER_METHOD);
    cf_paper_time(p, (struct cf_both){"时间", "When"}, time_of(res, PRODUCTION_PAPER_SIGNED_AT));
}

void production_api_paper(struct cf_paper *p, enum cf_lang lang, const char *phones, bool voucher,
                          struct cf_str no, const PGresult *res)
{
    char masked[CF_MASK_MAX];
    cf_paper_begin(p, lang, voucher ? "voucher" : "notice",
                   voucher ? (struct cf_both){"社会保障卡业务凭证", "Voucher of a card operation"}
                           : (struct cf_both){"一次性告知单", "One-time notice"},
                   no);
    WORD(p, "业务", "Operation", operations, res, PRODUCTION_PAPER_OPERATION);
    if (!PQgetisnull(res, 0, PRODUCTION_PAPER_CARD_NO)) {
        cf_mask_cardnum(cf_pgf_get(res, 0, PRODUCTION_PAPER_CARD_NO), masked);
        cf_paper_field(p, (struct cf_both){"社保卡号", "Card"}, cf_str_of(masked));
    }
    WORD(p, "卡状态", "State of the card", states, res, PRODUCTION_PAPER_CARD_STATE);
    WORD(p, "渠道", "Channel", channels, res, PRODUCTION_PAPER_CHANNEL);
    cf_paper_time(p, (struct cf_both){"办理时间", "When"}, time_of(res, PRODUCTION_PAPER_AT));
    if (voucher)
        signature_lines(p, res);
    else
        cf_paper_field_both(p, (struct cf_both){"结果", "Outcome"},
                            (struct cf_both){"未能办理：原因如下", "Not done: for these reasons"});
    reason_lines(p, cf_pgf_get(res, 0, PRODUCTION_PAPER_REASONS));
    cf_paper_head(p, (struct cf_both){"咨询", "Questions"});
    cf_paper_phones(p, phones);
}
