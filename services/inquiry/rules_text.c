/* What is said: labels, and one sentence an agent can read out. */
#include "services/inquiry/rules.h"

const char *inquiry_kind_text(enum cf_app_kind kind, enum cf_lang lang)
{
    static const char *const texts[CF_KIND_COUNT][2] = {
        [CF_KIND_NONE] = {"社保卡申领", "application"                          },
        [CF_KIND_FIRST_ISSUE] = {"首次申领",    "application for a first card"         },
        [CF_KIND_LOSS_REPLACEMENT] = {"挂失补领",    "application to replace a lost card"   },
        [CF_KIND_DAMAGE_REPLACEMENT] = {"损坏换领",    "application to replace a damaged card"},
        [CF_KIND_PHOTO_SWAP] = {"加照片换领", "application for a card with a photo"  },
        [CF_KIND_TEMPORARY] = {"临时卡申领", "application for a temporary card"     },
        [CF_KIND_REISSUE] = {"换领",          "application for a new card"           },
    };
    return texts[kind < CF_KIND_COUNT ? kind : CF_KIND_NONE][lang == CF_LANG_EN];
}

struct step_texts {
    const char *dated[2], *plain[2];
};

/* clang-format off */
static const struct step_texts texts[INQUIRY_STEP_COUNT] = {
#define X(value, name, dated_zh, dated_en, zh, en) {{dated_zh, dated_en}, {zh, en}},
    INQUIRY_STEPS(X)
#undef X
};
/* clang-format on */

/* The step's text with its date put in; the texts are ours, with one %s at most. Every step of an
 * application or a card has one. */
static struct cf_str step_text(struct cf_arena *a, enum inquiry_step step, cf_day on, bool en)
{
    const char *t = texts[step].dated[en];
    const char *gap = on ? strstr(t, "%s") : NULL;
    char day[24];
    if (!gap) return cf_str_of(texts[step].plain[en]);
    const char *date = en ? cf_day_text(on, day) : cf_day_text_zh(on, day);
    return cf_arena_printf(a, "%.*s%s%s", (int)(gap - t), t, date, gap + 2);
}

static void of_app(struct cf_arena *a, struct inquiry_picture *p, const struct inquiry_app *app)
{
    struct cf_str zh = step_text(a, p->step, p->step_on, false),
                  en = step_text(a, p->step, p->step_on, true);
    p->label_zh =
        cf_str_of(cf_app_state_label_detail(app->state, app->waits, app->activated, CF_LANG_ZH));
    p->label_en =
        cf_str_of(cf_app_state_label_detail(app->state, app->waits, app->activated, CF_LANG_EN));
    p->sentence_zh = cf_arena_printf(a, "您的%s目前状态为“%.*s”，%.*s。",
                                     inquiry_kind_text(app->kind, CF_LANG_ZH), CF_ARG(p->label_zh),
                                     CF_ARG(zh));
    p->sentence_en =
        cf_arena_printf(a, "Your %s: %.*s; %.*s.", inquiry_kind_text(app->kind, CF_LANG_EN),
                        CF_ARG(p->label_en), CF_ARG(en));
}

static void of_card(struct cf_arena *a, struct inquiry_picture *p,
                    const struct inquiry_shown_card *c)
{
    bool temporary = c->card->temporary;
    struct cf_str zh = step_text(a, p->step, p->step_on, false),
                  en = step_text(a, p->step, p->step_on, true);
    p->label_zh = cf_str_of(cf_card_state_label(c->card->state, CF_LANG_ZH));
    p->label_en = cf_str_of(cf_card_state_label(c->card->state, CF_LANG_EN));
    p->sentence_zh =
        cf_arena_printf(a, "您的%s社保卡目前状态为“%.*s”，%.*s。", temporary ? "临时" : "",
                        CF_ARG(p->label_zh), CF_ARG(zh));
    p->sentence_en = cf_arena_printf(a, "Your %ssocial security card: %.*s; %.*s.",
                                     temporary ? "temporary " : "", CF_ARG(p->label_en),
                                     CF_ARG(en));
}

void inquiry_say(struct cf_arena *a, struct inquiry_picture *p, const struct inquiry_app *app,
                 const struct inquiry_shown_card *card)
{
    if (app) {
        of_app(a, p, app);
    } else if (card) {
        of_card(a, p, card);
    } else {
        p->step = INQUIRY_STEP_APPLY;
        p->sentence_zh = CF_STR("未查询到申领记录和社保卡，可到合作银行网点或线上渠道提出申领。");
        p->sentence_en = CF_STR("No application and no card was found; an application may be "
                                "handed in at an outlet of an issuing bank or online.");
    }
}
