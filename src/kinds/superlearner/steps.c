#include "kinds/superlearner/steps.h"

#include "base/buf.h"
#include "base/bug.h"
#include "config/study.h"
#include "kinds/superlearner/cases.h"
#include "kinds/superlearner/counts.h"
#include "kinds/superlearner/kind.h"
#include "kinds/superlearner/meta.h"
#include "kinds/superlearner/meta_lanes.h"
#include "kinds/superlearner/metas.h"
#include "kinds/superlearner/moments.h"
#include "kinds/superlearner/trees.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LANE_ROWS      65536u
#define MIN_LANES      16u
#define MAX_LANES      4096u
#define LARGE_PARTIAL  ((uint64_t)8 << 20)
#define PARTIALS_BYTES ((uint64_t)1 << 30)

static const char *const step_text[ENS_SL_N_STEPS] = {
    "_rows", "_lanes",  "_sums",      "_edges",     "_bins",
    "",      "_sorted", "meta_lanes", "meta_risks", "meta"};

struct ens_sl_at ens_sl_at(const struct ens_sl_layer *layer,
                           enum ens_sl_step step)
{
    return (struct ens_sl_at){layer->number, step};
}

void ens_sl_stage_key(struct ens_sl_at at, char key[ENS_SL_KEY])
{
    if (at.step >= ENS_SL_META_LANES)
        snprintf(key, ENS_SL_KEY, "%s", step_text[at.step]);
    else
        snprintf(key, ENS_SL_KEY, "layer%u%s", at.layer, step_text[at.step]);
}

enum ens_status ens_sl_stage_of(const char *key, struct ens_sl_at *at,
                                struct ens_error *err)
{
    char text[ENS_SL_KEY];

    for (int i = ENS_SL_META_LANES; i <= ENS_SL_META; i++) {
        *at = (struct ens_sl_at){0, (enum ens_sl_step)i};
        if (strcmp(key, step_text[i]) == 0)
            return ENS_OK;
    }
    for (uint32_t l = 1; l <= ENS_SL_LAYERS; l++)
        for (int i = 0; i < ENS_SL_META_LANES; i++) {
            *at = (struct ens_sl_at){l, (enum ens_sl_step)i};
            ens_sl_stage_key(*at, text);
            if (strcmp(text, key) == 0)
                return ENS_OK;
        }
    return ens_fail(err, ENS_EPROTOCOL, "superlearner has no stage %s", key);
}

void ens_sl_array(char to[ENS_SL_KEY], const char *stem,
                  const struct ens_sl_layer *layer)
{
    if (layer == NULL)
        snprintf(to, ENS_SL_KEY, "%s", stem);
    else
        snprintf(to, ENS_SL_KEY, "%s%u", stem, layer->number);
}

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

/* -- what a layer needs -------------------------------------------------- */

/* Sums of windows that would be too many are not made. */
static enum ens_status check_windows(const struct ens_plan *plan,
                                     const struct ens_host *host,
                                     const struct ens_sl_layer *layer,
                                     struct ens_sl_needs *needs,
                                     struct ens_error *err)
{
    struct ens_cell leader;
    struct ens_sl sl;
    enum ens_status s = ens_sl_read(&sl, plan, host, err);

    if (s != ENS_OK)
        return s;
    host->plan_cell(plan, needs->leader, &leader);
    needs->moments =
        ens_sl_sum_samples(layer, ens_sl_width(&sl, plan, host, layer->number,
                                               ens_sl_texts(&leader))) > 0;
    return ENS_OK;
}

enum ens_status ens_sl_needs(const struct ens_plan *plan,
                             const struct ens_host *host,
                             const struct ens_sl_layer *layer,
                             struct ens_sl_needs *needs, struct ens_error *err)
{
    uint64_t n = host->plan_n_cells(plan);
    struct ens_cell cell;

    *needs = (struct ens_sl_needs){0};
    for (uint64_t i = 0; i < n; i++) {
        const struct ens_learner *learner;

        host->plan_cell(plan, i, &cell);
        if (!ens_sl_is_in(&cell, layer))
            continue;
        learner = ens_cell_impl(&cell, "learner")->ops;
        if (needs->n_cells++ == 0)
            needs->leader = i;
        needs->moments |= ens_sl_shares_moments(&cell, learner);
        needs->bins |= ens_sl_shares_bins(&cell, learner);
    }
    if (needs->n_cells == 0)
        return ens_fail(err, ENS_ESTUDY,
                        "[learner] layer: no learner is in layer %u, though "
                        "some are in a later one",
                        layer->number);
    if (layer->spec.type == ENS_FOLDS_TEMPORAL && needs->moments)
        return check_windows(plan, host, layer, needs, err);
    return ENS_OK;
}

uint32_t ens_sl_n_layers(const struct ens_plan *plan,
                         const struct ens_host *host)
{
    uint64_t n = host->plan_n_cells(plan);
    struct ens_cell cell;
    uint32_t most = 1;

    for (uint64_t i = 0; i < n; i++) {
        uint32_t layer;

        host->plan_cell(plan, i, &cell);
        layer = ens_sl_layer_of(&cell);
        most = layer > most ? layer : most;
    }
    return most;
}

/* -- the chain ------------------------------------------------------------ */

struct chain { /* what a stage is added from */
    const struct ens_host *host;
    struct ens_plan *plan;
    struct ens_sl sl;
    struct ens_sl_layer layer; /* of META_LANES and what follows: the last */
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
        return !c->sl.is_select && ens_sl_meta_lanes(&c->layer, members(c)) > 0;
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
                                   struct ens_error *err)
{
    enum ens_status s = ens_sl_layer(&c->sl, layer, &c->layer, err);

    return s == ENS_OK
               ? ens_sl_needs(c->plan, c->host, &c->layer, &c->needs, err)
               : s;
}

/* The step after `at` that there is; 0: none. */
static enum ens_status follow(struct chain *c, struct ens_sl_at *at, int *any,
                              struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    *any = 0;
    while (at->step != ENS_SL_META && !*any && s == ENS_OK) {
        at->step++;
        if (at->step == ENS_SL_META_LANES && at->layer == c->n_layers) {
            at->layer = 0;
        } else if (at->step == ENS_SL_META_LANES) {
            at->layer++;
            at->step = ENS_SL_ROWS;
            s = enter_layer(c, at->layer, err);
        }
        *any = s == ENS_OK && has_step(c, at->step);
    }
    return s;
}

struct names { /* of arrays */
    char text[16][ENS_SL_KEY];
    const char *item[17];
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

    if (layer == 1)
        return;
    if (mapped_by > 0)
        name(reads, "index", &(struct ens_sl_layer){.number = mapped_by});
    name(reads, "predicted", &from);
    if (c->sl.n_outer > 0)
        name(reads, "outer", &from);
    name(reads, "fits", &from);
}

static void step_arrays(const struct chain *c, struct ens_sl_at at,
                        struct names *writes, struct names *reads)
{
    const struct ens_sl_layer *l = &c->layer;

    if (at.layer == 0)
        input_arrays(c, c->n_layers + 1,
                     l->is_picked ? l->number : l->mapped_by, reads);
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
    struct ens_sl_layer layer;
    char row[12];
    enum ens_status s =
        is_meta ? ens_sl_meta_layer(&c->sl, c->n_layers, &layer, err)
                : ens_sl_layer(&c->sl, at.layer, &layer, err);

    if (s != ENS_OK || layer.number == 1)
        return s;
    snprintf(row, sizeof(row), "%u", layer.number - 1);
    v = ens_study_row_value(c->sl.study, "layer", row, "propagate");
    ens_buf_printf(&text, "rows=%llu+%llu\npropagate=%s\n",
                   (unsigned long long)layer.first_y,
                   (unsigned long long)layer.n_in, v->set ? v->text : "");
    if (layer.mapped_by > 0)
        ens_buf_printf(&text, "index=%u\n", layer.mapped_by);
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
    uint32_t n_tasks = ens_sl_n_tasks(&c->layer, at.step, width(c, at));
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
    *c = (struct chain){.host = host, .plan = plan};
    c->n_layers = ens_sl_n_layers(plan, host);
    return ens_sl_read(&c->sl, plan, host, err);
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
        s = enter_layer(&c, at.layer > 0 ? at.layer : c.n_layers, err);
    if (s == ENS_OK)
        s = follow(&c, &at, &any, err);
    if (s == ENS_OK && any)
        s = add_stage(&c, at, err);
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
        s = enter_layer(c, i, err);
        if (s == ENS_OK)
            s = declare_arrays(c, err);
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
    struct ens_sl_at at = {1, ENS_SL_ROWS};
    int any = 1;
    enum ens_status s = chain_open(&c, host, plan, err);

    ens_sl_count_anew();
    if (s == ENS_OK && c.n_layers > ENS_SL_LAYERS)
        s = ens_fail(err, ENS_ESTUDY, "[learner] layer: %u; at most %d layers",
                     c.n_layers, ENS_SL_LAYERS);
    if (s == ENS_OK)
        s = declare_all(&c, err);
    if (s == ENS_OK)
        s = ens_sl_check(&c.sl, plan, host, err);
    if (s == ENS_OK)
        s = ens_sl_schemas(host, plan, err);
    if (s == ENS_OK)
        s = enter_layer(&c, 1, err);
    if (s == ENS_OK && !has_step(&c, at.step))
        s = follow(&c, &at, &any, err);
    return s == ENS_OK ? add_stage(&c, at, err) : s;
}

uint32_t ens_sl_max_stages(const struct ens_host *host,
                           const struct ens_plan *plan)
{
    struct chain c;
    struct ens_sl_at at = {0, ENS_SL_META};
    uint32_t n = 0;
    int any = 1;

    if (chain_open(&c, host, (struct ens_plan *)plan, NULL) != ENS_OK ||
        enter_layer(&c, 1, NULL) != ENS_OK)
        return 0;
    at = (struct ens_sl_at){1, ENS_SL_ROWS};
    n += (uint32_t)has_step(&c, at.step);
    while (follow(&c, &at, &any, NULL) == ENS_OK && any)
        n++;
    return n;
}
