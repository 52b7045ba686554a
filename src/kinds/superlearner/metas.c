#include "kinds/superlearner/metas.h"

#include "config/study.h"
#include "kinds/superlearner/models.h"

#include <math.h>
#include <string.h>

static const struct ens_impl *chosen(const struct ens_sl *sl)
{
    return ens_study_row_impl(sl->study, "meta", "");
}

/* Weights, or NULL: a learner. */
static const struct ens_meta *method_of(const struct ens_impl *impl)
{
    const struct ens_impl *known = ens_meta_find(impl->name);

    return known != NULL && known->ops == impl->ops ? impl->ops : NULL;
}

static enum ens_status
read_options(const struct ens_sl *sl, const struct ens_host *host,
             const struct ens_meta *method, struct ens_arena *arena,
             struct ens_meta_options *o, struct ens_error *err)
{
    struct ens_learn_setup setup = ens_sl_setup(sl, host, NULL, arena);

    return setup.own == NULL ? ens_fail(err, ENS_ENOMEMORY, "out of memory")
                             : ens_meta_options(method, &setup, o, err);
}

int ens_sl_meta_is_learner(const struct ens_sl *sl)
{
    return method_of(chosen(sl)) == NULL;
}

enum ens_status ens_sl_meta_check(const struct ens_sl *sl,
                                  const struct ens_host *host,
                                  struct ens_error *err)
{
    const struct ens_impl *impl = chosen(sl);
    struct ens_arena arena;
    struct ens_meta_options o;
    const void *own;
    enum ens_status s;

    if (sl->is_select)
        return ENS_OK;
    if (impl == NULL)
        return ens_fail(err, ENS_ESTUDY,
                        "[meta] learner: missing; nnls is "
                        "the usual one");
    ens_arena_init(&arena);
    if (method_of(impl) != NULL)
        s = read_options(sl, host, method_of(impl), &arena, &o, err);
    else
        s = ens_sl_options(sl, host, NULL, impl->ops, &arena, &own, err);
    ens_arena_fini(&arena);
    return s == ENS_ESTUDY ? ens_wrap(err, s, "[meta]") : s;
}

/* Settings at their default are left out, so that one that is new in a later
 * version changes nothing. */
void ens_sl_meta_text(const struct ens_sl *sl, struct ens_buf *to)
{
    const struct ens_impl *impl = chosen(sl);

    if (impl == NULL)
        return;
    ens_buf_printf(to, "%s@%u\n", impl->name, (unsigned)impl->results_version);
    for (size_t i = 0; i < impl->n_settings; i++) {
        const struct ens_setting *of = &impl->settings[i];
        const struct ens_value *v =
            ens_study_row_value(sl->study, "meta", "", of->key);

        if (v == NULL || of->cls == ENS_C_RUN ||
            strcmp(v->text, of->def == NULL ? "" : of->def) == 0)
            continue;
        ens_buf_printf(to, "%s=%s\n", of->key, v->text);
    }
}

enum ens_status ens_sl_meta_memory(const struct ens_sl *sl,
                                   const struct ens_host *host, uint64_t n,
                                   size_t p, uint64_t *bytes,
                                   struct ens_error *err)
{
    const struct ens_impl *impl = chosen(sl);
    const struct ens_meta *method = method_of(impl);
    const struct ens_learner *learner = impl->ops;
    struct ens_arena arena;
    const void *options;
    enum ens_status s;

    if (method != NULL) { /* sums, their triangle, work, columns left */
        *bytes = ens_meta_memory(method, n, p) +
                 4 * (uint64_t)(p + 2) * (p + 2) * sizeof(double);
        return ENS_OK;
    }
    ens_arena_init(&arena);
    s = ens_sl_options(sl, host, NULL, learner, &arena, &options, err);
    *bytes = 0;
    if (s == ENS_OK && learner->memory != NULL)
        *bytes = learner->memory(options, n, p);
    ens_arena_fini(&arena);
    return s;
}

/* -- weights --------------------------------------------------------------- */

static enum ens_status fit_weights(struct ens_sl_state *st,
                                   const struct ens_meta *method,
                                   const struct ens_meta_problem *problem,
                                   struct ens_sl_meta *meta,
                                   struct ens_error *err)
{
    struct ens_meta_options o;
    enum ens_status s =
        read_options(&st->sl, st->host, method, &st->arena, &o, err);

    return s == ENS_OK ? ens_meta_fit(method, &o, problem, &meta->result, err)
                       : s;
}

int ens_sl_meta_is_squares(const struct ens_sl *sl, const struct ens_host *host)
{
    const struct ens_impl *impl = chosen(sl);
    const struct ens_meta *method = impl ? method_of(impl) : NULL;
    struct ens_arena arena;
    struct ens_meta_options o;
    int is_squares;

    if (method == NULL)
        return 0;
    ens_arena_init(&arena);
    is_squares = read_options(sl, host, method, &arena, &o, NULL) == ENS_OK &&
                 !ens_meta_reads_rows(method, &o);
    ens_arena_fini(&arena);
    return is_squares;
}

/* -- a learner --------------------------------------------------------------
 */

static enum ens_status fit_learner(const struct ens_sl_job *job,
                                   const struct ens_learner *learner,
                                   const struct ens_rows *rows,
                                   struct ens_sl_meta *meta,
                                   struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    enum ens_status s;

    meta->learn = (struct ens_sl_learn){.task = job, .learner = learner};
    s = ens_sl_options(&st->sl, st->host, NULL, learner, &st->arena,
                       &meta->learn.options, err);
    return s == ENS_OK ? ens_sl_learn(&meta->learn, rows, err) : s;
}

enum ens_status ens_sl_meta_fit(const struct ens_sl_job *job,
                                const struct ens_rows *rows,
                                const struct ens_meta_problem *problem,
                                struct ens_sl_meta *meta, struct ens_error *err)
{
    struct ens_sl_state *st = job->st;
    const struct ens_impl *impl = chosen(&st->sl);
    const struct ens_meta *method = method_of(impl);

    memset(meta, 0, sizeof(*meta));
    meta->row =
        ens_arena_alloc(&st->arena, problem->n_learners, sizeof(*meta->row));
    if (meta->row == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    meta->is_learner = method == NULL;
    return method != NULL ? fit_weights(st, method, problem, meta, err)
                          : fit_learner(job, impl->ops, rows, meta, err);
}

/* Row by row of the problem of weights. */
static void weighted(const struct ens_sl_meta *meta, size_t n, size_t n_members,
                     size_t m, const double *z, double *out)
{
    if (m == 1) {
        ens_meta_predict(&meta->result, n_members, z, n, out);
        return;
    }
    for (size_t i = 0; i < n * m; i++) {
        const double *row = z + i / m * n_members * m + i % m;

        for (size_t l = 0; l < n_members; l++)
            meta->row[l] = row[l * m];
        ens_meta_predict(&meta->result, n_members, meta->row, 1, &out[i]);
    }
}

enum ens_status ens_sl_meta_predict(const struct ens_sl_meta *meta,
                                    const struct ens_rows *train,
                                    const struct ens_rows *at, uint64_t first,
                                    size_t n, size_t n_members, size_t m,
                                    const double *z, double *out,
                                    struct ens_error *err)
{
    if (meta->is_learner)
        return ens_sl_predict_rows(
            &meta->learn,
            meta->learn.learner->uses & ENS_LEARN_ROWS ? train : NULL, at,
            first, n, out, err);
    weighted(meta, n, n_members, m, z, out);
    return ENS_OK;
}

enum ens_status ens_sl_meta_keep(const struct ens_sl_job *job,
                                 const struct ens_sl_meta *meta,
                                 size_t n_members, struct ens_error *err)
{
    struct ens_buf b = ENS_BUF_INIT;
    enum ens_status s;

    if (meta->is_learner)
        return ens_sl_model_keep(&meta->learn, NULL, err);
    ens_buf_puts(&b, "ENSMETA1");
    ens_buf_u64(&b, n_members);
    ens_buf_u64(&b, (uint64_t)meta->result.link);
    ens_buf_f64(&b, meta->result.trim);
    ens_buf_f64(&b, meta->result.intercept);
    for (size_t l = 0; l < n_members; l++)
        ens_buf_f64(&b, meta->result.weight[l]);
    s = b.failed
            ? ens_fail(err, ENS_ENOMEMORY, "out of memory")
            : job->st->host->artifact(job->result, "model", b.data, b.len, err);
    ens_buf_fini(&b);
    return s;
}
