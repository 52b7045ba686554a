/* For tests: learners on rows in memory, without a study. */
#ifndef TESTS_LEARNING_H
#define TESTS_LEARNING_H

#include "base/arena.h"
#include "learn/learners/learners.h"
#include "learn/moments.h"
#include "math/rng.h"
#include "worker/worker.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Rows of a table: those of `index`, or the first n. */
struct table {
    const double *x, *y; /* row-major; of all rows of the source */
    size_t n_source, p;
    const uint64_t *index;
    uint64_t n;
    enum ens_outcome_family family;
    uint32_t n_classes;
    int direct; /* are values read where they lie? */
    const double *centre, *scale;
    const double *w;          /* of all rows of the source; NULL: ones */
    const char *const *names; /* of columns; NULL: letters */
    const struct ens_bins *bins;
    struct ens_arena *arena; /* for moments; NULL: they are not asked for */
};

static inline uint64_t table_source(const struct table *t, uint64_t i)
{
    return t->index == NULL ? i : t->index[i];
}

static inline void table_row(const struct table *t, uint64_t i, double *out)
{
    const double *row = t->x + table_source(t, i) * t->p;

    for (size_t j = 0; j < t->p; j++)
        out[j] =
            t->centre == NULL ? row[j] : (row[j] - t->centre[j]) * t->scale[j];
}

/* Not ck_assert: it writes to a file, and this is asked for every row. */
static inline void table_holds(const struct ens_rows *r, uint64_t first,
                               size_t n)
{
    if (first > r->n || n > r->n - first)
        ck_abort_msg("rows %llu + %zu of %llu", (unsigned long long)first, n,
                     (unsigned long long)r->n);
}

static inline void table_x(const struct ens_rows *r, uint64_t first, size_t n,
                           double *out)
{
    table_holds(r, first, n);
    for (size_t i = 0; i < n; i++)
        table_row(r->own, first + i, out + i * r->p);
}

static inline void table_gather(const struct ens_rows *r, const uint64_t *at,
                                size_t n, double *out)
{
    for (size_t i = 0; i < n; i++) {
        table_holds(r, at[i], 1);
        table_row(r->own, at[i], out + i * r->p);
    }
}

static inline void table_y(const struct ens_rows *r, uint64_t first, size_t n,
                           double *out)
{
    const struct table *t = r->own;

    table_holds(r, first, n);
    for (size_t i = 0; i < n; i++)
        out[i] = t->y[table_source(t, first + i)];
}

static inline void table_w(const struct ens_rows *r, uint64_t first, size_t n,
                           double *out)
{
    const struct table *t = r->own;

    for (size_t i = 0; i < n; i++)
        out[i] = t->w ? t->w[table_source(t, first + i)] : 1;
}

static inline enum ens_status table_moments(const struct ens_rows *r,
                                            const struct ens_moments **m,
                                            struct ens_error *err)
{
    const struct table *t = r->own;
    struct ens_moments *made = ens_arena_alloc(t->arena, 1, sizeof(*made));
    double *mem =
        ens_arena_alloc(t->arena, ens_moments_doubles(r->p) + 1, sizeof(*mem));
    double *work = ens_arena_alloc(t->arena, ens_moments_of_rows_doubles(r->p),
                                   sizeof(*work));

    ck_assert(made && mem && work);
    *m = made;
    return ens_moments_of_rows(r, mem, work, made, err);
}

static inline void table_sources(const struct ens_rows *r, uint64_t first,
                                 size_t n, uint64_t *out)
{
    table_holds(r, first, n);
    for (size_t i = 0; i < n; i++)
        out[i] = table_source(r->own, first + i);
}

static inline struct ens_rows table_rows(struct table *t)
{
    static const char *const name[] = {"a", "b", "c", "d", "e", "f",
                                       "g", "h", "i", "j", "k", "l",
                                       "m", "n", "o", "p", "q", "r"};

    return (struct ens_rows){
        .n = t->n,
        .p = t->p,
        .column = t->names ? t->names : name,
        .weighted = t->w != NULL,
        .moments = table_moments,
        .family = t->family,
        .n_classes = t->n_classes,
        .x = table_x,
        .gather = table_gather,
        .y = t->y ? table_y : NULL,
        .w = table_w,
        .source = table_sources,
        .bins = t->bins,
        .direct = t->direct ? t->x : NULL,
        .stride = t->p,
        .centre = t->direct ? t->centre : NULL,
        .scale = t->direct ? t->scale : NULL,
        .first_row = t->index == NULL ? 0 : UINT64_MAX,
        .own = t,
    };
}

/* Of a task: its stream for fits, from its start in each. */
struct ens_result {
    struct ens_rng rng;
};

static inline struct ens_rng *learning_rng(struct ens_result *r,
                                           const char *purpose)
{
    ck_assert_str_eq(purpose, "fit");
    ens_rng_set(&r->rng, 1, 2, 1, ens_rng_stream("layer1", purpose));
    return &r->rng;
}

/* A learner with settings, as text: "k=5", "weights=distance" ... */
struct learning {
    const struct ens_impl *impl;
    const struct ens_learner *ops;
    const char *const *settings; /* ends in NULL */
    struct ens_arena arena;
    struct ens_learn_job job;
    struct ens_learn_model model;
    struct ens_result result;
    struct ens_host host;
    void *state;
    char warning[256];
    struct ens_error err;
};

static inline void *learning_option_memory(const struct ens_learn_setup *s,
                                           size_t n, size_t size)
{
    struct learning *l = (void *)(uintptr_t)s->own;

    return ens_arena_alloc(&l->arena, n, size);
}

/* Which of "a|b|c" is text. */
static inline int64_t learning_choice(const char *choices, const char *text)
{
    size_t n = strlen(text);
    int64_t i = 0;

    for (const char *at = choices; at != NULL; i++) {
        if (strncmp(at, text, n) == 0 && (at[n] == '|' || at[n] == '\0'))
            return i;
        at = strchr(at, '|');
        at = at ? at + 1 : NULL;
    }
    ck_abort_msg("%s is none of %s", text, choices);
    return -1;
}

/* Numbers with commas between them. */
static inline void learning_list(struct learning *l, struct ens_value *v)
{
    struct ens_value *list = ens_arena_alloc(&l->arena, 100, sizeof(*list));
    const char *at = v->text;

    for (; *at != '\0' && v->n_list < 100; v->n_list++) {
        list[v->n_list].d = strtod(at, NULL);
        at += strcspn(at, ",");
        at += *at == ',';
    }
    v->list = list;
}

static inline const struct ens_value *
learning_value(const struct ens_learn_setup *s, const char *key)
{
    struct learning *l = (void *)(uintptr_t)s->own;
    struct ens_value *v = ens_arena_alloc(&l->arena, 1, sizeof(*v));
    const char *text = NULL, *choices = NULL;

    for (size_t i = 0; i < l->impl->n_settings; i++)
        if (strcmp(l->impl->settings[i].key, key) == 0) {
            text = l->impl->settings[i].def;
            choices = l->impl->settings[i].choices;
        }
    ck_assert_msg(text != NULL, "%s is no setting of %s", key, l->impl->name);
    for (size_t i = 0; l->settings != NULL && l->settings[i] != NULL; i++)
        if (strncmp(l->settings[i], key, strlen(key)) == 0 &&
            l->settings[i][strlen(key)] == '=')
            text = l->settings[i] + strlen(key) + 1;
    v->set = *text != '\0';
    v->text = text;
    v->d = strtod(text, NULL);
    if (text[0] != '\0' && strchr(text, ' ') != NULL) {
        double *vec = ens_arena_alloc(&l->arena, strlen(text), sizeof(*vec));
        char *at = (char *)(uintptr_t)text, *end;

        for (v->vec = vec; v->n_vec < strlen(text); at = end, v->n_vec++) {
            vec[v->n_vec] = strtod(at, &end);
            if (end == at)
                break;
        }
    }
    v->i = strcmp(text, "yes") == 0 ? 1 : (int64_t)v->d;
    if (choices != NULL)
        v->i = learning_choice(choices, text);
    learning_list(l, v);
    return v;
}

static inline void *learning_alloc(const struct ens_learn_job *job, size_t n,
                                   size_t size)
{
    struct learning *l = job->own;

    return ens_arena_alloc(&l->arena, n, size);
}

static inline void *learning_model(const struct ens_learn_job *job,
                                   size_t bytes)
{
    struct learning *l = job->own;

    l->model.data = ens_arena_alloc(&l->arena, bytes, 1);
    l->model.bytes = bytes;
    return (void *)(uintptr_t)l->model.data;
}

static inline void learning_warn(const struct ens_learn_job *job,
                                 const char *text)
{
    struct learning *l = job->own;

    strncpy(l->warning, text, sizeof(l->warning) - 1);
}

/* settings: may be NULL. Zeroed before. */
static inline enum ens_status learning_open(struct learning *l,
                                            const char *name,
                                            const char *const *settings,
                                            const struct table *of)
{
    struct ens_learn_setup setup = {.host = &ens_host,
                                    .alloc = learning_option_memory,
                                    .value = learning_value,
                                    .family = of->family,
                                    .n_classes = of->n_classes,
                                    .own = l};

    memset(l, 0, sizeof(*l));
    l->impl = ens_learner_find(name);
    ck_assert_msg(l->impl != NULL, "no learner %s", name);
    l->ops = l->impl->ops;
    l->settings = settings;
    l->host = ens_host;
    l->host.rng = learning_rng;
    if (l->ops->open != NULL && l->ops->open(&l->host, &l->state, &l->err) != 0)
        ck_abort_msg("%s", l->err.text);
    l->job = (struct ens_learn_job){
        .host = &l->host,
        .state = l->state,
        .family = of->family,
        .n_classes = of->n_classes,
        .n_out = of->family == ENS_OUTCOME_MULTINOMIAL ? of->n_classes : 1,
        .alloc = learning_alloc,
        .model = learning_model,
        .warn = learning_warn,
        .own = l,
    };
    if (l->ops->options == NULL)
        return ENS_OK;
    return l->ops->options(&setup, &l->job.options, &l->err);
}

static inline enum ens_status learning_fit(struct learning *l,
                                           struct table *train)
{
    struct ens_rows r;

    train->arena = &l->arena;
    r = table_rows(train);
    l->job.result = &l->result;
    return l->ops->fit(&l->job, &r, &l->err);
}

/* out[at->n * n_out], by blocks of `block` rows. */
static inline enum ens_status learning_predict(struct learning *l,
                                               struct table *train,
                                               struct table *at, size_t block,
                                               double *out)
{
    struct ens_rows r = table_rows(train), to = table_rows(at);
    enum ens_status s = ENS_OK;

    to.y = NULL;
    l->job.result = NULL;
    for (uint64_t i = 0; i < at->n && s == ENS_OK; i += block)
        s = l->ops->predict(&l->job, &l->model,
                            l->ops->uses & ENS_LEARN_ROWS ? &r : NULL, &to, i,
                            at->n - i < block ? (size_t)(at->n - i) : block,
                            out + i * l->job.n_out, &l->err);
    return s;
}

static inline void learning_close(struct learning *l)
{
    if (l->ops->close != NULL)
        l->ops->close(l->state);
    ens_arena_fini(&l->arena);
}

#endif
