#include "worker/inside.h"

#include "base/hash.h"
#include "store/array.h"

#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ELEMENT_BYTES ((size_t)8) /* F64 and I64 are all there is */
#define LARGE_BLOCK   ((uint64_t)1 << 20)

enum ens_status ens_arrays_enter(struct ens_worker *w, struct ens_error *err)
{
    for (size_t i = 0; i < w->stage.n_writes; i++) {
        struct ens_block *b = &w->block[i];

        b->def = ens_plan_find_array(w->plan, w->stage.writes[i]);
        b->fd = -1;
        b->use = ENS_BLOCK_UNUSED;
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
}

void ens_arrays_fini(struct ens_worker *w)
{
    ens_arrays_leave_cell(w);
    ens_reads_clear(&w->reads);
    for (size_t i = 0; i < ENS_STAGE_MAX_ARRAYS; i++) {
        free(w->block[i].data);
        ens_hasher_free(w->block[i].hasher);
    }
}

void ens_arrays_begin_task(struct ens_worker *w)
{
    for (size_t i = 0; i < w->stage.n_writes; i++)
        w->block[i].use = ENS_BLOCK_UNUSED;
    ens_reads_begin_task(&w->reads);
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

/* An array that the stage writes; NULL: it does not. */
static struct ens_block *find_block(struct ens_worker *w, const char *array,
                                    struct ens_error *err)
{
    for (size_t i = 0; i < w->stage.n_writes; i++)
        if (strcmp(w->stage.writes[i], array) == 0)
            return &w->block[i];
    ens_fail(err, ENS_EUSAGE, "stage %s does not write array %s", w->stage.key,
             array);
    return NULL;
}

/* All of a task's block comes in one way. */
static enum ens_status check_use(const struct ens_block *b,
                                 enum ens_block_use use, struct ens_error *err)
{
    return b->use == ENS_BLOCK_UNUSED || b->use == use
               ? ENS_OK
               : ens_fail(err, ENS_EUSAGE,
                          "array %s: its block comes either whole or in parts",
                          b->def->name);
}

enum ens_status ens_result_block(struct ens_result *r, const char *array,
                                 void **data, uint64_t *n,
                                 struct ens_error *err)
{
    struct ens_worker *w = r->worker;
    struct ens_block *b = find_block(w, array, err);
    enum ens_status s;

    if (b == NULL)
        return ENS_EUSAGE;
    s = check_use(b, ENS_BLOCK_WHOLE, err);
    if (s == ENS_OK && b->use == ENS_BLOCK_UNUSED) {
        s = find_region(w, b, err);
        if (s == ENS_OK)
            s = grow_block(b, err);
        if (s != ENS_OK)
            return s;
        clear_block(b);
        b->use = ENS_BLOCK_WHOLE;
    }
    if (s != ENS_OK)
        return s;
    *data = b->data;
    *n = b->n;
    return ENS_OK;
}

static enum ens_status open_file(struct ens_worker *w, struct ens_block *b)
{
    if (b->fd >= 0)
        return ENS_OK;
    return ens_array_open(w->config.dir, b->def->name, w->task.cell.hash[0],
                          &b->fd, &b->data_offset, &w->fatal);
}

struct piece { /* of an array, on its way to the disk */
    struct ens_worker *w;
    const struct ens_block *block;
    uint64_t first, n; /* elements of the array */
    const void *data;  /* NULL: what is missing */
};

static enum ens_status put_piece(void *arg, struct ens_error *err)
{
    const struct piece *p = arg;
    const struct ens_block *b = p->block;

    if (p->data == NULL)
        return ens_array_fill(b->fd, b->data_offset, b->def->dtype, p->first,
                              p->n, p->w->pack.io, err);
    return ens_array_write(b->fd, b->data_offset, ELEMENT_BYTES, p->first, p->n,
                           p->data, p->w->pack.io, err);
}

/* A failure is the world's and sets w->fatal. */
static enum ens_status put(struct ens_worker *w, struct ens_block *b,
                           uint64_t first, const void *data, uint64_t n)
{
    struct piece p = {w, b, first, n, data};
    enum ens_status s;

    if ((w->replay && !w->restore) || n == 0)
        return ENS_OK;
    if (w->config.far)
        return ens_far_block(w, b->def->name, first * ELEMENT_BYTES, data,
                             n * ELEMENT_BYTES, &w->fatal);
    s = open_file(w, b);
    return s == ENS_OK ? ens_worker_write(w, put_piece, &p) : s;
}

static enum ens_status begin_parts(struct ens_worker *w, struct ens_block *b,
                                   struct ens_error *err)
{
    enum ens_status s = check_use(b, ENS_BLOCK_PARTS, err);

    if (s != ENS_OK || b->use == ENS_BLOCK_PARTS)
        return s;
    if (b->hasher == NULL && (b->hasher = ens_hasher_new()) == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s = find_region(w, b, err);
    if (s != ENS_OK)
        return s;
    ens_hasher_begin(b->hasher);
    b->given = 0;
    b->use = ENS_BLOCK_PARTS;
    return ENS_OK;
}

enum ens_status ens_result_block_part(struct ens_result *r, const char *array,
                                      uint64_t first, const void *data,
                                      uint64_t n, struct ens_error *err)
{
    struct ens_worker *w = r->worker;
    struct ens_block *b = find_block(w, array, err);
    enum ens_status s;

    if (b == NULL)
        return ENS_EUSAGE;
    s = begin_parts(w, b, err);
    if (s != ENS_OK)
        return s;
    if (first != b->given || n > b->n - first)
        return ens_fail(err, ENS_EUSAGE,
                        "array %s: part of %" PRIu64 " elements at %" PRIu64
                        "; the next one begins at %" PRIu64 " of %" PRIu64,
                        array, n, first, b->given, b->n);
    s = put(w, b, b->first + first, data, n);
    if (s != ENS_OK) {
        if (err != NULL)
            *err = w->fatal;
        return s;
    }
    ens_hasher_put(b->hasher, data, (size_t)n * ELEMENT_BYTES);
    b->given += n;
    return ENS_OK;
}

static enum ens_status check_filled(const struct ens_block *b,
                                    struct ens_error *err)
{
    if (b->use == ENS_BLOCK_UNUSED)
        return ens_fail(err, ENS_EDOMAIN,
                        "task did not fill its block of array %s",
                        b->def->name);
    if (b->use == ENS_BLOCK_PARTS && b->given < b->n)
        return ens_fail(err, ENS_EDOMAIN,
                        "task gave %" PRIu64 " of %" PRIu64
                        " elements of its block of array %s",
                        b->given, b->n, b->def->name);
    return ENS_OK;
}

/* On its way to the disk while tasks go on: the sync that the end of a stage
 * waits for finds less to do. A hint: nothing is promised. */
static void start_writing(const struct ens_block *b)
{
    if (b->fd >= 0 && b->n * ELEMENT_BYTES >= LARGE_BLOCK)
        (void)sync_file_range(
            b->fd, (off_t)(b->data_offset + b->first * ELEMENT_BYTES),
            (off_t)(b->n * ELEMENT_BYTES), SYNC_FILE_RANGE_WRITE);
}

/* Of what came in parts only the hash is left to be said. */
static enum ens_status finish_block(struct ens_worker *w, struct ens_block *b)
{
    enum ens_status s = ENS_OK;
    uint64_t hash;

    if (b->use == ENS_BLOCK_WHOLE) {
        s = put(w, b, b->first, b->data, b->n);
        hash = ens_hash64(b->data, (size_t)b->n * ELEMENT_BYTES);
    } else {
        hash = ens_hasher_end(b->hasher);
    }
    if (s == ENS_OK)
        start_writing(b);
    if (s == ENS_OK)
        ens_draft_block(&w->result.draft, b->def->name, hash);
    return s;
}

enum ens_status ens_arrays_write(struct ens_worker *w, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (size_t i = 0; s == ENS_OK && i < w->stage.n_writes; i++)
        s = check_filled(&w->block[i], err);
    if (s != ENS_OK)
        return s;
    for (size_t i = 0; s == ENS_OK && i < w->stage.n_writes; i++)
        s = finish_block(w, &w->block[i]);
    if (s != ENS_OK && err != NULL)
        *err = w->fatal;
    return s;
}

enum ens_status ens_arrays_fill(struct ens_worker *w, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (size_t i = 0; s == ENS_OK && i < w->stage.n_writes; i++) {
        struct ens_block *b = &w->block[i];

        if (b->use == ENS_BLOCK_UNUSED)
            s = find_region(w, b, &w->fatal);
        if (s == ENS_OK)
            s = put(w, b, b->first, NULL, b->n);
    }
    if (s != ENS_OK && err != NULL)
        *err = w->fatal;
    return s;
}
