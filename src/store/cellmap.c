#include "store/cellmap.h"

#include "record/little.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct ens_cellmap_slot {
    uint64_t low, high;
    uint64_t ordinal; /* + 1; 0 = free */
};

void ens_cellmap_init(struct ens_cellmap *m, const struct ens_study *study)
{
    memset(m, 0, sizeof(*m));
    m->study = study;
    m->n_cells = ens_study_n_cells(study);
    m->study_hash = ens_study_cells_hash(study);
}

void ens_cellmap_fini(struct ens_cellmap *m)
{
    free(m->to);
    free(m->slot);
    memset(m, 0, sizeof(*m));
}

static enum ens_status make_slots(struct ens_cellmap *m, struct ens_error *err)
{
    uint64_t n = 16;

    while (n < 2 * m->n_cells)
        n *= 2;
    m->slot = calloc((size_t)n, sizeof(*m->slot));
    if (m->slot == NULL)
        return ens_fail(err, ENS_ENOMEMORY,
                        "a table of %" PRIu64 " cells: out of memory",
                        m->n_cells);
    m->n_slots = n;
    for (uint64_t i = 0; i < m->n_cells; i++) {
        struct ens_cell cell;
        uint64_t at;

        ens_study_cell(m->study, i, &cell);
        for (at = cell.hash[0] & (n - 1); m->slot[at].ordinal != 0;)
            at = (at + 1) & (n - 1);
        m->slot[at].low = cell.hash[0];
        m->slot[at].high = cell.hash[1];
        m->slot[at].ordinal = i + 1;
    }
    return ENS_OK;
}

static uint64_t look_up(const struct ens_cellmap *m, uint64_t low,
                        uint64_t high)
{
    for (uint64_t at = low & (m->n_slots - 1); m->slot[at].ordinal != 0;
         at = (at + 1) & (m->n_slots - 1))
        if (m->slot[at].low == low && m->slot[at].high == high)
            return m->slot[at].ordinal - 1;
    return ENS_CELL_NONE;
}

/* Grows with what was read, never by what a head claims. */
static int reserve(struct ens_cellmap *m, uint64_t n)
{
    uint64_t cap = m->cap_to == 0 ? 4096 : m->cap_to;
    uint64_t *p;

    while (cap < n)
        cap *= 2;
    if (cap == m->cap_to)
        return 0;
    p = realloc(m->to, (size_t)cap * sizeof(*p));
    if (p == NULL)
        return -1;
    m->to = p;
    m->cap_to = cap;
    return 0;
}

static enum ens_status read_cells(struct ens_cellmap *m, const unsigned char *p,
                                  uint32_t n, struct ens_error *err)
{
    enum ens_status s = m->slot != NULL ? ENS_OK : make_slots(m, err);

    if (s != ENS_OK)
        return s;
    if (reserve(m, m->n_read + n) != 0)
        return ens_fail(err, ENS_ENOMEMORY,
                        "a list of %" PRIu64 " cells: out of memory",
                        m->n_list);
    for (uint32_t i = 0; i < n; i++, p += 16)
        m->to[m->n_read + i] = look_up(m, ens_get64(p), ens_get64(p + 8));
    return ENS_OK;
}

enum ens_status ens_cellmap_read(struct ens_cellmap *m, const void *payload,
                                 size_t n, struct ens_error *err)
{
    const unsigned char *p = payload;
    uint64_t hash, n_list, first;
    enum ens_status s = ENS_OK;
    uint32_t n_part;

    if (n < ENS_CELLS_HEAD)
        return ens_fail(err, ENS_ECORRUPT, "cells: %zu bytes, head has %u", n,
                        ENS_CELLS_HEAD);
    hash = ens_get64(p);
    n_list = ens_get64(p + 8);
    first = ens_get64(p + 16);
    n_part = ens_get32(p + 24);
    if (n != ENS_CELLS_HEAD + (size_t)n_part * 16 || first > n_list ||
        n_part > n_list - first)
        return ens_fail(err, ENS_ECORRUPT,
                        "cells: %" PRIu32 " from %" PRIu64 " of %" PRIu64
                        " in %zu bytes",
                        n_part, first, n_list, n);
    if (first == 0) {
        m->list_hash = hash;
        m->n_list = n_list;
        m->n_read = 0;
    } else if (hash != m->list_hash || first != m->n_read) {
        return ens_fail(err, ENS_ECORRUPT,
                        "cells: a part begins at %" PRIu64
                        ", the one before ended at %" PRIu64,
                        first, m->n_read);
    }
    if (!ens_cellmap_same(m))
        s = read_cells(m, p + ENS_CELLS_HEAD, n_part, err);
    if (s == ENS_OK)
        m->n_read += n_part;
    return s;
}

static enum ens_status translate_run(const struct ens_cellmap *m,
                                     const struct ens_stage_run *run,
                                     struct ens_stage *to, uint64_t *end)
{
    for (uint64_t i = 0; i < run->n_cells; i++) {
        uint64_t cell = ens_cellmap_get(m, run->first_cell + i);

        if (cell == ENS_CELL_NONE || cell < *end ||
            ens_stage_add_run(to, cell, 1, run->n_replicates) != ENS_OK)
            return ENS_ENOTFOUND;
        *end = cell + 1;
    }
    return ENS_OK;
}

int ens_cellmap_runs(const struct ens_cellmap *m, struct ens_stage *stage)
{
    struct ens_stage to = *stage;
    uint64_t end = 0;

    if (stage->n_runs == 0)
        return 0;
    if (ens_cellmap_same(m)) {
        const struct ens_stage_run *last = &stage->run[stage->n_runs - 1];

        return last->first_cell + last->n_cells <= m->n_cells ? 0 : -1;
    }
    to.run = NULL;
    to.n_runs = to.cap_runs = 0;
    for (size_t i = 0; i < stage->n_runs; i++) {
        if (translate_run(m, &stage->run[i], &to, &end) != ENS_OK) {
            ens_stage_fini(&to);
            return -1;
        }
    }
    free(stage->run);
    stage->run = to.run;
    stage->n_runs = to.n_runs;
    stage->cap_runs = to.cap_runs;
    return 0;
}
