/* Before anything runs: can the rules ever hold? */
#include "stop/stopping.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN 24 /* names in a message */

/* -- what there is, for messages ---------------------------------------------
 */

struct names {
    size_t n;
    int more;
    char item[SHOWN][ENS_STOP_NAME];
};

static void add_name(struct names *list, const char *name)
{
    for (size_t i = 0; i < list->n; i++)
        if (strncmp(list->item[i], name, ENS_STOP_NAME - 1) == 0)
            return;
    if (list->n == SHOWN) {
        list->more = 1;
        return;
    }
    strncpy(list->item[list->n++], name, ENS_STOP_NAME - 1);
}

static void put_names(const struct names *list, struct ens_buf *to)
{
    for (size_t i = 0; i < list->n; i++)
        ens_buf_printf(to, "%s%s", i > 0 ? ", " : "", list->item[i]);
    if (list->more)
        ens_buf_puts(to, " ...");
}

struct survey { /* rows of cells without records */
    struct ens_stop_look look;
    const char *measure; /* terms of which are listed; NULL: none */
    struct names measures, terms;
};

static enum ens_status survey_row(void *arg, const struct ens_measure *m,
                                  struct ens_error *err)
{
    struct survey *v = arg;

    add_name(&v->measures, m->measure);
    if (v->measure != NULL && ens_stop_is_measure(v->measure, m->measure))
        add_name(&v->terms, m->estimand);
    return ens_stop_look_row(&v->look, m, err);
}

static enum ens_status survey_cell(struct survey *v,
                                   const struct ens_host *host,
                                   const struct ens_plan *plan, uint64_t cell,
                                   struct ens_error *err)
{
    struct ens_stop_tally tally;
    struct ens_cell c;
    enum ens_status s;

    ens_study_cell(plan->study, cell, &c);
    s = ens_stop_tally_init(&tally, host, plan, &c, err);
    if (s != ENS_OK)
        return s;
    s = ens_stop_tally_rows(&tally, survey_row, v, err);
    ens_stop_tally_fini(&tally);
    return s;
}

/* Cell by cell, until every rule has found a row. */
static enum ens_status survey(struct survey *v,
                              const struct ens_stop_rules *rules,
                              const struct ens_host *host,
                              const struct ens_plan *plan,
                              struct ens_error *err)
{
    uint64_t n = ens_study_n_cells(plan->study);
    uint32_t all = (uint32_t)((UINT64_C(1) << rules->n) - 1);
    enum ens_status s = ENS_OK;

    v->look.rules = rules;
    for (uint64_t c = 0; c < n && s == ENS_OK && v->look.named != all; c++)
        s = survey_cell(v, host, plan, c, err);
    return s;
}

/* -- what is wrong -----------------------------------------------------------
 */

static enum ens_status fail_kind(const struct ens_plan *plan, const char *why,
                                 struct ens_error *err)
{
    char where[320];

    ens_study_where(plan->study, "stop", "rule", where, sizeof(where));
    return ens_fail(err, ENS_ESTUDY,
                    "%s: [stop] rule: kind %s cannot stop early: %s", where,
                    plan->kind->name, why);
}

static enum ens_status check_kind(const struct ens_host *host,
                                  const struct ens_plan *plan,
                                  struct ens_error *err)
{
    const struct ens_kind *k = plan->kind;

    if (!ens_stop_tally_is_possible(k))
        return fail_kind(plan, "it measures cells only when they are complete",
                         err);
    if (plan->stage[0].flags & ENS_STAGE_FIXED)
        return fail_kind(
            plan, "these settings fix the number of tasks of a cell", err);
    if (k->next != NULL &&
        (k->max_stages == NULL || k->max_stages(host, plan) != 1))
        return fail_kind(plan, "here it has more than one stage", err);
    return ENS_OK;
}

static enum ens_status fail_rule(const struct ens_stop_rule *rule, int measured,
                                 const struct survey *v,
                                 const struct ens_plan *plan,
                                 struct ens_error *err)
{
    struct ens_buf names = ENS_BUF_INIT;
    char where[320];

    ens_study_where(plan->study, "stop", "rule", where, sizeof(where));
    put_names(measured ? &v->terms : &v->measures, &names);
    if (measured)
        ens_fail(err, ENS_ESTUDY,
                 "%s: [stop] rule: %.100s: no cell has a %s of \"%s\"; terms: "
                 "%.600s, or * for all",
                 where, rule->text, rule->measure, rule->term,
                 ens_buf_text(&names));
    else
        ens_fail(err, ENS_ESTUDY,
                 "%s: [stop] rule: %.100s: no cell has a measure \"%s\"; "
                 "measures: %.600s%s",
                 where, rule->text, rule->measure, ens_buf_text(&names),
                 ens_study_value(plan->study, "metrics", "use") == NULL
                     ? ""
                     : "; others need a known truth and a place in [metrics] "
                       "use, and one pass over the cell's own records");
    ens_buf_fini(&names);
    return ENS_ESTUDY;
}

enum ens_status ens_stop_rules_check(struct ens_stop_rules *rules,
                                     const struct ens_host *host,
                                     const struct ens_plan *plan,
                                     struct ens_error *err)
{
    enum ens_status s = check_kind(host, plan, err);
    struct survey *v = calloc(1, sizeof(*v));

    if (s == ENS_OK && v == NULL)
        s = ens_fail(err, ENS_ENOMEMORY, "[stop]: out of memory");
    if (s == ENS_OK)
        s = survey(v, rules, host, plan, err);
    for (size_t i = 0; s == ENS_OK && i < rules->n; i++) {
        int measured = (int)(v->look.measured >> i & 1);

        if (v->look.named >> i & 1)
            continue;
        if (v->measures.n == 0) { /* only tasks know the fields */
            rules->unchecked |= 1u << i;
            continue;
        }
        if (measured) { /* once more, for its terms */
            memset(v, 0, sizeof(*v));
            v->measure = rules->rule[i].measure;
            s = survey(v, rules, host, plan, err);
        }
        if (s == ENS_OK)
            s = fail_rule(&rules->rule[i], measured, v, plan, err);
    }
    free(v);
    return s;
}
