/* Measures of a cell: passes over its records, and the checks of [metrics].
 *
 * All measures but a few come of one pass in replicate order; the others see
 * the records again (tally.h). Of the fit compared with, records of the same
 * replicates run along: nothing is kept but sums. */
#include "base/bug.h"
#include "config/study.h"
#include "kinds/simulation/program.h"
#include "kinds/simulation/tally.h"
#include "program/output.h"

#include <stdio.h>
#include <string.h>

/* -- checks ------------------------------------------------------------------
 */

static enum ens_status wrap(const struct ens_study *study, const char *key,
                            enum ens_status s, struct ens_error *err)
{
    char where[320];

    ens_study_where(study, "metrics", key, where, sizeof(where));
    return ens_wrap(err, s, "%s: [metrics] %s", where, key);
}

/* Names of metrics that tasks compute are columns: of its own each. */
static enum ens_status check_computed(const struct ens_study *study,
                                      const struct ens_choice *choice,
                                      struct ens_error *err)
{
    struct ens_simulation_metrics m;
    enum ens_status s = ens_simulation_metrics(study, &m, err);

    if (s != ENS_OK)
        return s;
    for (size_t i = 0; i < m.n; i++) {
        int twice = 0;

        for (size_t k = 0; k < i; k++)
            twice |= strcmp(m.item[i].name, m.item[k].name) == 0;
        for (size_t k = 0; k < choice->n; k++)
            twice |= strcmp(m.item[i].name, choice->item[k].name) == 0;
        if (twice)
            return wrap(
                study, "use",
                ens_fail(err, ENS_ESTUDY, "%s is there twice", m.item[i].name),
                err);
    }
    return ENS_OK;
}

/* [metrics] run and fields: both, or neither. */
static enum ens_status check_program(const struct ens_study *study,
                                     struct ens_error *err)
{
    const struct ens_value *run = ens_study_value(study, "metrics", "run");
    const struct ens_value *list = ens_study_value(study, "metrics", "fields");
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_output_fields fields = {0};
    char where[320];
    enum ens_status s = ENS_OK;

    if (run->set)
        s = ens_program_check(study, run->text, err);
    if (s == ENS_OK && run->set != (list->n_list > 0))
        s = ens_fail(err, ENS_ESTUDY, "%s",
                     run->set ? "fields: missing: the numbers that run gives"
                              : "fields: only with run");
    if (s == ENS_OK && list->n_list > ENS_SIMULATION_MAX_FIELDS)
        s = ens_fail(err, ENS_ESTUDY, "fields: more than %d",
                     ENS_SIMULATION_MAX_FIELDS);
    if (s == ENS_OK)
        s = ens_output_fields_parse(&fields, list, &arena, err);
    for (size_t i = 0; s == ENS_OK && i < list->n_list; i++)
        if (strchr(list->list[i].text, ':') != NULL)
            s = ens_fail(err, ENS_ESTUDY, "fields: %.60s: all are numbers",
                         list->list[i].text);
    ens_arena_fini(&arena);
    if (s == ENS_OK)
        return s;
    ens_study_where(study, "metrics", list->n_list > 0 ? "fields" : "run",
                    where, sizeof(where));
    return ens_wrap(err, s, "%s: [metrics]", where);
}

enum ens_status ens_simulation_check_metrics(const struct ens_study *study,
                                             struct ens_error *err)
{
    struct ens_choice choice;
    enum ens_status s = ens_choice_read(&choice, study, err);

    if (s == ENS_OK)
        s = check_computed(study, &choice, err);
    return s == ENS_OK ? check_program(study, err) : s;
}

/* A term of interest is one of some model. */
static enum ens_status check_term(const struct ens_simulation_schemas *schemas,
                                  const char *term, struct ens_error *err)
{
    char name[256];

    snprintf(name, sizeof(name), "estimate__%.200s", term);
    for (uint32_t k = 0; k < schemas->n; k++)
        for (size_t i = 0; i < schemas->item[k].n; i++)
            if (strcmp(schemas->item[k].field[i].name, name) == 0)
                return ENS_OK;
    return ens_fail(err, ENS_ESTUDY, "no fit estimates \"%.60s\"", term);
}

/* The row is there, and for each fit one cell of it. */
static enum ens_status check_compare(const struct ens_host *host,
                                     const struct ens_plan *plan,
                                     const char *row, struct ens_error *err)
{
    uint64_t n = ens_study_role_count(host->plan_study(plan), "fit");
    enum ens_status s = ENS_OK;

    for (uint64_t i = 0; s == ENS_OK && i < n; i++) {
        struct ens_cell cell, other;
        int found;

        host->plan_cell(plan, i, &cell);
        s = ens_tally_other(host, plan, &cell, row, &other, &found, err);
    }
    return s;
}

enum ens_status ens_simulation_check_measures(
    const struct ens_host *host, const struct ens_plan *plan,
    const struct ens_simulation_schemas *schemas, struct ens_error *err)
{
    const struct ens_study *study = host->plan_study(plan);
    struct ens_choice c;
    enum ens_status s = ens_choice_read(&c, study, err);

    for (size_t i = 0; s == ENS_OK && i < c.terms->n_list; i++) {
        s = check_term(schemas, c.terms->list[i].text, err);
        if (s != ENS_OK)
            return wrap(study, "terms", s, err);
    }
    if (s != ENS_OK || *c.compare == '\0')
        return s;
    s = check_compare(host, plan, c.compare, err);
    return s == ENS_OK ? s : wrap(study, "compare", s, err);
}

/* -- passes ------------------------------------------------------------------
 */

/* The records of the fit compared with, up to a replicate. */
struct beside {
    const struct ens_host *host;
    struct ens_records *in; /* NULL: there is none */
    struct ens_record rec;
    const struct ens_schema *schema;
    int has; /* rec is one */
};

static struct ens_tally_record follow(struct beside *b, uint32_t replicate)
{
    while (b->in != NULL && (!b->has || b->rec.replicate < replicate)) {
        b->has = b->host->next_record(b->in, &b->rec, &b->schema);
        if (!b->has)
            b->in = NULL;
    }
    return b->has && b->rec.replicate == replicate
               ? (struct ens_tally_record){&b->rec, b->schema}
               : (struct ens_tally_record){NULL, NULL};
}

static void walk(const struct ens_host *host, struct ens_tally *t,
                 enum ens_tally_pass pass, struct ens_records *in,
                 struct ens_records *other)
{
    struct beside beside = {.host = host, .in = other};
    const struct ens_schema *schema;
    struct ens_record rec;

    host->rewind(in);
    if (other != NULL)
        host->rewind(other);
    while (host->next_record(in, &rec, &schema))
        ens_tally_see(t, pass, (struct ens_tally_record){&rec, schema},
                      follow(&beside, rec.replicate));
}

static enum ens_status walk_all(const struct ens_host *host,
                                struct ens_tally *t, struct ens_records *in,
                                struct ens_error *err)
{
    struct ens_records *other = NULL;
    enum ens_status s = ENS_OK;

    if (t->has_other)
        s = host->records_of(in, t->other.cell.ordinal, &other, err);
    for (int pass = 0; s == ENS_OK && pass < ENS_TALLY_PASSES; pass++) {
        int needed;

        s = ens_tally_begin(t, pass, &needed, err);
        while (s == ENS_OK && needed) {
            walk(host, t, pass, in, other);
            needed = ens_tally_again(t, pass);
        }
    }
    return s;
}

/* -- slots of the kind -------------------------------------------------------
 */

enum ens_status ens_simulation_measures(const struct ens_host *host,
                                        const struct ens_plan *plan,
                                        const struct ens_cell *cell,
                                        struct ens_records *in,
                                        ens_measure_fn *sink, void *arg,
                                        struct ens_error *err)
{
    struct ens_tally *t;
    enum ens_status s = ens_tally_new(&t, host, plan, cell, err);

    if (s != ENS_OK)
        return s;
    s = walk_all(host, t, in, err);
    if (s == ENS_OK)
        s = ens_tally_rows(t, 0, sink, arg, err);
    ens_tally_free(t);
    return s;
}

enum ens_status ens_simulation_tally_new(const struct ens_host *host,
                                         const struct ens_plan *plan,
                                         const struct ens_cell *cell,
                                         void **tally, struct ens_error *err)
{
    struct ens_tally *t;
    enum ens_status s = ens_tally_new(&t, host, plan, cell, err);

    if (s == ENS_OK)
        *tally = t;
    return s;
}

void ens_simulation_tally_free(void *tally)
{
    ens_tally_free(tally);
}

enum ens_status ens_simulation_tally_add(void *tally,
                                         const struct ens_record *rec,
                                         const struct ens_schema *schema,
                                         struct ens_error *err)
{
    (void)err;
    ens_tally_see(tally, ENS_TALLY_SUM, (struct ens_tally_record){rec, schema},
                  (struct ens_tally_record){NULL, NULL});
    return ENS_OK;
}

enum ens_status ens_simulation_tally_rows(void *tally, ens_measure_fn *sink,
                                          void *arg, struct ens_error *err)
{
    return ens_tally_rows(tally, 1, sink, arg, err);
}
