/* The outcome of one application: reasons with texts, receipt, the deadline and why then. */
#include "common/io/outcome.h"
#include "services/inquiry/answer.h"

/* Why it stands where it stands: of the owner of its state, else the single reason of its step. */
static void set_reasons(struct cf_outcome *x, const struct inquiry_app *app)
{
    const struct inquiry_entry *why = app->owner;
    const struct inquiry_mark *last = why->n_marks ? &why->marks[why->n_marks - 1] : NULL;
    x->reasons = why->reasons;
    x->n_reasons = why->n_reasons;
    x->respond_by = why->respond_by;
    if (!why->n_reasons && last && last->reason.len) {
        x->reasons = &last->reason;
        x->n_reasons = 1;
    }
}

static struct cf_str notice_no(const struct inquiry_app *app)
{
    for (int i = 2; i >= 0; i--)
        if (app->said[i] && app->said[i]->notice_no.len) return app->said[i]->notice_no;
    return (struct cf_str){0};
}

static void set_intake(struct cf_outcome *x, const struct inquiry_entry *e)
{
    x->channel = e->channel;
    x->warnings = e->warnings;
    x->bank_code = e->bank;
    x->outlet_code = e->outlet;
    if (!e->accepted) return;
    x->receipt_no = e->receipt_no;
    x->accepted_on = e->accepted_on;
    x->due_on = e->due_on;
    x->policy = e->policy;
    x->provisional = e->provisional;
}

static void set_production(struct cf_outcome *x, const struct inquiry_entry *line)
{
    x->promised_on = line->promised_on;
    if (!line->outlet.len || !line->bank.len) return;
    x->bank_code = line->bank;
    x->outlet_code = line->outlet;
}

/* As production, which has the clock, says it stands. */
static void set_deadline(struct cf_arena *a, struct cf_outcome *x,
                         const struct inquiry_deadline *d)
{
    struct cf_outcome_change *list = cf_arena_zero(a, (d->n_changes + 1) * sizeof *list);
    for (size_t i = 0; i < d->n_changes; i++) {
        const struct inquiry_change *c = &d->changes[i];
        list[i] = (struct cf_outcome_change){c->what, c->reason, c->at, c->due_before, c->due_on};
    }
    x->due_on = d->due_on;
    x->working_days = (int)d->working_days;
    x->provisional = d->provisional;
    x->warned_at = d->warned_at;
    x->overdue_at = d->overdue_at;
    x->changes = list;
    x->n_changes = d->n_changes;
}

static void set_marks(struct cf_arena *a, struct cf_outcome *x, const struct inquiry_app *app)
{
    const struct inquiry_mark *marks = inquiry_timeline(a, app, &x->n_marks);
    struct cf_outcome_mark *list = cf_arena_zero(a, (x->n_marks + 1) * sizeof *list);
    for (size_t i = 0; i < x->n_marks; i++)
        list[i] = (struct cf_outcome_mark){marks[i].state, marks[i].at, marks[i].reason};
    x->marks = list;
}

void inquiry_answer_outcome(struct cf_buf *to, const struct inquiry_answer *in,
                            const struct inquiry_app *app)
{
    char text[37];
    const struct inquiry_entry *intake = app->said[INQUIRY_INTAKE],
                               *line = app->said[INQUIRY_PRODUCTION];
    const struct cf_outcome_world world = {in->calendar, in->policies, in->outlets, in->phones};
    struct cf_outcome x = {.kind = app->kind,
                           .state = app->state,
                           .waits_for_enrolment = app->waits,
                           .activated_at = app->activated_at,
                           .outcome = inquiry_outcome_name(app->outcome),
                           .notice_no = notice_no(app),
                           .waiting_on_holder = app->waiting_on_holder};
    memcpy(x.id, app->id, 16);
    set_reasons(&x, app);
    if (intake) set_intake(&x, intake);
    if (line) set_production(&x, line);
    x.place = inquiry_place(app);
    if (inquiry_deadline_of(app)) set_deadline(in->arena, &x, inquiry_deadline_of(app));
    set_marks(in->arena, &x, app);
    struct cf_out o = cf_out_to(to);
    cf_out_object(&o, NULL);
    cf_outcome_out(&o, &world, in->arena, &x);
    if (in->hands_out && app->to_hand_out.len) cf_out_text(&o, "card_no", app->to_hand_out);
    cf_out_z(&o, "as_of", cf_rfc3339_text(in->facts->as_of, text));
    cf_out_z(&o, "source", in->from_cache ? "cache" : "store");
    cf_out_end(&o);
}
