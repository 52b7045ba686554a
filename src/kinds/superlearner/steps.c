#include "kinds/superlearner/steps.h"

#include "base/buf.h"
#include "base/bug.h"
#include "config/study.h"
#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/counts.h"
#include "kinds/superlearner/groups.h"
#include "kinds/superlearner/kind.h"
#include "kinds/superlearner/meta.h"
#include "kinds/superlearner/meta_lanes.h"
#include "kinds/superlearner/metas.h"
#include "kinds/superlearner/moments.h"

#include <stdio.h>
#include <stdlib.h>

#define LANE_ROWS      65536u
#define MIN_LANES      16u
#define MAX_LANES      4096u
#define LARGE_PARTIAL  ((uint64_t)8 << 20)
#define PARTIALS_BYTES ((uint64_t)1 << 30)

/* Fixed by the data alone (Chan, Golub and LeVeque 1983 for why partial sums
 * of blocks are as good). */
uint32_t ens_sl_lanes(uint64_t n, uint64_t partial_bytes)
{
    uint64_t lanes = (n + LANE_ROWS - 1) / LANE_ROWS;

    lanes = lanes < MIN_LANES ? MIN_LANES : lanes;
    lanes = lanes > MAX_LANES ? MAX_LANES : lanes;
    if (partial_bytes > LARGE_PARTIAL) {
        uint64_t most = PARTIALS_BYTES / partial_bytes;

        most = most < 4 ? 4 : most;
        lanes = lanes > most ? most : lanes;
    }
    return (uint32_t)(lanes > n ? n : lanes);
}

uint32_t ens_sl_sort_lanes(uint64_t n)
{
    uint64_t lanes = (n + LANE_ROWS - 1) / LANE_ROWS;

    return (uint32_t)(lanes > MAX_LANES ? MAX_LANES : lanes);
}

/* -- the chain ------------------------------------------------------------ */

struct chain { /* what a stage is added from */
    const struct ens_host *host;
    struct ens_plan *plan;
    struct ens_sl sl;
    struct ens_sl_layer layer; /* of META_LANES and what follows: the last, its
                                  first group */
    struct ens_sl_layer meta;  /* what follows the last */
    struct ens_sl_needs needs;
    uint32_t n_layers;
};

static size_t members(const struct chain *c)
{
    return (size_t)ens_sl_n_members(&c->sl, c->plan, c->host);
}

static int is_kept(const struct chain *c)
{
    return ens_sl_is_kept(&c->sl, c->layer.number, c->n_layers);
}

static int has_step(const struct chain *c, enum ens_sl_step step)
{
    switch (step) {
    case ENS_SL_ROWS:
        return c->layer.is_shared;
    case ENS_SL_LANES:
    case ENS_SL_SUMS:
        return c->needs.moments;
    case ENS_SL_EDGES:
    case ENS_SL_BINS:
        return c->needs.bins;
    case ENS_SL_SORT:
        return is_kept(c) && (!c->layer.is_sorted || c->layer.n_samples > 1);
    case ENS_SL_META_LANES:
        return !c->sl.is_select && ens_sl_meta_lanes(&c->meta, members(c)) > 0;
    case ENS_SL_META_RISKS:
        return has_step(c, ENS_SL_META_LANES) &&
               ens_sl_meta_is_squares(&c->sl, c->host);
    case ENS_SL_META:
        return !c->sl.is_select;
    default:
        return 1;
    }
}

static enum ens_status enter_layer(struct chain *c, uint32_t layer,
                                   const char *group, struct ens_error *err)
{
    enum ens_status s = ens_sl_layer(&c->sl, layer, group, &c->layer, err);

    return s == ENS_OK
               ? ens_sl_needs(c->plan, c->host, &c->layer, &c->needs, err)
               : s;
}

static enum ens_status enter_meta(struct chain *c, struct ens_error *err)
{
    return enter_layer(c, c->n_layers,
                       ens_sl_group_after(&c->sl, c->n_layers, NULL), err);
}

/* Where the next group begins, of this layer or the one behind it; META_LANES:
 * there is none. */
static enum ens_status enter_next(struct chain *c, struct ens_sl_at *at,
                                  struct ens_error *err)
{
    const char *group = ens_sl_group_after(&c->sl, at->layer, at->group);
    uint32_t layer = at->layer;
    enum ens_status s;

    if (group == NULL)
        group = ens_sl_group_after(&c->sl, ++layer, NULL);
    if (layer > c->n_layers) {
        *at = (struct ens_sl_at){0, ENS_SL_META_LANES, ""};
        return enter_meta(c, err);
    }
    s = enter_layer(c, layer, group, err);
    *at = ens_sl_at(&c->layer, ENS_SL_ROWS);
    return s;
}

/* The step after `at` that there is; 0: none. */
static enum ens_status follow(struct chain *c, struct ens_sl_at *at, int *any,
                              struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    *any = 0;
    while (at->step != ENS_SL_META && !*any && s == ENS_OK) {
        at->step++;
        if (at->step == ENS_SL_META_LANES && at->layer > 0)
            s = enter_next(c, at, err);
        *any = s == ENS_OK && has_step(c, at->step);
    }
    return s;
}

/* Arrays that a stage names: three of each group of the layer before, those of
 * its own group. */
#define ENS_SL_ARRAYS (3 * (ENS_SL_GROUPS + 1) + 8)

struct names { /* of arrays */
    char text[ENS_SL_ARRAYS][ENS_SL_KEY];
    const char *item[ENS_SL_ARRAYS + 1];
    size_t n;
};

/* Of a layer, or of all: NULL. */
static void name(struct names *to, const char *stem,
                 const struct ens_sl_layer *layer)
{
    ENS_BUG_ON(to->n == ENS_COUNT(to->text));
    ens_sl_array(to->text[to->n], stem, layer);
    to->item[to->n] = to->text[to->n];
    to->item[++to->n] = NULL;
}

/* What a layer's input is made of beside X; mapped_by: by whose index its
 * rows are those of X. */
static void input_arrays(const struct chain *c, uint32_t layer,
                         uint32_t mapped_by, struct names *reads)
{
    struct ens_sl_layer from = {.number = layer - 1};
    const char *g = NULL;

    if (layer > 1 && mapped_by > 0) {
        struct ens_sl_layer by = ens_sl_mapping(&c->sl, mapped_by);

        name(reads, "index", &by);
    }
    while (layer > 1 &&
           (g = ens_sl_group_after(&c->sl, from.number, g)) != NULL) {
        snprintf(from.group, sizeof(from.group), "%s", g);
        name(reads, "predicted", &from);
        if (c->sl.n_outer > 0)
            name(reads, "outer", &from);
        name(reads, "fits", &from);
    }
}

static void step_arrays(const struct chain *c, struct ens_sl_at at,
                        struct names *writes, struct names *reads)
{
    const struct ens_sl_layer *l = &c->layer;

    if (at.layer == 0)
        input_arrays(c, c->n_layers + 1, c->meta.mapped_by, reads);
    if (l->is_shared && at.step != ENS_SL_ROWS)
        name(reads, "rows", l);
    switch (at.step) {
    case ENS_SL_ROWS:
        name(writes, "rows", l);
        if (l->is_picked)
            name(writes, "index", l);
        break;
    case ENS_SL_LANES:
        input_arrays(c, at.layer, l->mapped_by, reads);
        name(writes, "lanes", l);
        break;
    case ENS_SL_SUMS:
        input_arrays(c, at.layer, l->mapped_by, reads);
        name(reads, "lanes", l);
        name(writes, "sums", l);
        break;
    case ENS_SL_EDGES:
        input_arrays(c, at.layer, l->mapped_by, reads);
        name(writes, "edges", l);
        break;
    case ENS_SL_BINS:
        input_arrays(c, at.layer, l->mapped_by, reads);
        name(reads, "edges", l);
        name(writes, "bins", l);
        break;
    case ENS_SL_FIT:
        input_arrays(c, at.layer, l->mapped_by, reads);
        if (c->needs.moments)
            name(reads, "sums", l);
        if (c->needs.bins) {
            name(reads, "edges", l);
            name(reads, "bins", l);
        }
        if (!is_kept(c))
            break;
        name(writes, l->is_sorted ? "predicted" : "raw", l);
        if (l->n_samples > 1)
            name(writes, "rawouter", l);
        name(writes, "fits", l);
        break;
    case ENS_SL_SORT:
        if (!l->is_sorted) {
            name(reads, "raw", l);
            name(writes, "predicted", l);
        }
        if (l->n_samples > 1) {
            name(reads, "rawouter", l);
            name(writes, "outer", l);
        }
        break;
    case ENS_SL_META_LANES:
        name(writes, "metalanes", NULL);
        break;
    case ENS_SL_META_RISKS:
        name(reads, "metalanes", NULL);
        name(writes, "metarisks", NULL);
        break;
    case ENS_SL_META:
        if (has_step(c, ENS_SL_META_LANES))
            name(reads, "metalanes", NULL);
        if (has_step(c, ENS_SL_META_RISKS))
            name(reads, "metarisks", NULL);
        name(writes, "weights", NULL);
        name(writes, "risks", NULL);
        break;
    case ENS_SL_N_STEPS:
        break;
    }
}

static size_t width(const struct chain *c, struct ens_sl_at at)
{
    struct ens_cell cell;

    if (at.layer == 0)
        return members(c);
    c->host->plan_cell(c->plan, c->needs.leader, &cell);
    return ens_sl_width(&c->sl, c->plan, c->host, c->layer.number,
                        ens_sl_texts(&cell));
}

uint32_t ens_sl_n_tasks(const struct ens_sl_layer *l, enum ens_sl_step step,
                        size_t width)
{
    switch (step) {
    case ENS_SL_ROWS:
        return 1; /* all samples: their outer folds are one draw */
    case ENS_SL_LANES:
        return ens_sl_sum_pieces(l, width) * ens_sl_sum_lanes(l, width);
    case ENS_SL_SUMS:
        return ens_sl_sum_pieces(l, width);
    case ENS_SL_EDGES:
        return 1;
    case ENS_SL_BINS:
        return ens_sl_lanes(l->n_in, 0);
    case ENS_SL_FIT:
        return ens_sl_n_fits(l);
    case ENS_SL_SORT:
        return l->n_samples * ens_sl_sort_lanes(l->n_out);
    case ENS_SL_META_LANES:
    case ENS_SL_META_RISKS:
        return l->n_samples * ens_sl_meta_lanes(l, width);
    case ENS_SL_META:
        return l->n_samples;
    case ENS_SL_N_STEPS:
        break;
    }
    return 0;
}

static int takes_part(const struct chain *c, struct ens_sl_at at,
                      const struct ens_cell *cell)
{
    if (at.layer == 0)
        return cell->ordinal == 0;
    if (at.step == ENS_SL_FIT || at.step == ENS_SL_SORT)
        return ens_sl_is_in(cell, &c->layer);
    return cell->ordinal == c->needs.leader;
}

/* What a stage depends on beside its cells and the bytes that it reads: which
 * rows of the inputs its layer begins with, columns of X that the layer before
 * hands on, [meta]. Then an edit of these makes it another stage. */
static enum ens_status add_data(const struct chain *c, struct ens_sl_at at,
                                struct ens_error *err)
{
    int is_meta = at.layer == 0;
    const struct ens_value *v;
    struct ens_buf text = ENS_BUF_INIT;
    const struct ens_sl_layer *l = is_meta ? &c->meta : &c->layer;
    enum ens_status s;
    char row[12];

    if (l->number == 1)
        return ENS_OK;
    snprintf(row, sizeof(row), "%u", l->number - 1);
    v = ens_study_row_value(c->sl.study, "layer", row, "propagate");
    ens_buf_printf(&text, "rows=%llu+%llu\npropagate=%s\n",
                   (unsigned long long)l->first_y, (unsigned long long)l->n_in,
                   v->set ? v->text : "");
    if (c->sl.is_outer_shuffled && !is_meta) /* meta reads what follows */
        ens_buf_puts(&text, "outer_folds=shuffled\n");
    if (l->mapped_by > 0)
        ens_buf_printf(&text, "index=%u\n", l->mapped_by);
    if (is_meta && at.step != ENS_SL_META_LANES)
        ens_sl_meta_text(&c->sl, &text);
    s = text.failed ? ens_fail(err, ENS_ENOMEMORY, "out of memory")
                    : c->host->plan_data(c->plan, text.data, text.len, err);
    ens_buf_fini(&text);
    return s;
}

static enum ens_status add_stage(struct chain *c, struct ens_sl_at at,
                                 struct ens_error *err)
{
    uint64_t n = c->host->plan_n_cells(c->plan);
    struct names writes = {.n = 0}, reads = {.n = 0};
    uint32_t *per_cell = calloc((size_t)n, sizeof(*per_cell));
    struct ens_cell cell;
    uint32_t n_tasks = ens_sl_n_tasks(at.layer > 0 ? &c->layer : &c->meta,
                                      at.step, width(c, at));
    char key[ENS_SL_KEY];
    enum ens_status s;

    if (per_cell == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (uint64_t i = 0; i < n; i++) {
        c->host->plan_cell(c->plan, i, &cell);
        per_cell[i] = takes_part(c, at, &cell) ? n_tasks : 0;
    }
    ens_sl_stage_key(at, key);
    step_arrays(c, at, &writes, &reads);
    s = c->host->plan_stage(
        c->plan, key, 0, per_cell, writes.n > 0 ? writes.item : NULL,
        reads.n > 0 ? reads.item : NULL, at.step != ENS_SL_FIT, err);
    free(per_cell);
    return s == ENS_OK ? add_data(c, at, err) : s;
}

static enum ens_status chain_open(struct chain *c, const struct ens_host *host,
                                  struct ens_plan *plan, struct ens_error *err)
{
    enum ens_status s;

    *c = (struct chain){.host = host, .plan = plan};
    c->n_layers = ens_sl_n_layers(plan, host);
    if (c->n_layers > ENS_SL_LAYERS)
        return ens_fail(err, ENS_ESTUDY,
                        "[learner] layer: %u; at most %d layers", c->n_layers,
                        ENS_SL_LAYERS);
    s = ens_sl_read(&c->sl, plan, host, err);
    return s == ENS_OK ? ens_sl_meta_layer(&c->sl, c->n_layers, &c->meta, err)
                       : s;
}

enum ens_status ens_sl_next(const struct ens_host *host, const char *key,
                            struct ens_plan *plan, struct ens_error *err)
{
    struct chain c;
    struct ens_sl_at at;
    int any = 0;
    enum ens_status s = chain_open(&c, host, plan, err);

    if (s == ENS_OK)
        s = ens_sl_stage_of(key, &at, err);
    if (s == ENS_OK)
        s = at.layer > 0 ? enter_layer(&c, at.layer, at.group, err)
                         : enter_meta(&c, err);
    if (s == ENS_OK)
        s = follow(&c, &at, &any, err);
    if (s == ENS_OK && any)
        s = add_stage(&c, at, err);
    return s;
}

static enum ens_status enter_first(struct chain *c, struct ens_sl_at *at,
                                   struct ens_error *err)
{
    enum ens_status s =
        enter_layer(c, 1, ens_sl_group_after(&c->sl, 1, NULL), err);

    *at = ens_sl_at(&c->layer, ENS_SL_ROWS);
    return s;
}

static enum ens_status declare_arrays(struct chain *c, struct ens_error *err)
{
    int outer = c->layer.n_samples > 1, kept = is_kept(c);
    const struct {
        struct ens_array_def def;
        int there;
    } arrays[] = {
        {{"rows", ENS_DT_I64, 0}, c->layer.is_shared},
        {{"index", ENS_DT_I64, 1}, c->layer.is_picked},
        {{"lanes", ENS_DT_F64, 0}, c->needs.moments},
        {{"sums", ENS_DT_F64, 0}, c->needs.moments},
        {{"edges", ENS_DT_F64, 0}, c->needs.bins},
        {{"bins", ENS_DT_I64, 0}, c->needs.bins},
        {{"raw", ENS_DT_F64, 0}, kept && !c->layer.is_sorted},
        {{"rawouter", ENS_DT_F64, 0}, outer},
        {{"predicted", ENS_DT_F64, 1}, kept},
        {{"outer", ENS_DT_F64, 1}, outer},
        {{"fits", ENS_DT_F64, 1}, kept},
    };
    char text[ENS_SL_KEY];
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < ENS_COUNT(arrays) && s == ENS_OK; i++) {
        struct ens_array_def def = arrays[i].def;

        if (!arrays[i].there)
            continue;
        ens_sl_array(text, def.name, &c->layer);
        def.name = text;
        s = c->host->plan_array(c->plan, &def, err);
    }
    return s;
}

static enum ens_status declare_all(struct chain *c, struct ens_error *err)
{
    static const struct ens_array_def meta[] = {{"metalanes", ENS_DT_F64, 0},
                                                {"metarisks", ENS_DT_F64, 0},
                                                {"weights", ENS_DT_F64, 1},
                                                {"risks", ENS_DT_F64, 1}};
    static const enum ens_sl_step of[] = {ENS_SL_META_LANES, ENS_SL_META_RISKS};
    enum ens_status s = ENS_OK;

    for (uint32_t i = 1; i <= c->n_layers && s == ENS_OK; i++) {
        const char *g = NULL;

        while (s == ENS_OK && (g = ens_sl_group_after(&c->sl, i, g)) != NULL) {
            s = enter_layer(c, i, g, err);
            if (s == ENS_OK)
                s = declare_arrays(c, err);
        }
    }
    for (size_t i = 0; i < ENS_COUNT(meta) && s == ENS_OK; i++)
        if (i >= ENS_COUNT(of) || has_step(c, of[i]))
            s = c->host->plan_array(c->plan, &meta[i], err);
    return s;
}

/* What is wrong with the study beyond its rows of tables; kind.c. */
enum ens_status ens_sl_plan(const struct ens_host *host, struct ens_plan *plan,
                            struct ens_error *err)
{
    struct chain c;
    struct ens_sl_at at;
    int any = 1;
    enum ens_status s;

    ens_sl_count_anew();
    s = chain_open(&c, host, plan, err);
    if (s == ENS_OK)
        s = declare_all(&c, err);
    if (s == ENS_OK)
        s = ens_sl_check(&c.sl, plan, host, err);
    if (s == ENS_OK)
        s = ens_sl_schemas(host, plan, err);
    if (s == ENS_OK)
        s = enter_first(&c, &at, err);
    if (s == ENS_OK && !has_step(&c, at.step))
        s = follow(&c, &at, &any, err);
    return s == ENS_OK ? add_stage(&c, at, err) : s;
}

uint32_t ens_sl_max_stages(const struct ens_host *host,
                           const struct ens_plan *plan)
{
    struct chain c;
    struct ens_sl_at at;
    uint32_t n = 0;
    int any = 1;

    if (chain_open(&c, host, (struct ens_plan *)plan, NULL) != ENS_OK ||
        enter_first(&c, &at, NULL) != ENS_OK)
        return 0;
    n += (uint32_t)has_step(&c, at.step);
    while (follow(&c, &at, &any, NULL) == ENS_OK && any)
        n++;
    return n;
}
