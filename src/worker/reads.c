/* Arrays that a stage reads, mapped when a task asks for them and kept until
 * the stage changes: tasks of a stage tend to ask for the same ones. */
#include "worker/inside.h"

#include "base/hash.h"
#include "store/array.h"

#include <stdlib.h>
#include <string.h>

/* A process may have 65,530 maps (vm.max_map_count). */
#define MAPS_MAX 16384u

void ens_reads_clear(struct ens_reads *r)
{
    for (size_t i = 0; i < r->cap; i++)
        if (r->at[i].base != NULL)
            ens_array_unmap(r->at[i].base, r->at[i].map_bytes);
    free(r->at);
    *r = (struct ens_reads){0};
}

void ens_reads_begin_task(struct ens_reads *r)
{
    if (r->n > MAPS_MAX)
        ens_reads_clear(r);
}

/* Its place, or the free one where it belongs; cap > n. */
static struct ens_read *place_of(const struct ens_reads *r, size_t array,
                                 uint64_t cell)
{
    size_t i = (size_t)ens_hash64_pair(array, cell) & (r->cap - 1);

    while (r->at[i].base != NULL &&
           (r->at[i].array != array || r->at[i].cell != cell))
        i = (i + 1) & (r->cap - 1);
    return &r->at[i];
}

static int grow(struct ens_reads *r)
{
    struct ens_reads wide = {.n = r->n, .cap = r->cap == 0 ? 32 : 2 * r->cap};

    wide.at = calloc(wide.cap, sizeof(*wide.at));
    if (wide.at == NULL)
        return -1;
    for (size_t i = 0; i < r->cap; i++)
        if (r->at[i].base != NULL)
            *place_of(&wide, r->at[i].array, r->at[i].cell) = r->at[i];
    free(r->at);
    *r = wide;
    return 0;
}

/* A file that is not there is the world's fault, not the task's. */
static enum ens_status map(struct ens_worker *w, size_t array, uint64_t cell,
                           struct ens_view *view, struct ens_error *err)
{
    struct ens_read *a;
    struct ens_cell c;
    enum ens_status s;

    if (2 * w->reads.n >= w->reads.cap && grow(&w->reads) != 0)
        return ens_fail(err, ENS_ENOMEMORY, "array %s: out of memory",
                        w->stage.reads[array]);
    a = place_of(&w->reads, array, cell);
    if (a->base == NULL) {
        ens_study_cell(w->plan->study, cell, &c);
        s = ens_array_map_any(w->config.dir, w->stage.reads[array], c.hash[0],
                              &a->view, &a->base, &a->map_bytes, &w->fatal);
        if (s != ENS_OK) {
            if (err != NULL)
                *err = w->fatal;
            return s;
        }
        a->array = array;
        a->cell = cell;
        w->reads.n++;
    }
    *view = a->view;
    return ENS_OK;
}

enum ens_status ens_result_array_of(struct ens_result *r, const char *name,
                                    uint64_t cell, struct ens_view *view,
                                    struct ens_error *err)
{
    struct ens_worker *w = r->worker;
    size_t i = 0;

    while (i < w->stage.n_reads && strcmp(w->stage.reads[i], name) != 0)
        i++;
    if (i == w->stage.n_reads)
        return ens_fail(err, ENS_EUSAGE, "stage %s does not read array %s",
                        w->stage.key, name);
    if (!ens_stage_holds(&w->stage, i, cell))
        return ens_fail(err, ENS_ENOTFOUND,
                        "cell %llu has no array %s: it took no part in the "
                        "stage that wrote it",
                        (unsigned long long)cell, name);
    return map(w, i, cell, view, err);
}

enum ens_status ens_result_array(struct ens_result *r, const char *name,
                                 struct ens_view *view, struct ens_error *err)
{
    return ens_result_array_of(r, name, r->worker->task.cell.ordinal, view,
                               err);
}
