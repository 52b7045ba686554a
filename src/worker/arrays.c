#include "worker/inside.h"

#include "base/hash.h"
#include "store/array.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ELEMENT_BYTES ((size_t)8) /* F64 and I64 are all there is */

enum ens_status ens_arrays_enter(struct ens_worker *w, struct ens_error *err)
{
    for (size_t i = 0; i < w->stage.n_writes; i++) {
        struct ens_block *b = &w->block[i];

        b->def = ens_plan_find_array(w->plan, w->stage.writes[i]);
        b->fd = -1;
        b->taken = 0;
        if (b->def == NULL)
            return ens_fail(err, ENS_EPROTOCOL,
                            "stage %s writes array %s, which is not declared",
                            w->stage.key, w->stage.writes[i]);
    }
    return ENS_OK;
}

void ens_arrays_leave_cell(struct ens_worker *w)
{
    for (size_t i = 0; i < w->stage.n_writes; i++) {
        if (w->block[i].fd >= 0)
            close(w->block[i].fd);
        w->block[i].fd = -1;
    }
    for (size_t i = 0; i < w->stage.n_reads; i++) {
        if (w->read[i].base != NULL)
            ens_array_unmap(w->read[i].base, w->read[i].map_bytes);
        w->read[i].base = NULL;
    }
}

void ens_arrays_fini(struct ens_worker *w)
{
    ens_arrays_leave_cell(w);
    for (size_t i = 0; i < ENS_STAGE_MAX_ARRAYS; i++)
        free(w->block[i].data);
}

void ens_arrays_begin_task(struct ens_worker *w)
{
    for (size_t i = 0; i < w->stage.n_writes; i++)
        w->block[i].taken = 0;
}

static enum ens_status find_region(struct ens_worker *w, struct ens_block *b,
                                   struct ens_error *err)
{
    enum ens_status s;

    s = ens_plan_array_region(w->plan, b->def->name, &w->task.cell,
                              w->task.replicate, &b->first, &b->n);
    if (s != ENS_OK)
        return ens_fail(err, s, "array %s: replicate %u has no region",
                        b->def->name, w->task.replicate);
    if (b->n > SIZE_MAX / ELEMENT_BYTES)
        return ens_fail(err, ENS_EDOMAIN, "array %s: region too large",
                        b->def->name);
    return ENS_OK;
}

static enum ens_status grow_block(struct ens_block *b, struct ens_error *err)
{
    size_t bytes = (size_t)b->n * ELEMENT_BYTES;
    unsigned char *p;

    if (bytes <= b->cap)
        return ENS_OK;
    p = realloc(b->data, bytes);
    if (p == NULL)
        return ens_fail(err, ENS_ENOMEMORY,
                        "array %s: no memory for a block of %zu bytes",
                        b->def->name, bytes);
    b->data = p;
    b->cap = bytes;
    return ENS_OK;
}

/* What the kind leaves unset is missing, not what the last task left. */
static void clear_block(struct ens_block *b)
{
    double *v = (double *)(void *)b->data;

    if (b->def->dtype == ENS_DT_I64)
        memset(b->data, 0, (size_t)b->n * ELEMENT_BYTES);
    else
        for (uint64_t i = 0; i < b->n; i++)
            v[i] = NAN;
}

enum ens_status ens_result_block(struct ens_result *r, const char *array,
                                 void **data, uint64_t *n,
                                 struct ens_error *err)
{
    struct ens_worker *w = r->worker;
    struct ens_block *b;
    size_t i = 0;
    enum ens_status s;

    while (i < w->stage.n_writes && strcmp(w->stage.writes[i], array) != 0)
        i++;
    if (i == w->stage.n_writes)
        return ens_fail(err, ENS_EUSAGE, "stage %s does not write array %s",
                        w->stage.key, array);
    b = &w->block[i];
    if (!b->taken) {
        s = find_region(w, b, err);
        if (s == ENS_OK)
            s = grow_block(b, err);
        if (s != ENS_OK)
            return s;
        clear_block(b);
        b->taken = 1;
    }
    *data = b->data;
    *n = b->n;
    return ENS_OK;
}

enum ens_status ens_result_array(struct ens_result *r, const char *name,
                                 struct ens_view *view, struct ens_error *err)
{
    struct ens_worker *w = r->worker;
    struct ens_read *a;
    size_t i = 0;
    enum ens_status s;

    while (i < w->stage.n_reads && strcmp(w->stage.reads[i], name) != 0)
        i++;
    if (i == w->stage.n_reads)
        return ens_fail(err, ENS_EUSAGE, "stage %s does not read array %s",
                        w->stage.key, name);
    a = &w->read[i];
    if (a->base == NULL) {
        s = ens_array_map(w->config.dir, name, w->task.cell.hash[0], &a->view,
                          &a->base, &a->map_bytes, &w->fatal);
        if (s != ENS_OK) { /* the world's fault, not the task's */
            if (err != NULL)
                *err = w->fatal;
            return s;
        }
    }
    *view = a->view;
    return ENS_OK;
}

static enum ens_status open_file(struct ens_worker *w, struct ens_block *b)
{
    if (b->fd >= 0)
        return ENS_OK;
    return ens_array_open(w->config.dir, b->def->name, w->task.cell.hash[0],
                          &b->fd, &b->data_offset, &w->fatal);
}

struct target { /* a block on its way to the disk */
    struct ens_worker *w;
    const struct ens_block *block;
};

static enum ens_status put_data(void *arg, struct ens_error *err)
{
    const struct target *t = arg;
    const struct ens_block *b = t->block;

    return ens_array_write(b->fd, b->data_offset, ELEMENT_BYTES, b->first, b->n,
                           b->data, t->w->pack.io, err);
}

static enum ens_status put_missing(void *arg, struct ens_error *err)
{
    const struct target *t = arg;
    const struct ens_block *b = t->block;

    return ens_array_fill(b->fd, b->data_offset, b->def->dtype, b->first, b->n,
                          t->w->pack.io, err);
}

static enum ens_status write_block(struct ens_worker *w, struct ens_block *b)
{
    struct target t = {w, b};
    enum ens_status s = ENS_OK;

    if (!w->replay && w->config.far)
        s = ens_far_block(w, b->def->name, b->first * ELEMENT_BYTES, b->data,
                          b->n * ELEMENT_BYTES, &w->fatal);
    else if (!w->replay)
        s = open_file(w, b);
    if (s == ENS_OK && !w->replay && !w->config.far)
        s = ens_worker_write(w, put_data, &t);
    if (s == ENS_OK)
        ens_draft_block(&w->result.draft, b->def->name,
                        ens_hash64(b->data, (size_t)b->n * ELEMENT_BYTES));
    return s;
}

enum ens_status ens_arrays_write(struct ens_worker *w, struct ens_error *err)
{
    for (size_t i = 0; i < w->stage.n_writes; i++)
        if (!w->block[i].taken)
            return ens_fail(err, ENS_EDOMAIN,
                            "task did not fill its block of array %s",
                            w->stage.writes[i]);
    for (size_t i = 0; i < w->stage.n_writes; i++) {
        enum ens_status s = write_block(w, &w->block[i]);

        if (s != ENS_OK) {
            if (err != NULL)
                *err = w->fatal;
            return s;
        }
    }
    return ENS_OK;
}

enum ens_status ens_arrays_fill(struct ens_worker *w, struct ens_error *err)
{
    for (size_t i = 0; i < w->stage.n_writes && !w->replay; i++) {
        struct ens_block *b = &w->block[i];
        struct target t = {w, b};
        enum ens_status s = ENS_OK;

        if (!b->taken)
            s = find_region(w, b, &w->fatal);
        if (s == ENS_OK && w->config.far && b->n > 0)
            s = ens_far_block(w, b->def->name, b->first * ELEMENT_BYTES, NULL,
                              b->n * ELEMENT_BYTES, &w->fatal);
        else if (s == ENS_OK && !w->config.far)
            s = open_file(w, b);
        if (s == ENS_OK && !w->config.far)
            s = ens_worker_write(w, put_missing, &t);
        if (s != ENS_OK) {
            if (err != NULL)
                *err = w->fatal;
            return s;
        }
    }
    return ENS_OK;
}
