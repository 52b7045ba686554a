#include "transport/mirror.h"

#include "base/file.h"
#include "store/array.h"
#include "store/pack.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART_BYTES ((size_t)48 * 1024)

int ens_mirror_is_needed(const struct ens_stage *stage)
{
    return stage->has_data || stage->n_reads > 0 ||
           (stage->flags & ENS_STAGE_KEEPSAKES) != 0;
}

enum ens_status ens_mirror_init(struct ens_mirror *m,
                                const struct ens_plan *plan, const char *dir,
                                const struct ens_stage *stage,
                                struct ens_error *err)
{
    enum ens_status s;

    memset(m, 0, sizeof(*m));
    m->plan = plan;
    m->dir = dir;
    m->fd = -1;
    m->part = malloc(PART_BYTES);
    if (m->part == NULL || ens_stage_copy(&m->stage, stage) != ENS_OK) {
        free(m->part);
        m->part = NULL;
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    if ((stage->flags & ENS_STAGE_KEEPSAKES) == 0)
        return ENS_OK;
    s = ens_keepsakes_open(&m->keepsakes, dir, plan->study, &plan->stage[0],
                           err);
    if (s != ENS_OK) {
        m->keepsakes.n = 0;
        ens_mirror_fini(m);
    }
    return s;
}

void ens_mirror_fini(struct ens_mirror *m)
{
    if (m->part == NULL)
        return;
    if (m->fd >= 0)
        close(m->fd);
    if (m->keepsakes.n > 0)
        ens_keepsakes_close(&m->keepsakes);
    ens_stage_fini(&m->stage);
    free(m->part);
    m->part = NULL;
}

/* A part of a pack. */
static enum ens_status open_part(struct ens_mirror *m, uint32_t epoch,
                                 const struct ens_artifact_ref *ref,
                                 struct ens_error *err)
{
    snprintf(m->file.path, sizeof(m->file.path), "artifacts/%06u-%05u.pack",
             epoch, (unsigned)ref->slot);
    m->file.offset = ref->offset;
    m->end = ref->offset + ref->length;
    return ens_pack_open(m->dir, epoch, ref, &m->fd, err);
}

static enum ens_status open_array(struct ens_mirror *m, struct ens_error *err)
{
    const struct ens_stage_run *run = &m->stage.held[m->array].run[m->run];
    const char *name = m->stage.reads[m->array];
    char path[PATH_MAX];
    struct ens_cell cell;
    struct stat st;
    enum ens_status s;

    ens_study_cell(m->plan->study, run->first_cell + m->cell, &cell);
    ens_array_path(path, sizeof(path), m->dir, name, cell.hash[0]);
    snprintf(m->file.path, sizeof(m->file.path), "arrays%s",
             strrchr(path, '/'));
    s = ens_array_open_any(m->dir, name, cell.hash[0], &m->fd, err);
    if (s != ENS_OK)
        return s;
    if (fstat(m->fd, &st) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot look at %s", path);
    m->file.offset = 0;
    m->end = (uint64_t)st.st_size;
    if (++m->cell == run->n_cells) {
        m->cell = 0;
        m->run++;
    }
    return ENS_OK;
}

/* Is there an array left? The next one has a run of cells then. */
static int has_array(struct ens_mirror *m)
{
    while (m->array < m->stage.n_reads &&
           m->run == m->stage.held[m->array].n_runs) {
        m->run = 0;
        m->array++;
    }
    return m->array < m->stage.n_reads;
}

/* The next artifact of the first stage; m->fd stays -1 when there is none. */
static enum ens_status open_kept(struct ens_mirror *m, struct ens_error *err)
{
    struct ens_artifact_ref ref;
    uint32_t epoch = 0;
    enum ens_status s = ENS_OK;

    while (s == ENS_OK && epoch == 0 && m->kept < m->keepsakes.n)
        s = ens_keepsakes_get(&m->keepsakes, m->kept++, &epoch, &ref, err);
    return s == ENS_OK && epoch != 0 ? open_part(m, epoch, &ref, err) : s;
}

/* The next file; m->fd stays -1 when there is none. */
static enum ens_status open_next(struct ens_mirror *m, struct ens_error *err)
{
    enum ens_status s;

    if (m->fd >= 0)
        close(m->fd);
    m->fd = -1;
    if (!m->data_done) {
        m->data_done = 1;
        if (m->stage.has_data)
            return open_part(m, (uint32_t)m->stage.data_epoch, &m->stage.data,
                             err);
    }
    if (m->kept < m->keepsakes.n) {
        s = open_kept(m, err);
        if (s != ENS_OK || m->fd >= 0)
            return s;
    }
    if (has_array(m))
        return open_array(m, err);
    return ENS_OK;
}

/* A part of the list of what is kept. */
static enum ens_status put_list(struct ens_mirror *m, struct ens_buf *b,
                                struct ens_error *err)
{
    struct ens_relay_file f = {.path = ENS_KEEPSAKE_FILE,
                               .offset = m->listed * ENS_KEEPSAKE_BYTES,
                               .data = m->part};
    enum ens_status s = ENS_OK;

    while (s == ENS_OK && m->listed < m->keepsakes.n &&
           f.n + ENS_KEEPSAKE_BYTES <= PART_BYTES) {
        struct ens_artifact_ref ref;
        uint32_t epoch;

        s = ens_keepsakes_get(&m->keepsakes, m->listed++, &epoch, &ref, err);
        if (s == ENS_OK)
            ens_keepsake_write(m->part + f.n, epoch, &ref);
        f.n += ENS_KEEPSAKE_BYTES;
    }
    if (s == ENS_OK)
        ens_relay_put_file(b, &f);
    return s;
}

enum ens_status ens_mirror_next(struct ens_mirror *m, struct ens_buf *b,
                                int *more, struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    uint64_t left;

    *more = m->listed < m->keepsakes.n;
    if (*more)
        return put_list(m, b, err);
    while (m->fd < 0 || m->file.offset == m->end) {
        s = open_next(m, err);
        if (s != ENS_OK || m->fd < 0)
            return s;
    }
    left = m->end - m->file.offset;
    m->file.n = left < PART_BYTES ? (size_t)left : PART_BYTES;
    if (ens_read_all(m->fd, m->part, m->file.n, m->file.offset) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot read %s at byte %llu",
                              m->file.path, (unsigned long long)m->file.offset);
    m->file.data = m->part;
    ens_relay_put_file(b, &m->file);
    m->file.offset += m->file.n;
    *more = 1;
    return ENS_OK;
}
