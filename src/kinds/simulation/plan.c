#include "base/bug.h"
#include "base/hash.h"
#include "base/number.h"
#include "config/study.h"
#include "kinds/simulation/model.h"

#include <stdio.h>
#include <string.h>

#define STAGE "fit"

/* The last role is the fastest: cell = data combination * n_fits + fit. */
static void cell_of(const struct ens_host *host, const struct ens_plan *plan,
                    uint64_t data, uint64_t fit, struct ens_cell *cell)
{
    const struct ens_study *study = host->plan_study(plan);

    host->plan_cell(plan, data * ens_study_role_count(study, "fit") + fit,
                    cell);
}

static int same_terms(const struct ens_formula *a, const struct ens_formula *b)
{
    if (a->n_terms != b->n_terms)
        return 0;
    for (size_t j = 0; j < a->n_terms; j++)
        if (strcmp(a->term[j].name, b->term[j].name) != 0)
            return 0;
    return 1;
}

enum ens_status ens_simulation_schemas(struct ens_simulation_schemas *s,
                                       const struct ens_host *host,
                                       const struct ens_plan *plan,
                                       struct ens_arena *arena,
                                       struct ens_error *err)
{
    size_t n = (size_t)ens_study_role_count(host->plan_study(plan), "fit");
    uint32_t *index = ens_arena_alloc(arena, n, sizeof(*index));
    const struct ens_formula **formula =
        ens_arena_alloc(arena, n, sizeof(*formula));
    uint32_t n_schemas = 0;

    for (size_t i = 0; i < n; i++) {
        struct ens_simulation_fit *f = ens_arena_alloc(arena, 1, sizeof(*f));
        struct ens_cell cell;
        enum ens_status status;
        uint32_t k = 0;

        if (!index || !formula || !f)
            return ens_fail(err, ENS_ENOMEMORY, "%zu fit rows", n);
        cell_of(host, plan, 0, i, &cell);
        status = ens_simulation_fit(f, &cell, arena, err);
        if (status != ENS_OK)
            return status;
        while (k < n_schemas && !same_terms(formula[k], &f->formula))
            k++;
        if (k == n_schemas)
            formula[n_schemas++] = &f->formula;
        index[i] = k;
    }
    *s = (struct ens_simulation_schemas){n, index, n_schemas, formula};
    return ENS_OK;
}

struct lookup {
    const struct ens_host *host;
    const struct ens_plan *plan;
};

static const struct ens_input *find_input(const void *arg, const char *name)
{
    const struct lookup *at = arg;

    return at->host->plan_input(at->plan, name);
}

static uint64_t hash_names(const struct ens_data *shape)
{
    uint64_t h = shape->n_columns;

    for (size_t j = 0; j < shape->n_columns; j++)
        h = ens_hash64_seed(shape->name[j], strlen(shape->name[j]), h);
    return h;
}

/* All formulas against the columns of one data combination. */
static enum ens_status check_formulas(const struct ens_host *host,
                                      const struct ens_plan *plan,
                                      uint64_t data,
                                      const struct ens_data *shape,
                                      struct ens_error *err)
{
    uint64_t n = ens_study_role_count(host->plan_study(plan), "fit");
    struct ens_arena arena = ENS_ARENA_INIT;
    enum ens_status s = ENS_OK;

    for (uint64_t i = 0; s == ENS_OK && i < n; i++) {
        struct ens_simulation_fit f;
        struct ens_cell cell;
        const char *of;
        char row[ENS_SIMULATION_ROW];

        ens_arena_reset(&arena);
        cell_of(host, plan, data, i, &cell);
        of = ens_cell_row(&cell, "data");
        s = ens_simulation_fit(&f, &cell, &arena, err);
        if (s != ENS_OK)
            break;
        s = ens_formula_bind(&f.formula, shape->name, shape->n_columns, NULL,
                             err);
        if (s != ENS_OK) {
            ens_simulation_row(&cell, "fit", "formula", row);
            s = ens_wrap(err, s, "%s over [data%s%.100s]", row, *of ? " " : "",
                         of);
        }
    }
    ens_arena_fini(&arena);
    return s;
}

/* Data combinations mostly share their columns: each list is checked once as
 * long as it follows itself. */
static enum ens_status check_columns(const struct ens_host *host,
                                     const struct ens_plan *plan,
                                     struct ens_error *err)
{
    uint64_t n = ens_study_role_count(host->plan_study(plan), "data");
    struct lookup at = {host, plan};
    struct ens_arena arena = ENS_ARENA_INIT;
    enum ens_status s = ENS_OK;
    uint64_t checked = 0;

    for (uint64_t i = 0; s == ENS_OK && i < n; i++) {
        struct ens_cell cell;
        struct ens_data shape;
        uint64_t hash;

        ens_arena_reset(&arena);
        cell_of(host, plan, i, 0, &cell);
        s = ens_simulation_shape(&shape, &cell, find_input, &at, &arena, err);
        if (s != ENS_OK)
            break;
        hash = hash_names(&shape);
        if (i == 0 || hash != checked)
            s = check_formulas(host, plan, i, &shape, err);
        checked = hash;
    }
    ens_arena_fini(&arena);
    return s;
}

static enum ens_status declare(const struct ens_host *host,
                               struct ens_plan *plan, struct ens_arena *arena,
                               struct ens_error *err)
{
    struct ens_simulation_schemas schemas;
    enum ens_status s;

    s = ens_simulation_schemas(&schemas, host, plan, arena, err);
    for (size_t k = 0; s == ENS_OK && k < schemas.n; k++) {
        const struct ens_formula *f = schemas.formula[k];
        const struct ens_field *field = ens_simulation_fields(f, arena);
        uint32_t index;

        if (!field)
            return ens_fail(err, ENS_ENOMEMORY, "fields of '%s'", f->text);
        s = host->plan_schema(plan, field, ENS_SIM_PARTS * f->n_terms, &index,
                              err);
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
        s = check_columns(host, plan, err);
    if (s == ENS_OK)
        s = host->plan_stage(plan, STAGE, 0, NULL, NULL, NULL, 0, err);
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
    char text[3 * ENS_NUMBER_BYTES + 5];
    size_t n;

    (void)plan;
    n = put_part(text, 'd', ens_cell_role_index(&task->cell, "data"),
                 ens_study_role_count(study, "data"), 3);
    text[n++] = '_';
    n += put_part(text + n, 'f', ens_cell_role_index(&task->cell, "fit"),
                  ens_study_role_count(study, "fit"), 3);
    text[n++] = '_';
    n += put_part(text + n, 'r', task->replicate, ens_study_replicates(study),
                  5);
    n = n < cap ? n : cap - 1;
    memcpy(to, text, n);
    to[n] = '\0';
}
