#include "kinds/superlearner/members.h"

#include "kinds/superlearner/meta.h"
#include "kinds/superlearner/state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum ens_status ens_sl_tables_open(struct ens_sl_tables_at *at,
                                   const struct ens_host *host,
                                   const struct ens_plan *plan,
                                   struct ens_tables_in *in,
                                   struct ens_error *err)
{
    struct ens_view view;
    uint32_t n_layers = ens_sl_n_layers(plan, host);
    enum ens_status s;

    *at = (struct ens_sl_tables_at){.host = host, .plan = plan, .in = in};
    s = ens_sl_read(&at->sl, plan, host, err);
    if (s == ENS_OK)
        s = ens_sl_groups(&at->sl, n_layers, &at->last, err);
    if (s == ENS_OK)
        s = ens_sl_meta_layer(&at->sl, n_layers, &at->meta, err);
    if (s != ENS_OK)
        return s;
    at->m = at->last.of[0].m;
    at->n_members = ens_sl_n_members(&at->sl, plan, host);
    if (at->sl.is_select || !host->stage_finished(in, "meta"))
        return ENS_OK;
    s = host->output(in, "weights", 0, &view, err);
    if (s == ENS_OK) {
        at->weights = view.data;
        s = host->output(in, "risks", 0, &view, err);
    }
    if (s == ENS_OK)
        at->risks = view.data;
    return s;
}

union ens_table_value ens_sl_text(const char *text)
{
    return (union ens_table_value){.text = {text, strlen(text)}};
}

static int has_groups(const struct ens_study *study)
{
    const char *first = ens_study_row(study, "group", 0);

    return first != NULL && first[0] != '\0';
}

enum ens_status ens_sl_put_columns(const struct ens_study *study,
                                   const struct ens_field *f, size_t n,
                                   ens_table_column_fn *sink, void *arg,
                                   struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < n && s == ENS_OK; i++)
        if (i != 1 || has_groups(study))
            s = sink(arg, &f[i], err);
    return s;
}

enum ens_status ens_sl_put_row(const struct ens_sl_tables_at *at,
                               union ens_table_value *row, size_t n,
                               struct ens_error *err)
{
    if (!has_groups(at->sl.study))
        memmove(row + 1, row + 2, (n - 2) * sizeof(*row));
    return at->sink(at->arg, row, err);
}

/* Calls fn for every member: its group, cell, partition and number. */
typedef enum ens_status member_fn(void *arg, const struct ens_sl_layer *group,
                                  const struct ens_cell *cell,
                                  uint32_t partition, uint64_t i,
                                  struct ens_error *err);

static enum ens_status each_member(const struct ens_sl_tables_at *at,
                                   member_fn *fn, void *arg,
                                   struct ens_error *err)
{
    uint64_t n = at->host->plan_n_cells(at->plan), k = 0;
    struct ens_cell cell;
    enum ens_status s = ENS_OK;

    for (uint64_t i = 0; i < n && s == ENS_OK; i++) {
        const struct ens_sl_layer *group;

        at->host->plan_cell(at->plan, i, &cell);
        group = ens_sl_in_groups(&at->last, &cell);
        for (uint32_t j = 0;
             group != NULL && j < group->n_partitions && s == ENS_OK; j++)
            s = fn(arg, group, &cell, j, k++, err);
    }
    return s;
}

const double *ens_sl_weight_of(const struct ens_sl_tables_at *at,
                               const struct ens_sl_layer *layer,
                               const struct ens_cell *cell, uint32_t partition)
{
    struct ens_cell c;
    uint64_t before = 0;

    if (at->weights == NULL || layer->number + 1 != at->meta.number)
        return NULL;
    for (uint64_t i = 0; i < cell->ordinal; i++) {
        const struct ens_sl_layer *group;

        at->host->plan_cell(at->plan, i, &c);
        group = ens_sl_in_groups(&at->last, &c);
        before += group != NULL ? group->n_partitions : 0;
    }
    return at->weights + 3 * (before + partition);
}

/* -- weights --------------------------------------------------------------- */

const struct ens_field ens_sl_weight_fields[8] = {
    {"outer_fold", ENS_I64, "", "outer fold left out; 0: none"},
    ENS_SL_GROUP_FIELD,
    {"case", ENS_TEXT, "", "how the learner's columns are prepared"},
    {"learner", ENS_TEXT, "", "its section, and values of its axes"},
    {"partition", ENS_I64, "", "part of the rows it is fitted on"},
    {"risk", ENS_F64, "", "cross-validated mean loss"},
    {"risk_se", ENS_F64, "", "its standard error"},
    {"weight", ENS_F64, "",
     "in the super learner; empty: the meta learner has "
     "no weights"},
};

struct weights {
    const struct ens_sl_tables_at *at;
    uint32_t sample;
};

static enum ens_status put_weight(void *arg, const struct ens_sl_layer *group,
                                  const struct ens_cell *cell,
                                  uint32_t partition, uint64_t i,
                                  struct ens_error *err)
{
    const struct weights *w = arg;
    const struct ens_sl_tables_at *at = w->at;
    const double *v = at->weights + 3 * (w->sample * at->n_members + i);
    char name[ENS_SL_NAME];
    union ens_table_value row[ENS_COUNT(ens_sl_weight_fields)];

    ens_sl_row_name(cell, name, sizeof(name));
    row[0].i64 = w->sample;
    row[1] = ens_sl_text(group->group);
    row[2] = ens_sl_text(ens_cell_value(cell, "learner", "case")->text);
    row[3] = ens_sl_text(name);
    row[4].i64 = partition + 1;
    row[5].f64 = v[1];
    row[6].f64 = v[2];
    row[7].f64 = v[0];
    return ens_sl_put_row(at, row, ENS_COUNT(row), err);
}

enum ens_status ens_sl_put_weights(const struct ens_sl_tables_at *at,
                                   struct ens_error *err)
{
    struct weights w = {at, 0};
    enum ens_status s = ENS_OK;

    for (; at->weights != NULL && w.sample < at->meta.n_samples && s == ENS_OK;
         w.sample++)
        s = each_member(at, put_weight, &w, err);
    return s;
}

/* -- risks ----------------------------------------------------------------- */

const struct ens_field ens_sl_risk_fields[5] = {
    {"predictor", ENS_TEXT, "", "a learner, the best one, the super learner"},
    {"rows", ENS_TEXT, "",
     "held out: rows that neither it nor its weights saw; cross-validated: "
     "rows that the fit did not see; weighted by: rows that weights are from"},
    {"risk", ENS_F64, "", "mean loss"},
    {"risk_se", ENS_F64, "", "its standard error"},
    {"n", ENS_I64, "rows", "rows it is of"},
};

/* Of all outer folds together: mean over rows, and its standard error from the
 * variance of losses within and between folds. */
static void combine(const struct ens_sl_tables_at *at, uint64_t i,
                    double out[3])
{
    uint64_t stride = 3 * (at->n_members + 2);
    double n = 0, mean = 0, squares = 0;
    uint32_t V = at->sl.n_outer;

    for (uint32_t v = 1; v <= V; v++) {
        const double *r = at->risks + v * stride + 3 * i;

        n += r[0];
        mean += r[0] * r[1];
    }
    mean /= n;
    for (uint32_t v = 1; v <= V; v++) {
        const double *r = at->risks + v * stride + 3 * i;

        squares += r[2] * r[2] * r[0] * (r[0] - 1) +
                   r[0] * (r[1] - mean) * (r[1] - mean);
    }
    out[0] = n;
    out[1] = mean;
    out[2] = sqrt(squares / (n - 1) / n);
}

static enum ens_status put_risk(const struct ens_sl_tables_at *at,
                                const char *name, uint64_t i,
                                struct ens_error *err)
{
    const char *rows = at->sl.n_outer > 0   ? "held out"
                       : i == at->n_members ? "weighted by"
                                            : "cross-validated";
    union ens_table_value row[5];
    double v[3];

    if (at->sl.n_outer > 0)
        combine(at, i, v);
    else
        memcpy(v, at->risks + 3 * i, sizeof(v));
    row[0].text.p = name;
    row[0].text.n = strlen(name);
    row[1].text.p = rows;
    row[1].text.n = strlen(rows);
    row[2].f64 = v[1];
    row[3].f64 = v[2];
    row[4].i64 = isfinite(v[0]) ? (int64_t)v[0] : 0;
    return at->sink(at->arg, row, err);
}

static void member_name(const struct ens_sl_layer *group,
                        const struct ens_cell *cell, uint32_t partition,
                        char *to, size_t cap)
{
    size_t n;

    ens_sl_learner_name(cell, to, cap);
    n = strlen(to);
    if (group->n_partitions > 1)
        snprintf(to + n, cap - n, "/%u", partition + 1);
}

static enum ens_status put_member_risk(void *arg,
                                       const struct ens_sl_layer *group,
                                       const struct ens_cell *cell,
                                       uint32_t partition, uint64_t i,
                                       struct ens_error *err)
{
    const struct ens_sl_tables_at *at = arg;
    char name[ENS_SL_NAME + 16];

    member_name(group, cell, partition, name, sizeof(name));
    return put_risk(at, name, i, err);
}

enum ens_status ens_sl_put_risks(const struct ens_sl_tables_at *at,
                                 struct ens_error *err)
{
    enum ens_status s;

    if (at->risks == NULL)
        return ENS_OK;
    s = each_member(at, put_member_risk, (void *)at, err);
    if (s == ENS_OK)
        s = put_risk(at, "discrete super learner", at->n_members + 1, err);
    return s == ENS_OK ? put_risk(at, "super learner", at->n_members, err) : s;
}

/* -- predictions ------------------------------------------------------------
 */

struct columns { /* of all members, class by class */
    const struct ens_sl_tables_at *at;
    ens_table_column_fn *sink;
    void *arg;
    struct ens_view *view; /* of each; NULL: names are wanted */
    uint64_t n;
};

static enum ens_status put_column(void *arg, const struct ens_sl_layer *group,
                                  const struct ens_cell *cell,
                                  uint32_t partition, uint64_t i,
                                  struct ens_error *err)
{
    struct columns *c = arg;
    char name[ENS_SL_NAME + 40], learner[ENS_SL_NAME + 16];
    enum ens_status s = ENS_OK;

    (void)i;
    member_name(group, cell, partition, learner, sizeof(learner));
    for (size_t k = 0; k < group->m && s == ENS_OK; k++) {
        struct ens_field f = {name, ENS_F64, "", "out-of-fold prediction"};

        snprintf(name, sizeof(name), "%s", learner);
        if (group->m > 1)
            snprintf(name, sizeof(name), "%s:%zu", learner, k);
        s = c->sink(c->arg, &f, err);
    }
    return s;
}

static enum ens_status
name_columns(const struct ens_host *host, const struct ens_plan *plan,
             struct ens_tables_in *in, const struct ens_field *first,
             ens_table_column_fn *sink, void *arg, struct ens_error *err)
{
    struct ens_sl_tables_at at;
    struct columns c = {.at = &at, .sink = sink, .arg = arg};
    enum ens_status s = ens_sl_tables_open(&at, host, plan, in, err);

    if (s == ENS_OK)
        s = sink(arg, first, err);
    return s == ENS_OK ? each_member(&at, put_column, &c, err) : s;
}

enum ens_status ens_sl_prediction_columns(const struct ens_host *host,
                                          const struct ens_plan *plan,
                                          struct ens_tables_in *in,
                                          ens_table_column_fn *sink, void *arg,
                                          struct ens_error *err)
{
    static const struct ens_field row = {"row", ENS_I64, "", "of X, from 1"};

    return name_columns(host, plan, in, &row, sink, arg, err);
}

enum ens_status ens_sl_correlation_columns(const struct ens_host *host,
                                           const struct ens_plan *plan,
                                           struct ens_tables_in *in,
                                           ens_table_column_fn *sink, void *arg,
                                           struct ens_error *err)
{
    static const struct ens_field learner = {"learner", ENS_TEXT, "",
                                             "of the row"};

    return name_columns(host, plan, in, &learner, sink, arg, err);
}

/* From the first row on that all groups predict. */
static enum ens_status find_view(void *arg, const struct ens_sl_layer *group,
                                 const struct ens_cell *cell,
                                 uint32_t partition, uint64_t i,
                                 struct ens_error *err)
{
    struct columns *c = arg;
    struct ens_view all;
    char name[ENS_SL_KEY];
    enum ens_status s;

    (void)i;
    ens_sl_array(name, "predicted", group);
    s = c->at->host->output(c->at->in, name, cell->ordinal, &all, err);
    for (size_t k = 0; k < group->m && s == ENS_OK; k++) {
        uint64_t row = group->is_picked ? 0
                                        : c->at->meta.first_y - group->first_y -
                                              group->first_out;
        struct ens_view *v = &c->view[c->n++];

        *v = all;
        v->ndim = 1;
        v->data = (const char *)all.data + (int64_t)row * all.strides[0];
        if (all.ndim > 1)
            v->data = (const char *)v->data +
                      (int64_t)(partition * group->m + k) * all.strides[1];
    }
    return s;
}

/* Views of all columns; free *views. They are there once the layer is done. */
static enum ens_status open_views(const struct ens_sl_tables_at *at,
                                  struct ens_view **views, size_t *n,
                                  struct ens_error *err)
{
    struct columns c = {.at = at};
    char key[ENS_SL_KEY];
    enum ens_status s;

    *views = NULL;
    *n = 0;
    if (!ens_sl_is_kept(&at->sl, at->meta.number - 1, at->meta.number - 1))
        return ens_fail(err, ENS_ENOTFOUND,
                        "[superlearner] type = select keeps no predictions; "
                        "with predictions = yes it does");
    for (uint32_t i = 0; i < at->last.n; i++) {
        const struct ens_sl_layer *l = &at->last.of[i];

        ens_sl_stage_key(ens_sl_at(l, l->is_sorted ? ENS_SL_FIT : ENS_SL_SORT),
                         key);
        if (!at->host->stage_finished(at->in, key))
            return ENS_OK;
    }
    c.view = calloc(at->n_members * at->m, sizeof(*c.view));
    if (c.view == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    s = each_member(at, find_view, &c, err);
    if (s != ENS_OK) {
        free(c.view);
        return s;
    }
    *views = c.view;
    *n = (size_t)c.n;
    return ENS_OK;
}

static double value_at(const struct ens_view *v, uint64_t row)
{
    double x;

    ens_view_f64(v, row, 1, &x);
    return x;
}

/* Which rows of X they are of, where these are not just the last ones. */
static enum ens_status open_index(const struct ens_sl_tables_at *at,
                                  struct ens_view *index, struct ens_error *err)
{
    struct ens_sl_layer by = ens_sl_mapping(&at->sl, at->meta.mapped_by);
    struct ens_cell cell;
    char name[ENS_SL_KEY];
    uint64_t i = 0;

    if (by.number == 0)
        return ENS_OK;
    at->host->plan_cell(at->plan, i, &cell);
    while (!ens_sl_is_in(&cell, &by))
        at->host->plan_cell(at->plan, ++i, &cell);
    ens_sl_array(name, "index", &by);
    return at->host->output(at->in, name, i, index, err);
}

static int64_t row_of_x(const struct ens_sl_tables_at *at,
                        const struct ens_view *index, uint64_t i)
{
    uint64_t row = at->meta.first_y + i;

    return index->data != NULL ? ((const int64_t *)index->data)[row]
                               : (int64_t)row;
}

enum ens_status ens_sl_put_predictions(const struct ens_sl_tables_at *at,
                                       struct ens_error *err)
{
    struct ens_view *view, index = {.data = NULL};
    union ens_table_value *row = NULL;
    size_t n;
    enum ens_status s = open_views(at, &view, &n, err);

    if (s == ENS_OK && n > 0)
        s = open_index(at, &index, err);
    if (s == ENS_OK && n > 0) {
        row = calloc(n + 1, sizeof(*row));
        if (row == NULL)
            s = ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    }
    for (uint64_t i = 0; n > 0 && i < at->meta.n_in && s == ENS_OK; i++) {
        row[0].i64 = row_of_x(at, &index, i) + 1;
        for (size_t j = 0; j < n; j++)
            row[j + 1].f64 = value_at(&view[j], i);
        s = at->sink(at->arg, row, err);
    }
    free(row);
    free(view);
    return s;
}

/* -- correlations -----------------------------------------------------------
 */

#define BLOCK 1024

/* Means, then sums of products about them: two passes over predictions. */
static void products(const struct ens_view *view, size_t n, uint64_t rows,
                     double *mean, double *c, double *x)
{
    for (int pass = 0; pass < 2; pass++)
        for (uint64_t at = 0; at < rows; at += BLOCK) {
            size_t k = rows - at < BLOCK ? (size_t)(rows - at) : BLOCK;

            for (size_t j = 0; j < n; j++) {
                ens_view_f64(&view[j], at, k, x + j * BLOCK);
                for (size_t i = 0; i < k && pass == 0; i++)
                    mean[j] += x[j * BLOCK + i] / (double)rows;
                for (size_t i = 0; i < k && pass == 1; i++)
                    x[j * BLOCK + i] -= mean[j];
            }
            for (size_t a = 0; a < n && pass == 1; a++)
                for (size_t b = 0; b <= a; b++)
                    for (size_t i = 0; i < k; i++)
                        c[a * n + b] += x[a * BLOCK + i] * x[b * BLOCK + i];
        }
}

/* Of predictions that are all the same but for rounding: none. */
static void forget_constants(size_t n, uint64_t rows, const double *mean,
                             double *c)
{
    for (size_t j = 0; j < n; j++) {
        double noise = 1e-12 * mean[j];

        if (c[j * n + j] <= (double)rows * noise * noise)
            c[j * n + j] = NAN;
    }
}

static double correlation(double ab, double aa, double bb)
{
    double r = ab / sqrt(aa) / sqrt(bb);

    return r > 1 ? 1 : r < -1 ? -1 : r; /* by rounding */
}

struct names {
    char (*text)[ENS_SL_NAME + 40];
    size_t n;
};

static enum ens_status take_name(void *arg, const struct ens_field *f,
                                 struct ens_error *err)
{
    struct names *to = arg;

    (void)err;
    snprintf(to->text[to->n], sizeof(to->text[0]), "%s", f->name);
    to->n++;
    return ENS_OK;
}

static enum ens_status put_rows(const struct ens_sl_tables_at *at,
                                const double *c, size_t n,
                                const struct names *names,
                                union ens_table_value *row,
                                struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (size_t a = 0; a < n && s == ENS_OK; a++) {
        row[0].text.p = names->text[a + 1];
        row[0].text.n = strlen(names->text[a + 1]);
        for (size_t b = 0; b < n; b++) {
            double v = b <= a ? c[a * n + b] : c[b * n + a];

            row[b + 1].f64 =
                a == b ? 1 : correlation(v, c[a * n + a], c[b * n + b]);
        }
        s = at->sink(at->arg, row, err);
    }
    return s;
}

enum ens_status ens_sl_put_correlations(const struct ens_sl_tables_at *at,
                                        struct ens_error *err)
{
    struct ens_view *view;
    struct names names = {0};
    double *work = NULL;
    union ens_table_value *row = NULL;
    size_t n;
    enum ens_status s = open_views(at, &view, &n, err);

    if (s != ENS_OK || n == 0)
        return s;
    work = calloc(n + n * n + n * BLOCK, sizeof(*work));
    row = calloc(n + 1, sizeof(*row));
    names.text = calloc(n + 1, sizeof(*names.text));
    if (work == NULL || row == NULL || names.text == NULL)
        s = ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    if (s == ENS_OK)
        s = ens_sl_correlation_columns(at->host, at->plan, at->in, take_name,
                                       &names, err);
    if (s == ENS_OK) {
        products(view, n, at->meta.n_in, work, work + n, work + n + n * n);
        forget_constants(n, at->meta.n_in, work, work + n);
        s = put_rows(at, work + n, n, &names, row, err);
    }
    free(names.text);
    free(row);
    free(work);
    free(view);
    return s;
}
