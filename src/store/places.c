#include "store/places.h"

#include "record/little.h"
#include "record/record.h"
#include "store/array.h"
#include "store/cellmap.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A word is kept inverted, so that the zeros of a new file mean "none" and
 * no page is touched for a place that has no record. */
#define SEGMENT_BITS 14
#define OFFSET_BITS  39
#define RECORD_BITS  11
#define NONE         UINT64_MAX

/* Up to here anonymous memory is used, without a file. */
#define SMALL_BYTES ((uint64_t)1 << 20)
/* Up to here when no scratch file can be made (a folder one may only read). */
#define MEMORY_BYTES ((uint64_t)256 << 20)

struct ens_places {
    const struct ens_log *log;
    const struct ens_study *study;
    struct ens_stage stage;
    struct ens_schemas schemas;
    uint64_t n, map_bytes;
    uint64_t *word; /* inverted */
};

/* Only the scan translates cells: later a place says which cell it is. */
struct scan {
    struct ens_places *p;
    struct ens_cellmap cells;
};

/* -- the scratch file ---------------------------------------------------- */
static int scratch_in(const char *dir)
{
    char path[PATH_MAX];
    int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0)
        return fd;
    if (snprintf(path, sizeof(path), "%s/.places-XXXXXX", dir) >= PATH_MAX)
        return -1;
    fd = mkostemp(path, O_CLOEXEC);
    if (fd >= 0)
        unlink(path);
    return fd;
}

/* Allocated at once: a full disk must not be a signal later. -1 with errno. */
static int make_file(const char *dir, uint64_t bytes)
{
    int fd = scratch_in(dir), e;

    if (fd < 0)
        return -1;
    e = posix_fallocate(fd, 0, (off_t)bytes);
    if (e == 0)
        return fd;
    close(fd);
    errno = e;
    return -1;
}

static enum ens_status make_words(struct ens_places *p, const char *dir,
                                  struct ens_error *err)
{
    uint64_t bytes = p->n * 8;
    int fd = -1;
    void *m;

    if (bytes > SMALL_BYTES) {
        fd = make_file(dir, bytes);
        if (fd < 0 && bytes > MEMORY_BYTES)
            return ens_fail_errno(err, ENS_EIO,
                                  "cannot make a scratch file of %" PRIu64
                                  " bytes in %s",
                                  bytes, dir);
    }
    m = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE,
             fd >= 0 ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
    if (fd >= 0)
        close(fd);
    if (m == MAP_FAILED)
        return ens_fail_errno(err, ENS_ENOMEMORY,
                              "cannot map a place index of %" PRIu64 " bytes",
                              bytes);
    p->word = m;
    p->map_bytes = bytes;
    return ENS_OK;
}

/* -- words and records --------------------------------------------------- */
static uint64_t pack_word(struct ens_log_at at, uint32_t i)
{
    return (uint64_t)at.segment << (OFFSET_BITS + RECORD_BITS) |
           at.offset / 8 << RECORD_BITS | i;
}

/* The batch of a word, which the scan has checked; its record in *i. */
static void batch_of(const struct ens_places *p, uint64_t word,
                     struct ens_batch *b, uint32_t *i, uint32_t *epoch)
{
    const struct ens_segment *s =
        &p->log->segment[word >> (OFFSET_BITS + RECORD_BITS)];
    uint64_t at =
        (word >> RECORD_BITS & ((UINT64_C(1) << OFFSET_BITS) - 1)) * 8;
    const unsigned char *payload = s->data + at + ENS_FRAME_HEAD;

    b->stage = ens_get64(payload);
    b->schema = ens_get64(payload + 8);
    b->n = ens_get32(payload + 16);
    b->record_bytes = ens_get32(payload + 20);
    b->round = ens_get32(payload + 24);
    b->items_bytes = ens_get32(payload + 28);
    b->records = payload + ENS_RECORDS_HEAD;
    b->items = b->records + (size_t)b->n * b->record_bytes;
    *i = (uint32_t)(word & ((1u << RECORD_BITS) - 1));
    *epoch = s->epoch;
}

static uint32_t round_of(const struct ens_places *p, uint64_t word)
{
    struct ens_batch b;
    uint32_t i, epoch;

    batch_of(p, word, &b, &i, &epoch);
    return b.round;
}

int ens_places_get(const struct ens_places *p, uint64_t place,
                   struct ens_record *r, uint32_t *epoch)
{
    uint64_t word = place < p->n ? ~p->word[place] : NONE;
    struct ens_batch b;
    uint32_t i;

    if (word == NONE)
        return 0;
    batch_of(p, word, &b, &i, epoch);
    ens_batch_get(&b, i, r);
    ens_stage_task(&p->stage, place, &r->cell, &r->replicate);
    return 1;
}

/* -- the scan ------------------------------------------------------------ */
static enum ens_status take_records(struct scan *w, struct ens_log_at at,
                                    const struct ens_frame *f,
                                    struct ens_error *err)
{
    struct ens_places *p = w->p;
    struct ens_batch b;
    enum ens_status s;

    if (f->length >= 8 && ens_get64(f->payload) != p->stage.id)
        return ENS_OK;
    s = ens_batch_read(&b, f->payload, f->length, err);
    if (s != ENS_OK)
        return s;
    if (w->cells.list_hash == 0 || b.n > 1u << RECORD_BITS ||
        at.offset / 8 >> OFFSET_BITS != 0)
        return ens_fail(err, ENS_ECORRUPT,
                        "records before any list of cells, or too many");
    for (uint32_t i = 0; i < b.n; i++) {
        uint64_t place, word;
        struct ens_record r;

        ens_batch_get(&b, i, &r);
        r.cell = ens_cellmap_get(&w->cells, r.cell);
        if (r.cell == ENS_CELL_NONE)
            continue;
        place = ens_stage_place(&p->stage, r.cell, r.replicate);
        if (place >= p->n)
            continue;
        word = ~p->word[place];
        if (word == NONE || (b.round > 0 && b.round > round_of(p, word)))
            p->word[place] = ~pack_word(at, i);
    }
    return ENS_OK;
}

static enum ens_status take(struct scan *w, struct ens_log_at at,
                            const struct ens_frame *f, struct ens_error *err)
{
    size_t index;

    if (f->type == ENS_FRAME_RECORDS)
        return take_records(w, at, f, err);
    if (f->type == ENS_FRAME_CELLS)
        return ens_cellmap_read(&w->cells, f->payload, f->length, err);
    if (f->type == ENS_FRAME_SCHEMA)
        return ens_schemas_add_encoded(&w->p->schemas, f->payload, f->length,
                                       &index, err);
    return ENS_OK;
}

static enum ens_status visit(void *arg, const struct ens_segment *segment,
                             struct ens_log_at at,
                             const struct ens_frame *frame,
                             struct ens_error *err)
{
    enum ens_status s = take(arg, at, frame, err);

    return s == ENS_OK
               ? s
               : ens_wrap(err, s, "%s at %" PRIu64, segment->path, at.offset);
}

static enum ens_status skim_frame(struct scan *w, struct ens_log_at at,
                                  size_t bytes, struct ens_error *err)
{
    const struct ens_segment *s = &w->p->log->segment[at.segment];
    int type = s->data[at.offset + 5];
    struct ens_frame f;

    if (type != ENS_FRAME_CELLS && type != ENS_FRAME_SCHEMA)
        return ENS_OK;
    if (ens_frame_read(&f, s->data + at.offset, bytes, s->run_id) !=
        ENS_FRAME_GOOD)
        return ens_fail(err, ENS_ECORRUPT, "%s at %" PRIu64 ": bad frame",
                        s->path, at.offset);
    return visit(w, s, at, &f, err);
}

/* Before `from`: from head to head, without the hashes of what lies between
 * (they were checked when the run began), so that a late stage does not pay
 * for the records of all stages before it. */
static enum ens_status skim(struct scan *w, const struct ens_log_at *from,
                            struct ens_error *err)
{
    const struct ens_log *log = w->p->log;
    struct ens_log_at at = {0, 0};
    enum ens_status s = ENS_OK;

    for (; at.segment <= from->segment && at.segment < log->n; at.segment++) {
        const struct ens_segment *seg = &log->segment[at.segment];
        uint64_t end = seg->end;
        uint64_t bytes;

        if (at.segment == from->segment && from->offset < end)
            end = from->offset;
        for (at.offset = 0; at.offset < end && s == ENS_OK;
             at.offset += bytes) {
            const unsigned char *p = seg->data + at.offset;

            bytes = seg->end - at.offset < ENS_FRAME_HEAD ||
                            ens_get32(p) != ENS_FRAME_MAGIC
                        ? 0
                        : ens_frame_bytes(ens_get32(p + 8));
            if (bytes == 0 || bytes > end - at.offset)
                return ens_fail(err, ENS_ECORRUPT,
                                "%s at %" PRIu64 ": no frame ends at %" PRIu64,
                                seg->path, at.offset, end);
            s = skim_frame(w, at, (size_t)bytes, err);
        }
    }
    return s;
}

static enum ens_status fill(struct ens_places *p, const struct ens_log_at *from,
                            struct ens_error *err)
{
    struct scan w = {p, {0}};
    enum ens_status s = ENS_OK;

    ens_cellmap_init(&w.cells, p->study);
    if (from != NULL)
        s = skim(&w, from, err);
    if (s == ENS_OK)
        s = ens_log_walk(p->log, from, visit, &w, err);
    ens_cellmap_fini(&w.cells);
    return s;
}

enum ens_status ens_places_build(struct ens_places **to, const char *dir,
                                 const struct ens_log *log,
                                 const struct ens_log_at *from,
                                 const struct ens_study *study,
                                 const struct ens_stage *stage,
                                 struct ens_error *err)
{
    struct ens_places *p;
    enum ens_status s = ENS_OK;

    if (log->n >= (1u << SEGMENT_BITS) - 1)
        return ens_fail(err, ENS_EIO,
                        "%s: %zu segments, a place index holds %u", dir, log->n,
                        (1u << SEGMENT_BITS) - 2);
    p = calloc(1, sizeof(*p));
    if (p == NULL || ens_stage_copy(&p->stage, stage) != ENS_OK) {
        free(p);
        return ens_fail(err, ENS_ENOMEMORY, "place index: out of memory");
    }
    p->log = log;
    p->study = study;
    p->n = ens_stage_n_tasks(stage);
    if (p->n > (uint64_t)INT64_MAX / 8)
        s = ens_fail(err, ENS_EDOMAIN, "%" PRIu64 " tasks are too many", p->n);
    if (s == ENS_OK && p->n > 0)
        s = make_words(p, dir, err);
    if (s == ENS_OK)
        s = fill(p, from, err);
    if (s != ENS_OK) {
        ens_places_free(p);
        return s;
    }
    *to = p;
    return ENS_OK;
}

void ens_places_free(struct ens_places *p)
{
    if (p == NULL)
        return;
    if (p->word != NULL)
        munmap(p->word, (size_t)p->map_bytes);
    ens_stage_fini(&p->stage);
    ens_schemas_fini(&p->schemas);
    free(p);
}

const struct ens_stage *ens_places_stage(const struct ens_places *p)
{
    return &p->stage;
}

const struct ens_schemas *ens_places_schemas(const struct ens_places *p)
{
    return &p->schemas;
}

/* -- struct ens_records -------------------------------------------------- */

void ens_records_none(struct ens_records *in, const struct ens_study *study,
                      const char *dir)
{
    memset(in, 0, sizeof(*in));
    in->study = study;
    in->dir = dir;
}

void ens_records_init(struct ens_records *in, const struct ens_places *p,
                      const char *dir, uint64_t first, uint64_t n)
{
    ens_records_none(in, p->study, dir);
    in->places = p;
    in->first = in->next = first < p->n ? first : p->n;
    in->end = n < p->n - in->next ? in->next + n : p->n;
}

void ens_records_fini(struct ens_records *in)
{
    ens_records_drop_artifact(in);
    if (in->other != NULL)
        ens_records_fini(in->other);
    free(in->other);
    in->other = NULL;
    for (size_t i = 0; i < in->n_maps; i++)
        ens_array_unmap(in->map[i].base, in->map[i].bytes);
    free(in->map);
    in->map = NULL;
    in->n_maps = in->cap_maps = 0;
}

int ens_records_next(struct ens_records *in, struct ens_record *rec,
                     const struct ens_schema **schema)
{
    ens_records_drop_artifact(in);
    while (in->next < in->end) {
        if (!ens_places_get(in->places, in->next++, rec, &in->last_epoch))
            continue;
        in->last = *rec;
        if (in->schema == NULL || in->schema->hash != rec->schema)
            in->schema = ens_schemas_find(&in->places->schemas, rec->schema);
        *schema = in->schema;
        if (in->no_facts) {
            rec->seconds = NAN;
            rec->worker = rec->attempts = 0;
        }
        return 1;
    }
    return 0;
}

void ens_records_rewind(struct ens_records *in)
{
    in->next = in->first;
}

enum ens_status ens_records_of(struct ens_records *in, uint64_t cell,
                               struct ens_records **other,
                               struct ens_error *err)
{
    const struct ens_stage *stage =
        in->places == NULL ? NULL : &in->places->stage;
    uint32_t n = stage == NULL ? 0 : ens_stage_replicates(stage, cell);
    struct ens_records *made = calloc(1, sizeof(*made));

    if (made == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "records of a cell");
    if (n > 0)
        ens_records_init(made, in->places, in->dir,
                         ens_stage_place(stage, cell, 1), n);
    else
        ens_records_none(made, in->study, in->dir);
    made->no_facts = in->no_facts;
    made->other = in->other; /* all of them end with the first */
    in->other = made;
    *other = made;
    return ENS_OK;
}

static struct ens_records_map *add_map(struct ens_records *in)
{
    size_t cap = in->cap_maps == 0 ? 4 : 2 * in->cap_maps;
    struct ens_records_map *p;

    if (in->n_maps < in->cap_maps)
        return &in->map[in->n_maps];
    p = realloc(in->map, cap * sizeof(*p));
    if (p == NULL)
        return NULL;
    in->map = p;
    in->cap_maps = cap;
    return &p[in->n_maps];
}

enum ens_status ens_records_array(struct ens_records *in, const char *name,
                                  uint64_t cell, struct ens_view *view,
                                  struct ens_error *err)
{
    struct ens_records_map *m;
    struct ens_cell c;
    enum ens_status s;

    for (size_t i = 0; i < in->n_maps; i++) {
        if (in->map[i].cell == cell && strcmp(in->map[i].name, name) == 0) {
            *view = in->map[i].view;
            return ENS_OK;
        }
    }
    if (cell >= ens_study_n_cells(in->study))
        return ens_fail(err, ENS_EUSAGE, "array %s: no cell %" PRIu64, name,
                        cell);
    m = strlen(name) < sizeof(m->name) ? add_map(in) : NULL;
    if (m == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "array %s: out of memory", name);
    ens_study_cell(in->study, cell, &c);
    s = ens_array_map(in->dir, name, c.hash[0], &m->view, &m->base, &m->bytes,
                      err);
    if (s != ENS_OK)
        return s;
    snprintf(m->name, sizeof(m->name), "%s", name);
    m->cell = cell;
    in->n_maps++;
    *view = m->view;
    return ENS_OK;
}
