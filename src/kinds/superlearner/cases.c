#include "kinds/superlearner/cases.h"

#include "config/study.h"
#include "kinds/superlearner/moments.h"
#include "kinds/superlearner/trees.h"
#include "learn/moments.h"

#include <string.h>

/* The steps of a cell's case, as written; NULL: none. */
static const struct ens_value *calls_of(const struct ens_cell *cell)
{
    const struct ens_value *v = ens_cell_value(cell, "learner", "case");

    if (!v->set)
        return NULL;
    v = ens_study_row_value(cell->study, "case", v->text, "preprocess");
    return v == NULL || !v->set ? NULL : v;
}

static enum ens_status read_steps(const struct ens_cell *cell,
                                  struct ens_prep *steps, struct ens_error *err)
{
    const struct ens_value *calls = calls_of(cell);

    memset(steps, 0, sizeof(*steps));
    steps->texts = ENS_TEXTS_REFUSED;
    return calls == NULL ? ENS_OK : ens_prep_read(calls, steps, err);
}

int ens_sl_shares_moments(const struct ens_cell *cell,
                          const struct ens_learner *learner)
{
    /* with rows: sums tell that all numbers are finite (ens_sl_finite) */
    return ens_sl_lag(cell) == 0 &&
           ((learner->uses & (ENS_LEARN_MOMENTS | ENS_LEARN_ROWS)) != 0 ||
            calls_of(cell) != NULL);
}

static int keeps_bins(const struct ens_cell *cell)
{
    struct ens_prep steps;

    if (read_steps(cell, &steps, NULL) != ENS_OK)
        return 0;
    for (size_t i = 0; i < steps.n; i++)
        if (steps.step[i].op->form != ENS_PREP_SCALE &&
            steps.step[i].op->form != ENS_PREP_NOTHING)
            return 0;
    return 1;
}

int ens_sl_shares_bins(const struct ens_cell *cell,
                       const struct ens_learner *learner)
{
    return (learner->uses & ENS_LEARN_BINS) != 0 && keeps_bins(cell);
}

enum ens_texts ens_sl_texts(const struct ens_cell *cell)
{
    struct ens_prep steps;

    return read_steps(cell, &steps, NULL) == ENS_OK ? steps.texts
                                                    : ENS_TEXTS_REFUSED;
}

uint64_t ens_sl_lag(const struct ens_cell *cell)
{
    struct ens_prep steps;

    return read_steps(cell, &steps, NULL) == ENS_OK ? steps.lag : 0;
}

enum ens_status ens_sl_case_ignored(const struct ens_cell *cell,
                                    struct ens_learn_source *source,
                                    struct ens_error *err)
{
    struct ens_prep steps;
    enum ens_status s = read_steps(cell, &steps, err);

    if (s == ENS_OK)
        s = ens_prep_ignored(&steps, (const char *const *)source->column,
                             source->p, source->arena, &source->ignored, err);
    return s == ENS_ESTUDY ? ENS_OK : s; /* a column that failed: fits say so */
}

/* Bins are of all columns; who leaves columns out makes bins of its own. */
static int reads_shared(const struct ens_sl_state *st,
                        const struct ens_cell *cell, int bins)
{
    const struct ens_learner *learner = ens_cell_impl(cell, "learner")->ops;

    return ens_sl_is_in(cell, &st->layer) && ens_sl_texts(cell) == st->texts &&
           (bins ? ens_sl_shares_bins(cell, learner)
                 : ens_sl_shares_moments(cell, learner));
}

enum ens_status ens_sl_shared_ignored(const struct ens_sl_job *job, int bins,
                                      struct ens_learn_source *source,
                                      struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    unsigned char *all = ens_arena_alloc(&st->arena, source->p, 1);
    uint64_t n = st->host->plan_n_cells(st->plan);
    struct ens_cell cell;
    enum ens_status s = ENS_OK;

    if (all == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    memset(all, 1, source->p);
    for (uint64_t i = 0; i < n && s == ENS_OK; i++) {
        st->host->plan_cell(st->plan, i, &cell);
        if (!reads_shared(st, &cell, bins))
            continue;
        s = ens_sl_case_ignored(&cell, source, err);
        for (size_t j = 0; j < source->p && s == ENS_OK; j++)
            all[j] &= source->ignored != NULL ? source->ignored[j] : 0;
    }
    source->ignored = memchr(all, 1, source->p) != NULL ? all : NULL;
    return s;
}

enum ens_status ens_sl_refuse(const struct ens_sl *sl,
                              const struct ens_rows *rows,
                              const struct ens_response *response,
                              struct ens_error *err)
{
    const struct ens_learn_source *source = ens_rows_bad_source(rows);
    const struct ens_input *in = source == response->y   ? sl->y
                                 : source == response->w ? sl->weights
                                                         : sl->x;
    struct ens_error bad;

    return ens_rows_bad(rows, &bad) == ENS_OK
               ? ENS_OK
               : ens_fail(err, ENS_EINPUT, "input %s (%s): %s", in->name,
                          in->path, bad.text);
}

/* Steps that are of use in some layers and families only. */
static enum ens_status check_uses(const struct ens_sl *sl,
                                  const struct ens_cell *cell,
                                  const struct ens_prep *steps,
                                  struct ens_error *err)
{
    struct ens_sl_layer layer;
    const char *screen = ens_prep_screen(steps);
    enum ens_status s = ens_sl_layer_of_cell(sl, cell, &layer, err);

    if (s != ENS_OK)
        return s;
    if (steps->lag > 0 && layer.spec.type != ENS_FOLDS_TEMPORAL)
        return ens_fail(err, ENS_ESTUDY,
                        "lag: of use in layers of type temporal only");
    if (steps->lag > layer.spec.burn_in && steps->lag > 0)
        return ens_fail(err, ENS_ESTUDY,
                        "lag: %llu rows, more than burn_in = %llu",
                        (unsigned long long)steps->lag,
                        (unsigned long long)layer.spec.burn_in);
    if (screen != NULL && sl->family == ENS_OUTCOME_MULTINOMIAL)
        return ens_fail(err, ENS_ESTUDY, "%s: not for family multinomial",
                        screen);
    return ENS_OK;
}

enum ens_status ens_sl_case_check(const struct ens_sl *sl,
                                  const struct ens_cell *cell,
                                  struct ens_error *err)
{
    struct ens_prep steps;
    struct ens_learn_source source;
    struct ens_arena arena;
    char place[64];
    enum ens_status s = read_steps(cell, &steps, err);

    ens_arena_init(&arena);
    ens_learn_source_init(&source, sl->n_rows, &arena);
    if (s == ENS_OK && ens_sl_layer_of(cell) == 1) {
        s = ens_learn_source_add_input(&source, sl->x, steps.texts, NULL, err);
        if (s == ENS_OK)
            s = ens_prep_check(&steps, source.column, source.p, &arena, err);
    }
    if (s == ENS_OK)
        s = check_uses(sl, cell, &steps, err);
    ens_arena_fini(&arena);
    if (s != ENS_ESTUDY)
        return s;
    snprintf(place, sizeof(place), "case %s",
             ens_cell_value(cell, "learner", "case")->text);
    ens_study_where(sl->study, place, "preprocess", place, sizeof(place));
    return ens_wrap(err, s, "%s: [case %s] preprocess", place,
                    ens_cell_value(cell, "learner", "case")->text);
}

/* -- moments --------------------------------------------------------------- */

/* By a pass over rows as they are. */
static enum ens_status by_pass(const struct ens_sl_case *c,
                               const struct ens_rows *r,
                               const struct ens_moments **m,
                               struct ens_error *err)
{
    struct ens_arena *arena = &c->job->st->arena;
    struct ens_moments *made = ens_arena_alloc(arena, 1, sizeof(*made));
    double *mem =
        ens_arena_alloc(arena, ens_moments_doubles(r->p), sizeof(*mem));
    double *work = ens_arena_alloc(arena, ens_moments_of_rows_doubles(r->p),
                                   sizeof(*work));

    if (made == NULL || mem == NULL || work == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    *m = made;
    return ens_moments_of_rows(r, mem, work, made, err);
}

enum ens_status ens_sl_case_shared(const struct ens_sl_case *c,
                                   enum ens_sl_which which,
                                   struct ens_sl_shared *to,
                                   struct ens_error *err)
{
    *to = (struct ens_sl_shared){0};
    return c->steps.lag > 0
               ? ENS_OK
               : ens_sl_shared_moments(c->job, c->fit, which, c->data, to, err);
}

/* Of the source's columns in the training rows. */
static enum ens_status raw_moments(void *arg, const struct ens_rows *r,
                                   const struct ens_moments **m,
                                   struct ens_error *err)
{
    struct ens_sl_case *c = arg;
    struct ens_sl_shared known;
    struct ens_rows raw;
    enum ens_status s = ens_sl_case_shared(c, ENS_SL_TRAIN, &known, err);

    *m = known.moments;
    if (s != ENS_OK || *m != NULL)
        return s;
    if (c->steps.n == 0 || c->steps.lag > 0)
        return by_pass(c, r, m, err);
    s = ens_sl_case_open(NULL, c->data, c->train, &raw, err);
    if (s == ENS_OK)
        s = by_pass(c, &raw, m, err);
    return s == ENS_OK ? ens_rows_bad(&raw, err) : s;
}

/* -- fit and rows ---------------------------------------------------------- */

static struct ens_rows_spec spec_of(const struct ens_sl_data *data,
                                    const struct ens_rowset *set)
{
    struct ens_rows_spec spec = {
        .source = &data->source,
        .set = *set,
        .response = &data->response,
    };

    return spec;
}

static enum ens_status fit_steps(struct ens_sl_case *c, struct ens_error *err)
{
    const struct ens_learn_source *source = &c->data->source;
    struct ens_arena *arena = &c->job->st->arena;
    struct ens_prep_train train = {.rows = spec_of(c->data, c->train)};
    struct ens_sl_shared known;
    enum ens_status s = ens_sl_case_shared(c, ENS_SL_TRAIN, &known, err);

    train.rows.lag = c->steps.lag;
    train.rows.moments = raw_moments;
    train.rows.moments_arg = c;
    if (s == ENS_OK && known.moments != NULL) {
        train.least = known.least;
        train.largest = known.largest;
    }
    if (s == ENS_OK)
        s = ens_prep_fit(&c->steps, &train, arena, &c->blob, &c->bytes, err);
    if (s == ENS_OK)
        s = ens_prep_open(c->blob, c->bytes, source->column, source->p, arena,
                          &c->fitted, err);
    c->moments = (struct ens_prep_moments){
        .fitted = &c->fitted, .raw = raw_moments, .raw_arg = c, .arena = arena};
    return s;
}

enum ens_status ens_sl_case_fit(const struct ens_sl_job *job,
                                struct ens_sl_fit fit,
                                const struct ens_sl_data *data,
                                const struct ens_rowset *train,
                                struct ens_sl_case *c, struct ens_error *err)
{
    enum ens_status s;

    *c = (struct ens_sl_case){
        .job = job, .fit = fit, .data = data, .train = train};
    s = read_steps(&job->task->cell, &c->steps, err);
    return s == ENS_OK && c->steps.n > 0 ? fit_steps(c, err) : s;
}

enum ens_status ens_sl_case_open(struct ens_sl_case *c,
                                 const struct ens_sl_data *data,
                                 const struct ens_rowset *set,
                                 struct ens_rows *rows, struct ens_error *err)
{
    struct ens_rows_spec spec = spec_of(data, set);

    if (c != NULL)
        spec.lag = c->steps.lag;
    if (c != NULL && c->blob != NULL) {
        spec.prep = &c->fitted.rows;
        spec.bins = data->bins;
        spec.moments = ens_prep_moments;
        spec.moments_arg = &c->moments;
    } else if (c != NULL) {
        spec.bins = data->bins;
        spec.moments = raw_moments;
        spec.moments_arg = c;
    }
    return ens_rows_open(&spec, data->source.arena, rows, err);
}
