/* Output arrays. Each folder has files of the full shape with its own blocks
 * in them: one is copied, then the blocks of others go where their records
 * say, each checked against the hash in its record. */
#include "base/file.h"
#include "base/hash.h"
#include "merge/state.h"
#include "store/array.h"
#include "store/places.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define N_FOLDERS 2
static const char *const folders[N_FOLDERS] = {"arrays", "arrays/unused"};

/* -- files
 * ------------------------------------------------------------------------
 */

static int is_array(const char *name)
{
    size_t n = strlen(name);

    return n > 4 + 17 && strcmp(name + n - 4, ".npy") == 0 &&
           name[n - 4 - 17] == '.';
}

/* 1 = there (its path in to), 0 = not. */
static int find_file(char to[PATH_MAX], const char *dir, const char *name)
{
    for (int k = 0; k < N_FOLDERS; k++)
        if (snprintf(to, PATH_MAX, "%s/%s/%s", dir, folders[k], name) <
                PATH_MAX &&
            access(to, F_OK) == 0)
            return 1;
    return 0;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(a, b, 16);
}

/* Ids of the study's cells, 16 digits each, sorted. */
static enum ens_status list_cells(struct ens_merge *m, struct ens_error *err)
{
    uint64_t n = ens_study_n_cells(m->study);

    m->cell_ids = malloc((size_t)n * 16 + 1);
    if (m->cell_ids == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (uint64_t c = 0; c < n; c++) {
        char id[ENS_HEX64_BYTES];
        struct ens_cell cell;

        ens_study_cell(m->study, c, &cell);
        ens_hex64(id, cell.hash[0]);
        memcpy(m->cell_ids + 16 * c, id, 16);
    }
    qsort(m->cell_ids, (size_t)n, 16, compare_ids);
    return ENS_OK;
}

static int is_in_study(const struct ens_merge *m, const char *name)
{
    return bsearch(name + strlen(name) - 4 - 16, m->cell_ids,
                   (size_t)ens_study_n_cells(m->study), 16,
                   compare_ids) != NULL;
}

static int same_bytes(const char *a, const char *b)
{
    int fa = open(a, O_RDONLY | O_CLOEXEC), fb = open(b, O_RDONLY | O_CLOEXEC);
    struct stat sa, sb;
    void *pa = MAP_FAILED, *pb = MAP_FAILED;
    int same = 0;

    if (fa >= 0 && fb >= 0 && fstat(fa, &sa) == 0 && fstat(fb, &sb) == 0 &&
        sa.st_size == sb.st_size && sa.st_size > 0) {
        pa = mmap(NULL, (size_t)sa.st_size, PROT_READ, MAP_SHARED, fa, 0);
        pb = mmap(NULL, (size_t)sb.st_size, PROT_READ, MAP_SHARED, fb, 0);
        same = pa != MAP_FAILED && pb != MAP_FAILED &&
               memcmp(pa, pb, (size_t)sa.st_size) == 0;
        if (pa != MAP_FAILED)
            munmap(pa, (size_t)sa.st_size);
        if (pb != MAP_FAILED)
            munmap(pb, (size_t)sb.st_size);
    }
    if (fa >= 0)
        close(fa);
    if (fb >= 0)
        close(fb);
    return same;
}

/* The first folder that has a file gives it whole. Of a cell that is not in
 * the study nobody can say which blocks are whose. */
static enum ens_status take_file(struct ens_merge *m, const char *dir,
                                 const char *folder, const char *name,
                                 struct ens_error *err)
{
    char from[PATH_MAX], to[PATH_MAX];
    struct stat st;

    snprintf(from, sizeof(from), "%s/%s/%s", dir, folder, name);
    if (find_file(to, m->out, name)) {
        if (is_in_study(m, name) || same_bytes(from, to))
            return ENS_OK;
        return ens_fail(err, ENS_EDOMAIN,
                        "%s: another one is in %s, and its cell is not in the "
                        "study of %s: name a folder first whose study has it",
                        from, to, m->source[m->has_out].dir);
    }
    if (stat(from, &st) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot look at %s", from);
    if (snprintf(to, sizeof(to), "%s/%s", m->out, folder) >= PATH_MAX)
        return ens_fail(err, ENS_EIO, "%s: path too long", m->out);
    if (ens_file_mkdirs(to, err) != ENS_OK)
        return ENS_EIO;
    if (snprintf(to, sizeof(to), "%s/%s/%s", m->out, folder, name) >= PATH_MAX)
        return ens_fail(err, ENS_EIO, "%s: path too long", m->out);
    m->to_copy += (uint64_t)st.st_size;
    return ens_merge_file(m, from, to, NULL, 0, (uint64_t)st.st_size, err);
}

static enum ens_status take_files(struct ens_merge *m, const char *dir,
                                  const char *folder, struct ens_error *err)
{
    char path[PATH_MAX];
    enum ens_status s = ENS_OK;
    DIR *d;

    if (snprintf(path, sizeof(path), "%s/%s", dir, folder) >= PATH_MAX)
        return ens_fail(err, ENS_EIO, "%s: path too long", dir);
    d = opendir(path);
    if (d == NULL)
        return errno == ENOENT
                   ? ENS_OK
                   : ens_fail_errno(err, ENS_EIO, "cannot read %s", path);
    for (struct dirent *e; s == ENS_OK && (e = readdir(d)) != NULL;)
        if (is_array(e->d_name))
            s = take_file(m, dir, folder, e->d_name, err);
    closedir(d);
    return s;
}

/* -- blocks
 * -----------------------------------------------------------------------
 */

struct view { /* a mapped array of the present cell */
    void *base;
    uint64_t bytes, n;
    const unsigned char *data;
};

/* The arrays of one cell: those of the joined folder and of each source. */
struct blocks {
    struct ens_merge *m;
    const struct ens_stage *stage;
    int in_chain;
    const struct ens_array_def *def; /* the array that is looked at */
    struct ens_cell cell;
    struct view out, *src; /* n_sources */
    int fd;                /* of out, for writing; -1 */
    uint64_t data_offset;
};

static void unmap(struct view *v)
{
    if (v->base != NULL)
        ens_array_unmap(v->base, v->bytes);
    memset(v, 0, sizeof(*v));
}

static enum ens_status close_cell(struct blocks *b, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    unmap(&b->out);
    for (size_t i = 0; i < b->m->n_sources; i++)
        unmap(&b->src[i]);
    if (b->fd < 0)
        return ENS_OK;
    if (b->m->io->sync(b->m->io, b->fd) != 0)
        s = ens_fail_errno(err, ENS_EIO, "cannot sync array %s", b->def->name);
    close(b->fd);
    b->fd = -1;
    return s;
}

/* ENS_ENOTFOUND: the folder does not have it. */
static enum ens_status map(struct blocks *b, struct view *v, const char *dir,
                           struct ens_error *err)
{
    struct ens_view view;
    enum ens_status s = ens_array_map_any(dir, b->def->name, b->cell.hash[0],
                                          &view, &v->base, &v->bytes, err);

    if (s != ENS_OK)
        return s;
    v->n = 1;
    for (uint32_t i = 0; i < view.ndim; i++)
        v->n *= view.shape[i];
    v->data = view.data;
    return ENS_OK;
}

static enum ens_status open_for_writing(struct blocks *b, struct ens_error *err)
{
    if (b->fd >= 0)
        return ENS_OK;
    return ens_array_open(b->m->out, b->def->name, b->cell.hash[0], &b->fd,
                          &b->data_offset, err);
}

struct block {
    uint32_t replicate;
    uint64_t first, n, digest;
};

static int is_block(const struct view *v, const struct block *at)
{
    return v->data != NULL && at->n <= v->n && at->first <= v->n - at->n &&
           ens_hash64(v->data + 8 * at->first, 8 * at->n) == at->digest;
}

/* One block, from the folder whose record is in force. */
static enum ens_status join_block(struct blocks *b, const struct block *at,
                                  size_t source, struct ens_error *err)
{
    struct view *v = &b->src[source];
    enum ens_status s = ENS_OK;

    if (is_block(&b->out, at))
        return ENS_OK;
    if (v->base == NULL && b->m->source[source].is_out == 0)
        s = map(b, v, b->m->source[source].dir, err);
    if (s != ENS_OK && s != ENS_ENOTFOUND)
        return s;
    if (!is_block(v, at))
        return !b->in_chain || !b->def->keep
                   ? ENS_OK /* an older version, written over since; scratch
                               that is gone is made again when it is needed */
                   : ens_fail(err, ENS_ECORRUPT,
                              "%s/arrays/%s.%016llx.npy: elements %llu to %llu "
                              "(replicate %u) are not what was recorded",
                              b->m->source[source].dir, b->def->name,
                              (unsigned long long)b->cell.hash[0],
                              (unsigned long long)at->first,
                              (unsigned long long)(at->first + at->n - 1),
                              at->replicate);
    s = open_for_writing(b, err);
    if (s == ENS_OK)
        s = ens_array_write(b->fd, b->data_offset, 8, at->first, at->n,
                            v->data + 8 * at->first, b->m->io, err);
    b->m->report->n_blocks++;
    return s == ENS_OK ? ens_merge_tick(b->m, 0, err) : s;
}

/* A task that is not ok has no block: the folder whose file was copied may
 * have begun one. */
static enum ens_status blank_block(struct blocks *b, const struct block *at,
                                   struct ens_error *err)
{
    int blank = 1;
    enum ens_status s;

    if (b->out.data == NULL || at->n > b->out.n || at->first > b->out.n - at->n)
        return ENS_OK;
    for (uint64_t i = at->first; i < at->first + at->n && blank; i++) {
        uint64_t word;
        double d;

        memcpy(&word, b->out.data + 8 * i, 8);
        memcpy(&d, b->out.data + 8 * i, 8);
        blank = b->def->dtype == ENS_DT_F64 ? isnan(d) : word == 0;
    }
    if (blank)
        return ENS_OK;
    s = open_for_writing(b, err);
    return s != ENS_OK ? s
                       : ens_array_fill(b->fd, b->data_offset, b->def->dtype,
                                        at->first, at->n, b->m->io, err);
}

/* The hash of a record's block of this array; 0 when it has none. */
static int find_digest(const struct ens_record *r, const char *array,
                       uint64_t *digest)
{
    struct ens_item_view item;
    size_t at = 0, n = strlen(array);

    while (ens_item_next(r, &at, &item)) {
        if (item.type != ENS_ITEM_BLOCK || item.length != 8 + n ||
            memcmp(item.bytes + 8, array, n) != 0)
            continue;
        *digest =
            ens_cursor_u64(&(struct ens_cursor){item.bytes, item.bytes + 8, 0});
        return 1;
    }
    return 0;
}

static enum ens_status join_task(struct blocks *b, const struct ens_record *r,
                                 size_t source, struct ens_error *err)
{
    struct block at = {.replicate = r->replicate};
    enum ens_status s = ens_plan_array_region(
        &b->m->plan, b->def->name, &b->cell, r->replicate, &at.first, &at.n);

    if (s != ENS_OK)
        return ens_fail(err, s, "array %s has no region", b->def->name);
    if (r->status != ENS_TASK_OK)
        return b->in_chain ? blank_block(b, &at, err) : ENS_OK;
    return find_digest(r, b->def->name, &at.digest)
               ? join_block(b, &at, source, err)
               : ENS_OK;
}

/* Of a cell that is back in the study. */
static enum ens_status take_back(struct blocks *b, struct ens_error *err)
{
    char name[NAME_MAX], from[PATH_MAX], to[PATH_MAX];

    snprintf(name, sizeof(name), "%s.%016llx.npy", b->def->name,
             (unsigned long long)b->cell.hash[0]);
    ens_array_path(to, sizeof(to), b->m->out, b->def->name, b->cell.hash[0]);
    if (!find_file(from, b->m->out, name) || strcmp(from, to) == 0)
        return ENS_OK;
    if (rename(from, to) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot rename %s", from);
    return ens_file_sync_parent(to, err);
}

static enum ens_status open_cell(struct blocks *b, uint64_t cell,
                                 struct ens_error *err)
{
    enum ens_status s = close_cell(b, err);

    ens_study_cell(b->m->study, cell, &b->cell);
    if (s == ENS_OK)
        s = take_back(b, err);
    if (s == ENS_OK)
        s = map(b, &b->out, b->m->out, err);
    return s == ENS_ENOTFOUND && !b->def->keep ? ENS_OK : s;
}

static enum ens_status join_array(struct blocks *b, const struct ens_places *p,
                                  struct ens_error *err)
{
    uint64_t n = ens_stage_n_tasks(b->stage);
    uint64_t cell = UINT64_MAX;
    enum ens_status s = ENS_OK, closed;

    for (uint64_t place = 0; place < n && s == ENS_OK; place++) {
        struct ens_record r;
        uint32_t epoch;

        if (!ens_places_get(p, place, &r, &epoch))
            continue;
        if (r.cell != cell)
            s = open_cell(b, r.cell, err);
        cell = r.cell;
        if (s == ENS_OK && b->out.data != NULL)
            s = join_task(b, &r,
                          b->m->piece[ens_merge_segment_of(b->m, epoch)].source,
                          err);
    }
    closed = close_cell(b, s == ENS_OK ? err : NULL);
    return s == ENS_OK ? closed : s;
}

static enum ens_status join_stage(struct ens_merge *m,
                                  const struct ens_stage *stage, int in_chain,
                                  struct ens_error *err)
{
    struct blocks b = {.m = m, .stage = stage, .in_chain = in_chain, .fd = -1};
    struct ens_places *p = NULL;
    enum ens_status s;

    if (stage->n_writes == 0)
        return ENS_OK;
    b.src = calloc(m->n_sources, sizeof(*b.src));
    if (b.src == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s = ens_places_build(&p, m->out, &m->log, NULL, m->study, stage, err);
    for (size_t i = 0; i < stage->n_writes && s == ENS_OK; i++) {
        b.def = ens_plan_find_array(&m->plan, stage->writes[i]);
        if (b.def != NULL)
            s = join_array(&b, p, err);
    }
    ens_places_free(p);
    free(b.src);
    return s;
}

static int is_in_chain(const struct ens_merge *m, uint64_t id)
{
    for (size_t i = 0; i < m->n_chain; i++)
        if (m->chain[i].id == id)
            return 1;
    return 0;
}

enum ens_status ens_merge_arrays(struct ens_merge *m, struct ens_error *err)
{
    enum ens_status s = m->plan.n_arrays > 0 ? list_cells(m, err) : ENS_OK;

    if (m->plan.n_arrays == 0)
        return ENS_OK;
    for (int k = 0; k < N_FOLDERS; k++)
        for (size_t i = 0; i < m->n_sources && s == ENS_OK; i++)
            if (!m->source[i].is_out)
                s = take_files(m, m->source[i].dir, folders[k], err);
    /* what the study has now comes last and stays */
    for (size_t i = 0; i < m->replay.n_stages && s == ENS_OK; i++)
        if (!is_in_chain(m, m->replay.stage[i].id) &&
            m->replay.stage[i].runs_ok)
            s = join_stage(m, &m->replay.stage[i].def, 0, err);
    for (size_t i = 0; i < m->n_chain && s == ENS_OK; i++)
        s = join_stage(m, &m->chain[i], 1, err);
    return s;
}
