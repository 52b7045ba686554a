/* A study of kind synthetic with [stop], records of it, and where its cells
 * stop by definition. For the tests of stop/ and dispatch/live. */
#ifndef TESTS_UNIT_STOPPING_FIXTURE_H
#define TESTS_UNIT_STOPPING_FIXTURE_H

#include "base/hash.h"
#include "kind/registry.h"
#include "kinds/kinds.h"
#include "stop/tracker.h"
#include "worker/worker.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef CELLS
#define CELLS 4u
#endif
#define MAX 300u

struct world {
    struct ens_study_tables tables;
    struct ens_study *study;
    struct ens_plan plan;
    struct ens_stopping s;
    struct ens_done *done;
    uint64_t state;
};

static const struct ens_study_tables *find_tables(void *arg, const char *name)
{
    struct ens_study_tables *t = arg;

    return strcmp(name, "synthetic") == 0 ? t : NULL;
}

extern const struct ens_kind ens_kind_synthetic;

static inline void world_init(struct world *w, const char *stop)
{
    static const char *const names[] = {"synthetic", NULL};
    struct ens_study_kinds kinds = {find_tables, names, &w->tables, NULL};
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err = {0};
    char text[512];
    int n = snprintf(text, sizeof(text),
                     "[study]\nkind = synthetic\nreplicates = %u\n[synthetic]\n"
                     "fields = 1\nwork_us = 1:%u\n[stop]\n%s",
                     MAX, CELLS, stop);

    memset(w, 0, sizeof(*w));
    w->tables = ens_kind_tables(&ens_kind_synthetic);
    ck_assert_msg(ens_study_parse(&w->study, "t.ini", text, (size_t)n, "/tmp",
                                  NULL, 0, &kinds, &errors, &err) == ENS_OK,
                  "%s %s", err.text, ens_buf_text(&errors));
    ens_buf_fini(&errors);
    ck_assert_msg(ens_plan_make(&w->plan, &ens_host, &ens_kind_synthetic,
                                w->study, NULL, &err) == ENS_OK,
                  "%s", err.text);
    ck_assert_msg(ens_stopping_init(&w->s, &ens_host, &w->plan, &err) == ENS_OK,
                  "%s", err.text);
    w->done = ens_done_new();
    ck_assert_ptr_nonnull(w->done);
    w->state = 1;
}

static inline void world_fini(struct world *w)
{
    ens_done_free(w->done);
    ens_stopping_fini(&w->s);
    ens_plan_fini(&w->plan);
    ens_study_free(w->study);
}

static inline uint32_t below(struct world *w, uint32_t n)
{
    uint64_t z = w->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) >> 32) % n;
}

/* Every seventh task of an odd cell fails; cells spread more and more. */
static inline int is_ok(uint64_t cell, uint32_t replicate)
{
    return cell % 2 == 0 || replicate % 7 != 0;
}

static inline double value_of(uint64_t cell, uint32_t replicate)
{
    uint64_t h = ens_hash64_pair(cell, replicate);

    return (double)(h >> 11) * 0x1p-53 * (double)(1 + cell);
}

struct made {
    struct ens_record rec;
    unsigned char field[8];
};

static inline void make(struct world *w, struct made *m, uint64_t cell,
                        uint32_t replicate)
{
    double x = value_of(cell, replicate);
    enum ens_outcome was;

    memset(m, 0, sizeof(*m));
    memcpy(m->field, &x, 8);
    m->rec.stage = w->plan.stage[0].id;
    m->rec.schema = w->plan.schemas.item[0]->hash;
    m->rec.cell = cell;
    m->rec.replicate = replicate;
    m->rec.status = is_ok(cell, replicate) ? ENS_TASK_OK : ENS_TASK_FAILED;
    m->rec.n_fields = 1;
    m->rec.fields = m->field;
    ens_done_add(w->done, cell, replicate, m->rec.status, 0, &was);
}

/* By definition: two passes over replicates 1..r at every check point. */
static inline double naive_mcse(uint64_t cell, uint32_t r)
{
    double sum = 0, square = 0, n = 0;

    for (uint32_t i = 1; i <= r; i++)
        if (is_ok(cell, i)) {
            sum += value_of(cell, i);
            n++;
        }
    for (uint32_t i = 1; i <= r; i++)
        if (is_ok(cell, i))
            square += pow(value_of(cell, i) - sum / n, 2);
    return sqrt(square / (n - 1) / n);
}

static inline uint32_t naive_stop(uint64_t cell, double limit, uint32_t min,
                                  uint32_t every)
{
    for (uint32_t r = min; r < MAX; r += every)
        if (naive_mcse(cell, r) < limit)
            return r;
    return MAX;
}

#endif
