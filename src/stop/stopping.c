#include "stop/stopping.h"

#include "base/bug.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static enum ens_status no_memory(struct ens_error *err)
{
    return ens_fail(err, ENS_ENOMEMORY, "[stop]: out of memory");
}

enum ens_status ens_stopping_init(struct ens_stopping *s,
                                  const struct ens_host *host,
                                  const struct ens_plan *plan,
                                  struct ens_error *err)
{
    enum ens_status status;

    memset(s, 0, sizeof(*s));
    s->host = host;
    s->plan = plan;
    status = ens_stop_rules_read(&s->rules, plan->study, err);
    if (status != ENS_OK || s->rules.n == 0)
        return status;
    status = ens_stop_rules_check(&s->rules, host, plan, err);
    if (status != ENS_OK)
        return status;
    s->n_cells = ens_study_n_cells(plan->study);
    s->at = calloc((size_t)s->n_cells + 1, sizeof(*s->at));
    s->unmet = calloc((size_t)s->n_cells / 64 + 1, sizeof(*s->unmet));
    return s->at != NULL && s->unmet != NULL ? ENS_OK : no_memory(err);
}

void ens_stopping_fini(struct ens_stopping *s)
{
    free(s->at);
    free(s->unmet);
    memset(s, 0, sizeof(*s));
}

void ens_stopping_clear(struct ens_stopping *s)
{
    if (s->rules.n == 0)
        return;
    memset(s->at, 0, (size_t)s->n_cells * sizeof(*s->at));
    memset(s->unmet, 0, ((size_t)s->n_cells / 64 + 1) * sizeof(*s->unmet));
    memset(&s->worst, 0, sizeof(s->worst));
}

static enum ens_status add_run(const struct ens_stopping *s,
                               const struct ens_stage_run *run,
                               struct ens_stage *to)
{
    enum ens_status status = ENS_OK;

    for (uint64_t c = 0; c < run->n_cells && status == ENS_OK; c++) {
        uint64_t cell = run->first_cell + c;

        status = ens_stage_add_run(
            to, cell, 1, ens_stopping_last(s, cell, run->n_replicates));
    }
    return status;
}

enum ens_status ens_stopping_stage(const struct ens_stopping *s,
                                   const struct ens_stage *stage,
                                   struct ens_stage *to, struct ens_error *err)
{
    struct ens_stage cut;
    enum ens_status status = ens_stage_copy(&cut, stage);

    if (status != ENS_OK)
        return no_memory(err);
    if (s != NULL && s->rules.n > 0) {
        cut.n_runs = 0;
        for (size_t i = 0; i < stage->n_runs && status == ENS_OK; i++)
            status = add_run(s, &stage->run[i], &cut);
    }
    if (status != ENS_OK) {
        ens_stage_fini(&cut);
        return no_memory(err);
    }
    *to = cut;
    return ENS_OK;
}

void ens_stopping_count(const struct ens_stopping *s,
                        struct ens_stopping_totals *t)
{
    double sum = 0;

    memset(t, 0, sizeof(*t));
    for (uint64_t c = 0; s->at != NULL && c < s->n_cells; c++) {
        uint32_t at = s->at[c];

        if (at == 0) {
            t->n_open++;
        } else if (ens_stopping_is_unmet(s, c)) {
            t->n_unmet++;
        } else {
            t->least = t->n_stopped == 0 || at < t->least ? at : t->least;
            t->most = at > t->most ? at : t->most;
            t->n_stopped++;
            sum += at;
        }
    }
    t->mean = t->n_stopped > 0 ? sum / (double)t->n_stopped : NAN;
}

/* -- a cell ------------------------------------------------------------------
 */

enum ens_status ens_follow_init(struct ens_follow *f,
                                const struct ens_stopping *s, uint64_t cell,
                                uint32_t max, struct ens_error *err)
{
    struct ens_stop_tally tally;
    struct ens_cell c;
    enum ens_status status;

    ens_study_cell(s->plan->study, cell, &c);
    status = ens_stop_tally_init(&tally, s->host, s->plan, &c, err);
    if (status != ENS_OK)
        return status;
    *f = (struct ens_follow){cell, tally, 0, s->rules.min, max};
    if (f->check > max)
        f->check = max;
    return ENS_OK;
}

void ens_follow_fini(struct ens_follow *f)
{
    ens_stop_tally_fini(&f->tally);
}

/* The cell farthest from its rules; of equal ones the first. */
static void note_unmet(struct ens_stopping *s, uint64_t cell,
                       const struct ens_stop_worst *worst)
{
    s->unmet[cell / 64] |= UINT64_C(1) << cell % 64;
    if (worst->ratio < s->worst.ratio ||
        (worst->ratio == s->worst.ratio && s->worst_cell < cell))
        return;
    s->worst = *worst;
    s->worst_cell = cell;
}

static enum ens_status look(struct ens_follow *f, struct ens_stopping *s,
                            struct ens_error *err)
{
    struct ens_stop_look l = {.rules = &s->rules};
    enum ens_status status =
        ens_stop_tally_rows(&f->tally, ens_stop_look_row, &l, err);

    if (status != ENS_OK)
        return status;
    if (ens_stop_look_holds(&l)) {
        s->at[f->cell] = f->seen;
    } else if (f->seen == f->max) {
        s->at[f->cell] = f->seen;
        note_unmet(s, f->cell, &l.worst);
    } else {
        f->check = f->max - f->check > s->rules.every
                       ? f->check + s->rules.every
                       : f->max;
    }
    return ENS_OK;
}

enum ens_status ens_follow_add(struct ens_follow *f, struct ens_stopping *s,
                               const struct ens_record *rec,
                               const struct ens_schema *schema,
                               struct ens_error *err)
{
    enum ens_status status;

    ENS_BUG_ON(s->at[f->cell] != 0 || f->seen == f->max);
    status = ens_stop_tally_add(&f->tally, rec, schema, err);
    if (status != ENS_OK)
        return status;
    f->seen++;
    return f->seen == f->check ? look(f, s, err) : ENS_OK;
}
