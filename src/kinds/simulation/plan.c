#include "base/bug.h"
#include "base/hash.h"
#include "base/number.h"
#include "config/study.h"
#include "kinds/simulation/chains.h"
#include "kinds/simulation/model.h"

#include <stdio.h>
#include <string.h>

/* The last role is the fastest: cell = data combination * n_fits + fit. */
static void cell_of(const struct ens_host *host, const struct ens_plan *plan,
                    uint64_t data, uint64_t fit, struct ens_cell *cell)
{
    const struct ens_study *study = host->plan_study(plan);

    host->plan_cell(plan, data * ens_study_role_count(study, "fit") + fit,
                    cell);
}

/* -- schemas ----------------------------------------------------------------
 */

uint32_t ens_simulation_schema(const struct ens_simulation_schemas *s,
                               const struct ens_simulation_layout *l)
{
    for (uint32_t k = 0; k < s->n; k++) {
        size_t j = 0;

        if (s->item[k].n != l->n)
            continue;
        while (j < l->n &&
               strcmp(s->item[k].field[j].name, l->field[j].name) == 0)
            j++;
        if (j == l->n)
            return k;
    }
    return s->n;
}

/* A copy of the fields: theirs go with the cell. */
static const struct ens_field *
copy_fields(const struct ens_simulation_layout *l, struct ens_arena *arena)
{
    struct ens_field *to = ens_arena_alloc(arena, l->n, sizeof(*to));

    for (size_t j = 0; to != NULL && j < l->n; j++) {
        to[j] = l->field[j];
        to[j].name = ens_arena_strdup(arena, l->field[j].name);
        to[j].unit = ens_arena_strdup(arena, l->field[j].unit);
        to[j].help = ens_arena_strdup(arena, l->field[j].help);
        if (!to[j].name || !to[j].unit || !to[j].help)
            return NULL;
    }
    return to;
}

/* Keep a layout, unless it is there. */
static enum ens_status keep_schema(struct ens_simulation_schemas *s,
                                   const struct ens_simulation_layout *l,
                                   struct ens_arena *arena,
                                   struct ens_error *err)
{
    struct ens_simulation_layout *to;

    if (ens_simulation_schema(s, l) < s->n)
        return ENS_OK;
    if (s->n == s->cap) {
        uint32_t cap = s->cap ? 2 * s->cap : 8;

        to = ens_arena_alloc(arena, cap, sizeof(*to));
        if (!to)
            return ens_fail(err, ENS_ENOMEMORY, "%u models", cap);
        if (s->n > 0)
            memcpy(to, s->item, s->n * sizeof(*to));
        s->item = to;
        s->cap = cap;
    }
    to = &s->item[s->n];
    *to = *l;
    to->field = copy_fields(l, arena);
    if (!to->field)
        return ens_fail(err, ENS_ENOMEMORY, "%zu columns", l->n);
    s->n++;
    return ENS_OK;
}

/* Columns by name and, of an input, by place: levels are found there. Of this
 * process only. */
static uint64_t hash_names(const char *const *name, size_t n, uint64_t h)
{
    h = ens_hash64_pair(h, n);
    for (size_t j = 0; j < n; j++)
        h = ens_hash64_seed(name[j], strlen(name[j]), h);
    return h;
}

static uint64_t hash_shape(const struct ens_data_shape *of)
{
    const struct ens_data *shape = &of->data;
    uint64_t h =
        ens_hash64_pair(shape->n_columns, shape->column ? shape->n : 0);

    h = hash_names(of->truth, of->n_truth, h);
    h = hash_names(of->meta, of->n_meta, h);
    h = ens_hash64_pair(h, (uint64_t)of->family + (of->any_family ? 256 : 0));
    if (of->response)
        h = hash_names(&of->response, 1, h);
    for (size_t j = 0; j < shape->n_columns; j++) {
        const struct ens_data_column *c =
            shape->column ? &shape->column[j] : NULL;
        const void *at = !c ? NULL : c->view ? c->view->data : c->values;

        h = ens_hash64_seed(shape->name[j], strlen(shape->name[j]), h);
        h = ens_hash64_pair(h, (uint64_t)(uintptr_t)at);
        if (c && !at && c->level)
            h = hash_names(c->level, c->n_levels, h);
    }
    return h;
}

/* All formulas over the columns of one data combination. */
static enum ens_status add_formulas(struct ens_simulation_schemas *schemas,
                                    const struct ens_host *host,
                                    const struct ens_plan *plan, uint64_t data,
                                    const struct ens_data_shape *shape,
                                    struct ens_arena *keep,
                                    struct ens_error *err)
{
    uint64_t n = ens_study_role_count(host->plan_study(plan), "fit");
    struct ens_simulation_metrics metrics;
    struct ens_arena arena = ENS_ARENA_INIT;
    enum ens_status s =
        ens_simulation_metrics(host->plan_study(plan), &metrics, err);

    for (uint64_t i = 0; s == ENS_OK && i < n; i++) {
        struct ens_simulation_model m;
        struct ens_simulation_layout l;
        struct ens_cell cell;

        ens_arena_reset(&arena);
        cell_of(host, plan, data, i, &cell);
        s = ens_simulation_model(&m, &cell, shape, &arena, err);
        if (s == ENS_OK)
            s = ens_simulation_layout(&l, &m, shape, &metrics, &arena, err);
        if (s == ENS_OK)
            s = keep_schema(schemas, &l, keep, err);
    }
    ens_arena_fini(&arena);
    return s;
}

/* Data combinations mostly share their columns: each list is looked at once
 * as long as it follows itself. */
enum ens_status ens_simulation_schemas(struct ens_simulation_schemas *s,
                                       const struct ens_host *host,
                                       const struct ens_plan *plan,
                                       struct ens_arena *keep,
                                       struct ens_error *err)
{
    uint64_t n = ens_study_role_count(host->plan_study(plan), "data");
    struct ens_simulation_schemas schemas = {0};
    struct ens_arena arena = ENS_ARENA_INIT;
    enum ens_status status = ENS_OK;
    uint64_t looked_at = 0;

    for (uint64_t i = 0; status == ENS_OK && i < n; i++) {
        struct ens_cell cell;
        struct ens_data_shape shape;
        uint64_t hash;

        ens_arena_reset(&arena);
        cell_of(host, plan, i, 0, &cell);
        status = ens_simulation_shape(&shape, &cell, host, plan, &arena, err);
        if (status != ENS_OK)
            break;
        hash = hash_shape(&shape);
        if (i == 0 || hash != looked_at)
            status = add_formulas(&schemas, host, plan, i, &shape, keep, err);
        looked_at = hash;
    }
    ens_arena_fini(&arena);
    if (status == ENS_OK)
        *s = schemas;
    return status;
}

static enum ens_status declare(const struct ens_host *host,
                               struct ens_plan *plan, struct ens_arena *arena,
                               struct ens_error *err)
{
    struct ens_simulation_schemas schemas;
    enum ens_status s;

    s = ens_simulation_schemas(&schemas, host, plan, arena, err);
    if (s == ENS_OK)
        s = ens_simulation_check_measures(host, plan, &schemas, err);
    for (uint32_t k = 0; s == ENS_OK && k < schemas.n; k++) {
        uint32_t index;

        s = host->plan_schema(plan, schemas.item[k].field, schemas.item[k].n,
                              &index, err);
        /* open() relies on it */
        ENS_BUG_ON(s == ENS_OK && index != k);
    }
    return s;
}

enum ens_status ens_simulation_plan(const struct ens_host *host,
                                    struct ens_plan *plan,
                                    struct ens_error *err)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    enum ens_status s;

    s = ens_simulation_check_metrics(host->plan_study(plan), err);
    if (s == ENS_OK)
        s = declare(host, plan, &arena, err);
    if (s == ENS_OK)
        s = ens_simulation_first(host, plan, err);
    ens_arena_fini(&arena);
    return s;
}

/* "f007": a letter and n with as many digits as `all` has, or `least`. */
static size_t put_part(char *to, char letter, uint64_t n, uint64_t all,
                       size_t least)
{
    char text[ENS_NUMBER_BYTES];
    size_t width = ens_number_format_u64(text, all);

    *to = letter;
    return 1 +
           ens_number_format_padded(to + 1, n, width < least ? least : width);
}

void ens_simulation_label(const struct ens_plan *plan,
                          const struct ens_task *task, char *to, size_t cap)
{
    const struct ens_study *study = task->cell.study;
    int is_chain =
        task->stage != NULL && strcmp(task->stage, ENS_SIMULATION_CHAINS) == 0;
    uint32_t chains = is_chain ? ens_simulation_chains(&task->cell) : 0;
    uint32_t at = task->replicate - 1;
    char text[4 * ENS_NUMBER_BYTES + 8];
    size_t n;

    (void)plan;
    n = put_part(text, 'd', ens_cell_role_index(&task->cell, "data"),
                 ens_study_role_count(study, "data"), 3);
    text[n++] = '_';
    n += put_part(text + n, 'f', ens_cell_role_index(&task->cell, "fit"),
                  ens_study_role_count(study, "fit"), 3);
    text[n++] = '_';
    n += put_part(text + n, 'r', chains > 0 ? at / chains + 1 : at + 1,
                  ens_study_replicates(study), 5);
    if (chains > 0) {
        text[n++] = '_';
        n += put_part(text + n, 'c', at % chains + 1, chains, 2);
    }
    n = n < cap ? n : cap - 1;
    memcpy(to, text, n);
    to[n] = '\0';
}
