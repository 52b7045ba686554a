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
    return stage->has_data || stage->n_reads > 0;
}

enum ens_status ens_mirror_init(struct ens_mirror *m,
                                const struct ens_plan *plan, const char *dir,
                                const struct ens_stage *stage,
                                struct ens_error *err)
{
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
    return ENS_OK;
}

void ens_mirror_fini(struct ens_mirror *m)
{
    if (m->part == NULL)
        return;
    if (m->fd >= 0)
        close(m->fd);
    ens_stage_fini(&m->stage);
    free(m->part);
    m->part = NULL;
}

static enum ens_status open_data(struct ens_mirror *m, struct ens_error *err)
{
    const struct ens_artifact_ref *ref = &m->stage.data;
    uint32_t epoch = (uint32_t)m->stage.data_epoch;

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

/* The next file; m->fd stays -1 when there is none. */
static enum ens_status open_next(struct ens_mirror *m, struct ens_error *err)
{
    if (m->fd >= 0)
        close(m->fd);
    m->fd = -1;
    if (!m->data_done) {
        m->data_done = 1;
        if (m->stage.has_data)
            return open_data(m, err);
    }
    if (has_array(m))
        return open_array(m, err);
    return ENS_OK;
}

enum ens_status ens_mirror_next(struct ens_mirror *m, struct ens_buf *b,
                                int *more, struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    uint64_t left;

    *more = 0;
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
