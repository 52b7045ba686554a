#include "kinds/superlearner/tables.h"

#include "base/arena.h"
#include "kinds/superlearner/fit.h"
#include "kinds/superlearner/members.h"
#include "kinds/superlearner/search.h"
#include "kinds/superlearner/state.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define LAP_FIT     0 /* of the kind's laps */
#define LAP_PREDICT 1

static union ens_table_value number(double v)
{
    return (union ens_table_value){.f64 = v};
}

static union ens_table_value whole(uint64_t v)
{
    return (union ens_table_value){.i64 = (int64_t)v};
}

/* -- fits of a learner ----------------------------------------------------- */

/* Mean and standard deviation (of n, not n - 1) over folds. */
struct over_folds {
    uint64_t n;
    double mean, m2;
};

static void add(struct over_folds *o, double x)
{
    double d = x - o->mean;

    if (isnan(x))
        return;
    o->n++;
    o->mean += d / (double)o->n;
    o->m2 += d * (x - o->mean);
}

static double mean_of(const struct over_folds *o)
{
    return o->n > 0 ? o->mean : NAN;
}

static double sd_of(const struct over_folds *o)
{
    return o->n > 0 ? sqrt(o->m2 / (double)o->n) : NAN;
}

struct fits { /* of a learner and partition, sample 0, folds 1 .. K */
    uint64_t failed;
    struct over_folds score, train, fit, predict;
};

static enum ens_status add_fits(const struct ens_sl_tables_at *at,
                                const struct ens_sl_layer *layer, uint64_t cell,
                                struct fits *of, struct ens_error *err)
{
    char key[ENS_SL_KEY];
    struct ens_records *in;
    const struct ens_schema *schema;
    struct ens_record r;
    enum ens_status s;

    ens_sl_stage_key(ens_sl_at(layer, ENS_SL_FIT), key);
    s = at->host->stage_records(at->in, key, cell, &in, err);
    while (s == ENS_OK && at->host->next_record(in, &r, &schema)) {
        struct ens_sl_fit fit = ens_sl_fit_of(layer, r.replicate);
        struct fits *f = &of[fit.partition];

        if (fit.sample > 0 || fit.fold == 0)
            continue;
        if (r.status != ENS_TASK_OK) {
            f->failed++;
            continue;
        }
        add(&f->score, at->host->record_f64(&r, schema, ENS_SL_F_SCORE));
        add(&f->train, at->host->record_f64(&r, schema, ENS_SL_F_TRAIN_SCORE));
        add(&f->fit, at->host->record_lap(&r, LAP_FIT));
        add(&f->predict, at->host->record_lap(&r, LAP_PREDICT));
    }
    return s;
}

/* Calls put for every learner and partition, in the order of layers. */
typedef enum ens_status put_fn(const struct ens_sl_tables_at *at,
                               const struct ens_sl_layer *layer,
                               const struct ens_cell *cell, uint32_t partition,
                               const struct fits *f, struct ens_error *err);

static enum ens_status put_learner(const struct ens_sl_tables_at *at,
                                   const struct ens_sl_layer *layer,
                                   const struct ens_cell *cell, put_fn *put,
                                   struct ens_error *err)
{
    struct ens_arena arena;
    struct fits *of;
    enum ens_status s;

    ens_arena_init(&arena);
    of = ens_arena_alloc(&arena, layer->n_partitions, sizeof(*of));
    s = of == NULL ? ens_fail(err, ENS_ENOMEMORY, "tables: out of memory")
                   : add_fits(at, layer, cell->ordinal, of, err);
    for (uint32_t j = 0; j < layer->n_partitions && s == ENS_OK; j++)
        s = put(at, layer, cell, j, &of[j], err);
    ens_arena_fini(&arena);
    return s;
}

static enum ens_status each_learner(const struct ens_sl_tables_at *at,
                                    put_fn *put, struct ens_error *err)
{
    uint32_t n_layers = ens_sl_n_layers(at->plan, at->host);
    struct ens_sl_groups groups;
    const struct ens_sl_layer *layer;
    struct ens_cell cell;
    enum ens_status s = ENS_OK;

    for (uint32_t l = 1; l <= n_layers && s == ENS_OK; l++) {
        s = ens_sl_groups(&at->sl, l, &groups, err);
        for (uint64_t i = 0;
             s == ENS_OK && i < at->host->plan_n_cells(at->plan); i++) {
            at->host->plan_cell(at->plan, i, &cell);
            layer = ens_sl_in_groups(&groups, &cell);
            if (layer != NULL)
                s = put_learner(at, layer, &cell, put, err);
        }
    }
    return s;
}

/* -- scores ---------------------------------------------------------------- */

#define LEARNER_FIELDS                                                         \
    {"layer", ENS_I64, "", "layer the learner is in"}, ENS_SL_GROUP_FIELD,     \
        {"case", ENS_TEXT, "", "how its columns are prepared"},                \
        {"learner", ENS_TEXT, "", "its section, and values of its axes"},      \
    {                                                                          \
        "partition", ENS_I64, "", "part of the rows it is fitted on"           \
    }

static const struct ens_field score_fields[] = {
    LEARNER_FIELDS,
    {"folds", ENS_I64, "", "folds with a score"},
    {"failed", ENS_I64, "", "folds whose fit failed"},
    {"score", ENS_F64, "", "mean over folds"},
    {"score_sd", ENS_F64, "",
     "standard deviation over folds (of n, not n - 1)"},
    {"train_score", ENS_F64, "", "of the rows fitted on (type select)"},
    {"train_score_sd", ENS_F64, "", "the same"},
};

static void put_names(const struct ens_sl_layer *layer,
                      const struct ens_cell *cell, uint32_t partition,
                      char learner[ENS_SL_NAME], union ens_table_value *row)
{
    ens_sl_row_name(cell, learner, ENS_SL_NAME);
    row[0] = whole(layer->number);
    row[1] = ens_sl_text(layer->group);
    row[2] = ens_sl_text(ens_cell_value(cell, "learner", "case")->text);
    row[3] = ens_sl_text(learner);
    row[4] = whole(partition + 1);
}

static enum ens_status put_score(const struct ens_sl_tables_at *at,
                                 const struct ens_sl_layer *layer,
                                 const struct ens_cell *cell,
                                 uint32_t partition, const struct fits *f,
                                 struct ens_error *err)
{
    union ens_table_value row[ENS_COUNT(score_fields)];
    char learner[ENS_SL_NAME];

    put_names(layer, cell, partition, learner, row);
    row[5] = whole(f->score.n);
    row[6] = whole(f->failed);
    row[7] = number(mean_of(&f->score));
    row[8] = number(sd_of(&f->score));
    row[9] = number(mean_of(&f->train));
    row[10] = number(sd_of(&f->train));
    return ens_sl_put_row(at, row, ENS_COUNT(row), err);
}

/* -- summary: the same with times ------------------------------------------ */

static const struct ens_field summary_fields[] = {
    LEARNER_FIELDS,
    {"score", ENS_F64, "", "mean over folds"},
    {"score_sd", ENS_F64, "", "standard deviation over folds"},
    {"fit", ENS_F64, "s", "time of a fit: mean over folds"},
    {"fit_sd", ENS_F64, "s", "standard deviation"},
    {"predict", ENS_F64, "s", "time of predicting a fold: mean over folds"},
    {"predict_sd", ENS_F64, "s", "standard deviation"},
    {"risk", ENS_F64, "", "cross-validated"},
    {"weight", ENS_F64, "", "in the super learner"},
};

static enum ens_status put_summary(const struct ens_sl_tables_at *at,
                                   const struct ens_sl_layer *layer,
                                   const struct ens_cell *cell,
                                   uint32_t partition, const struct fits *f,
                                   struct ens_error *err)
{
    union ens_table_value row[ENS_COUNT(summary_fields)];
    const double *weight = ens_sl_weight_of(at, layer, cell, partition);
    char learner[ENS_SL_NAME];

    put_names(layer, cell, partition, learner, row);
    row[5] = number(mean_of(&f->score));
    row[6] = number(sd_of(&f->score));
    row[7] = number(mean_of(&f->fit));
    row[8] = number(sd_of(&f->fit));
    row[9] = number(mean_of(&f->predict));
    row[10] = number(sd_of(&f->predict));
    row[11] = number(weight == NULL ? NAN : weight[1]);
    row[12] = number(weight == NULL ? NAN : weight[0]);
    return ens_sl_put_row(at, row, ENS_COUNT(row), err);
}

/* -- search ---------------------------------------------------------------- */

static enum ens_status keep_found(const struct ens_sl_tables_at *at,
                                  const struct ens_sl_layer *layer,
                                  const struct ens_cell *cell,
                                  uint32_t partition, const struct fits *f,
                                  struct ens_error *err)
{
    struct ens_sl_found found = {
        .cell = cell->ordinal,
        .layer = layer->number,
        .partition = partition,
        .folds = f->score.n,
        .failed = f->failed,
        .score = {mean_of(&f->score), sd_of(&f->score)},
        .train = {mean_of(&f->train), sd_of(&f->train)},
    };

    ens_buf_put(at->found, &found, sizeof(found));
    return at->found->failed
               ? ens_fail(err, ENS_ENOMEMORY, "tables: out of memory")
               : ENS_OK;
}

static enum ens_status put_search(struct ens_sl_tables_at *at,
                                  struct ens_error *err)
{
    struct ens_buf found = ENS_BUF_INIT;
    enum ens_status s;

    if (!at->sl.is_select)
        return ENS_OK;
    at->found = &found;
    s = each_learner(at, keep_found, err);
    if (s == ENS_OK)
        s = ens_sl_put_search(at, err);
    ens_buf_fini(&found);
    return s;
}

/* -- as the host asks -------------------------------------------------------
 */

#define COLUMNS(name, fields)                                                  \
    static enum ens_status name##_columns(                                     \
        const struct ens_host *host, const struct ens_plan *plan,              \
        struct ens_tables_in *in, ens_table_column_fn *sink, void *arg,        \
        struct ens_error *err)                                                 \
    {                                                                          \
        (void)in;                                                              \
        return ens_sl_put_columns(host->plan_study(plan), fields,              \
                                  ENS_COUNT(fields), sink, arg, err);          \
    }
#define ROWS(name, call)                                                       \
    static enum ens_status name##_rows(                                        \
        const struct ens_host *host, const struct ens_plan *plan,              \
        struct ens_tables_in *in, ens_table_row_fn *sink, void *arg,           \
        struct ens_error *err)                                                 \
    {                                                                          \
        struct ens_sl_tables_at at;                                            \
        enum ens_status s = ens_sl_tables_open(&at, host, plan, in, err);      \
                                                                               \
        at.sink = sink;                                                        \
        at.arg = arg;                                                          \
        return s == ENS_OK ? (call) : s;                                       \
    }

COLUMNS(scores, score_fields)
ROWS(scores, each_learner(&at, put_score, err))
COLUMNS(summary, summary_fields)
ROWS(summary, each_learner(&at, put_summary, err))
COLUMNS(search, ens_sl_search_fields)
ROWS(search, put_search(&at, err))
COLUMNS(weights, ens_sl_weight_fields)
ROWS(weights, ens_sl_put_weights(&at, err))
static enum ens_status risks_columns(const struct ens_host *host,
                                     const struct ens_plan *plan,
                                     struct ens_tables_in *in,
                                     ens_table_column_fn *sink, void *arg,
                                     struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    (void)host;
    (void)plan;
    (void)in;
    for (size_t i = 0; i < ENS_COUNT(ens_sl_risk_fields) && s == ENS_OK; i++)
        s = sink(arg, &ens_sl_risk_fields[i], err);
    return s;
}
ROWS(risks, ens_sl_put_risks(&at, err))
ROWS(correlations, ens_sl_put_correlations(&at, err))
ROWS(predictions, ens_sl_put_predictions(&at, err))

const struct ens_table_def ens_sl_tables[ENS_SL_N_TABLES] = {
    {.name = "summary",
     .help = "a row per learner and partition: score, times, risk, weight",
     .shown = 1,
     .facts = 1,
     .columns = summary_columns,
     .rows = summary_rows},
    {.name = "scores",
     .help = "a row per learner and partition: score over folds",
     .written = 1,
     .columns = scores_columns,
     .rows = scores_rows},
    {.name = "search",
     .help = "of type select: a row per learner and partition, the best first",
     .shown = 1,
     .columns = search_columns,
     .rows = search_rows},
    {.name = "weights",
     .help = "a row per learner and partition of the last layer, and outer "
             "fold: its cross-validated risk and weight",
     .written = 1,
     .columns = weights_columns,
     .rows = weights_rows},
    {.name = "risks",
     .help = "risk of each learner, of the best one and of the super learner",
     .written = 1,
     .shown = 1,
     .columns = risks_columns,
     .rows = risks_rows},
    {.name = "correlations",
     .help = "correlations of out-of-fold predictions of the last layer",
     .columns = ens_sl_correlation_columns,
     .rows = correlations_rows},
    {.name = "predictions",
     .help = "out-of-fold predictions: a row per row of X, a column per "
             "learner of the last layer",
     .large = 1,
     .columns = ens_sl_prediction_columns,
     .rows = predictions_rows},
};
