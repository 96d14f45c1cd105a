/* docs/states.md: a diagram and a table for each machine. */
#include "common/pure/kinds.h"
#include "ops/states/states.h"

static const char *const titles[STATES_MACHINES] = {"An application", "A temporary card",
                                                    "A card"};
static const char *const starts[STATES_MACHINES] = {"received", "accepted", "reserved"};

/* Said of the first edge of its kind; later ones are skipped by the callers. */
static bool is_first(const struct states_list *list, size_t i)
{
    const struct states_edge *e = &list->edge[i];
    for (size_t k = 0; k < i; k++)
        if (list->edge[k].machine == e->machine && strcmp(list->edge[k].from, e->from) == 0 &&
            strcmp(list->edge[k].to, e->to) == 0)
            return false;
    return true;
}

/* The events of all edges between the same two states. */
static void write_events(FILE *out, const struct states_list *list, size_t at, const char *between)
{
    const struct states_edge *first = &list->edge[at];
    const char *last = "";
    for (size_t i = at; i < list->n; i++) {
        const struct states_edge *e = &list->edge[i];
        if (e->machine != first->machine || strcmp(e->from, first->from) != 0 ||
            strcmp(e->to, first->to) != 0 || strcmp(last, e->on) == 0)
            continue;
        fprintf(out, "%s%s", i == at ? "" : between, e->on);
        last = e->on;
    }
}

static void write_diagram(FILE *out, const struct states_list *list, enum states_machine machine)
{
    fprintf(out, "```mermaid\nstateDiagram-v2\n    [*] --> %s\n", starts[machine]);
    for (size_t i = 0; i < list->n; i++) {
        const struct states_edge *e = &list->edge[i];
        if (e->machine != machine || !states_moves(e) || !is_first(list, i)) continue;
        bool back = strcmp(e->to, STATES_BEFORE_LOSS) == 0;
        fprintf(out, "    %s --> %s: ", e->from, back ? "before_loss" : e->to);
        write_events(out, list, i, " / ");
        fputs("\n", out);
    }
    if (machine == STATES_CARD)
        fprintf(out, "    before_loss: %s\n", STATES_BEFORE_LOSS);
    fputs("```\n\n", out);
}

static void write_photo(FILE *out, const struct states_list *list, size_t at)
{
    const struct states_edge *first = &list->edge[at];
    const char *between = ", photo-fetch (";
    for (size_t i = at; i < list->n; i++) {
        const struct states_edge *e = &list->edge[i];
        if (!e->also || e->machine != first->machine || strcmp(e->from, first->from) != 0 ||
            strcmp(e->to, first->to) != 0)
            continue;
        fprintf(out, "%s%s", between, e->also);
        between = "; ";
    }
    if (strcmp(between, "; ") == 0) fputs(")", out);
}

static void write_table(FILE *out, const struct states_list *list, const struct states_domain *d,
                        enum states_machine machine)
{
    fputs("| from | to | on | decided by | in the domain's table |\n"
          "| --- | --- | --- | --- | --- |\n",
          out);
    for (size_t i = 0; i < list->n; i++) {
        const struct states_edge *e = &list->edge[i];
        if (e->machine != machine || !states_moves(e) || !is_first(list, i)) continue;
        fprintf(out, "| %s | %s | ", e->from, e->to);
        write_events(out, list, i, ", ");
        fprintf(out, " | %s", e->by);
        write_photo(out, list, i);
        const struct states_row *r =
            states_domain_find((struct states_domain *)(uintptr_t)d, machine, e->from, e->to);
        if (r && r->why.len)
            fprintf(out, " | no: %.*s |\n", CF_ARG(r->why));
        else
            fprintf(out, " | %s |\n", r ? "yes" : "no");
    }
    fputs("\n", out);
}

/* Pairs that change nothing: said before, or ahead of the state. */
static void write_still(FILE *out, const struct states_list *list, enum states_machine machine,
                        bool waits)
{
    const char *from = "";
    for (size_t i = 0; i < list->n; i++) {
        const struct states_edge *e = &list->edge[i];
        if (e->machine != machine || states_moves(e) || (e->to[0] == 0) != waits) continue;
        if (strcmp(from, e->from) != 0)
            fprintf(out, "%s| %s | %s", *from ? " |\n" : "", e->from, e->on);
        else
            fprintf(out, ", %s", e->on);
        from = e->from;
    }
    fputs(*from ? " |\n\n" : "none\n\n", out);
}

static void write_missing(FILE *out, const struct states_domain *d, enum states_machine machine)
{
    bool any = false;
    for (size_t i = 0; i < d->n; i++) {
        const struct states_row *r = &d->row[i];
        if (r->machine != machine || r->seen) continue;
        if (!any) fputs("In the domain's table and not in the code:\n", out);
        any = true;
        fprintf(out, "- %.*s to %.*s\n", CF_ARG(r->from), CF_ARG(r->to));
    }
    if (any) fputs("\n", out);
}

static void write_machine(FILE *out, const struct states_list *list, const struct states_domain *d,
                          enum states_machine machine)
{
    fprintf(out, "## %s\n\n", titles[machine]);
    write_diagram(out, list, machine);
    write_table(out, list, d, machine);
    write_missing(out, d, machine);
    fputs("Said before, changes nothing:\n\n| in state | on |\n| --- | --- |\n", out);
    write_still(out, list, machine, false);
    if (machine == STATES_CARD) return;
    fputs("Ahead of the state, kept until it fits:\n\n| in state | on |\n| --- | --- |\n", out);
    write_still(out, list, machine, true);
}

void states_write(FILE *out, const struct states_list *list, const struct states_domain *d)
{
    fputs("# States\n\n"
          "Written by `build/dev/bin/states tests/data/states.csv > docs/states.md` from the tables in\n"
          "`services/intake/rules_states.c`, `services/photo-fetch/rules.c` and\n"
          "`services/production/rules_machine.c`; the unit test `docs_states` fails when they differ, when\n"
          "the services contradict each other, and when an edge stands in no row of `states.csv`, which is\n"
          "the domain's table and, with a reason each, what follows from its other rules.\n\n"
          "A pair that stands nowhere here contradicts the state: an operation is refused with a reason, a\n"
          "bank's answer is parked. About an application that has ended nothing changes any more.\n\n",
          out);
    for (int m = 0; m < STATES_MACHINES; m++)
        write_machine(out, list, d, (enum states_machine)m);
}
