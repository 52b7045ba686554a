#include "cli/pilot_sums.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CELLS_COUNTED 2000000u /* one by one; beyond, rows are estimated */

static const char *const profiles[] = {"minimal", "standard", "debug"};

static size_t rank_of(const char *profile)
{
    size_t i = 0;

    while (profile != NULL && i < 3 && strcmp(profiles[i], profile) != 0)
        i++;
    return profile == NULL ? 0 : i;
}

static void row_name(const struct ens_kind *kind, const struct ens_cell *cell,
                     char *to, size_t cap)
{
    size_t n = 0;

    snprintf(to, cap, "all");
    for (size_t i = 0; i < kind->n_roles && n < cap; i++) {
        const char *row = ens_cell_row(cell, kind->roles[i].name);

        if (*row != '\0')
            n += (size_t)snprintf(to + n, cap - n, "%s%s", n > 0 ? " / " : "",
                                  row);
    }
}

static struct ens_pilot_row *find_row(struct ens_pilot_sums *p,
                                      const char *name)
{
    struct ens_pilot_row *row;

    for (size_t i = 0; i < p->n_rows; i++)
        if (strcmp(p->row[i].name, name) == 0)
            return &p->row[i];
    row = realloc(p->row, (p->n_rows + 1) * sizeof(*row));
    if (row == NULL)
        return NULL;
    p->row = row;
    memset(&row[p->n_rows], 0, sizeof(*row));
    row[p->n_rows].name = strdup(name);
    return row[p->n_rows].name == NULL ? NULL : &row[p->n_rows++];
}

static int add_time(struct ens_pilot_row *row, double seconds)
{
    if (row->n == row->cap) {
        size_t cap = row->cap > 0 ? 2 * row->cap : 64;
        double *s = realloc(row->seconds, cap * sizeof(*s));

        if (s == NULL)
            return 0;
        row->seconds = s;
        row->cap = cap;
    }
    row->seconds[row->n++] = seconds;
    row->sum_s += seconds;
    if (seconds > row->max_s)
        row->max_s = seconds;
    return 1;
}

static const char *profile_of(const struct ens_kind *kind, const char *name,
                              size_t n)
{
    for (size_t i = 0; i < kind->n_retained; i++)
        if (strlen(kind->retained[i].name) == n &&
            memcmp(kind->retained[i].name, name, n) == 0)
            return kind->retained[i].profile;
    return NULL;
}

static int add_artifact(struct ens_pilot_sums *p, const struct ens_kind *kind,
                        const struct ens_artifact_ref *ref, uint64_t ref_bytes)
{
    struct ens_pilot_item *item;
    size_t i = 0;

    while (i < p->n_items &&
           (strlen(p->item[i].name) != ref->name_bytes ||
            memcmp(p->item[i].name, ref->name, ref->name_bytes) != 0))
        i++;
    if (i == p->n_items) {
        item = realloc(p->item, (p->n_items + 1) * sizeof(*item));
        if (item == NULL)
            return 0;
        p->item = item;
        memset(&item[i], 0, sizeof(*item));
        item[i].name = strndup(ref->name, ref->name_bytes);
        if (item[i].name == NULL)
            return 0;
        item[i].profile = profile_of(kind, ref->name, ref->name_bytes);
        p->n_items++;
    }
    p->item[i].n++;
    p->item[i].bytes += ref->length;
    p->item[i].ref_bytes += ref_bytes;
    return 1;
}

/* Records of a worker come in the order it ran them. */
static int is_first(struct ens_pilot_sums *p, uint32_t worker)
{
    uint64_t bit = UINT64_C(1) << (worker % 64);
    uint64_t *word = &p->seen[worker / 64 % 64];
    int first = p->skip_first && !(*word & bit);

    *word |= bit;
    return first;
}

static int add_record(struct ens_pilot_sums *p, const struct ens_results *r,
                      const struct ens_record *rec)
{
    struct ens_item_view item;
    struct ens_pilot_row *row;
    struct ens_cell cell;
    char name[256];
    size_t at = 0;

    ens_plan_cell(&r->plan, rec->cell, &cell);
    row_name(r->loaded.kind, &cell, name, sizeof(name));
    row = find_row(p, name);
    if (row == NULL)
        return 0;
    if (!is_first(p, rec->worker) &&
        (!add_time(row, rec->seconds) || !add_time(&p->all, rec->seconds)))
        return 0;
    p->n++;
    while (ens_item_next(rec, &at, &item)) {
        struct ens_artifact_ref ref;

        if (item.type == ENS_ITEM_ARTIFACT &&
            ens_artifact_ref_read(&item, &ref) &&
            !add_artifact(p, r->loaded.kind, &ref, item.length + 8))
            return 0;
    }
    if (rec->status == ENS_TASK_OK)
        return 1;
    if (p->n_not_ok++ == 0 && ens_item_find(rec, ENS_ITEM_ERROR, &item))
        snprintf(p->error, sizeof(p->error), "%.*s",
                 (int)(item.length < 190 ? item.length : 190),
                 (const char *)item.bytes);
    return 1;
}

/* Tasks of the stage by row. */
static void count_rows(struct ens_pilot_sums *p, const struct ens_results *r)
{
    const struct ens_stage *st = &r->stage[0].def;
    uint64_t n = ens_study_n_cells(r->loaded.study);
    struct ens_cell cell = {.study = r->loaded.study};
    char name[256];

    for (size_t i = 0; i < p->n_rows && n > CELLS_COUNTED; i++)
        p->row[i].n_tasks = (uint64_t)((double)p->n_tasks *
                                       (double)p->row[i].n / (double)p->all.n);
    for (cell.ordinal = 0; n <= CELLS_COUNTED && cell.ordinal < n;
         cell.ordinal++) {
        row_name(r->loaded.kind, &cell, name, sizeof(name));
        for (size_t i = 0; i < p->n_rows; i++)
            if (strcmp(p->row[i].name, name) == 0)
                p->row[i].n_tasks += ens_stage_replicates(st, cell.ordinal);
    }
}

struct walk {
    struct ens_pilot_sums *p;
    const struct ens_results *r;
};

/* One epoch of one study: the cells are ordinals as they stand. Not through
 * the place index, which has 8 bytes for every task of the study. */
static enum ens_status add_frame(void *arg, const struct ens_segment *segment,
                                 struct ens_log_at at,
                                 const struct ens_frame *f,
                                 struct ens_error *err)
{
    const struct walk *w = arg;
    struct ens_batch b;
    enum ens_status s = ENS_OK;

    (void)segment;
    (void)at;
    if (f->type != ENS_FRAME_RECORDS)
        return ENS_OK;
    w->p->journal_bytes += f->total_bytes;
    s = ens_batch_read(&b, f->payload, f->length, err);
    for (uint32_t i = 0; s == ENS_OK && i < b.n; i++) {
        struct ens_record rec;

        ens_batch_get(&b, i, &rec);
        if (!add_record(w->p, w->r, &rec))
            s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    return s;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return *x < *y ? -1 : *x > *y;
}

static void sort_times(struct ens_pilot_row *row)
{
    if (row->n > 0)
        qsort(row->seconds, row->n, sizeof(*row->seconds), by_value);
}

static enum ens_status sum_arrays(struct ens_pilot_sums *p,
                                  const struct ens_plan *plan,
                                  struct ens_error *err)
{
    uint64_t n_cells = ens_study_n_cells(plan->study);
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < plan->n_arrays; i++)
        for (uint64_t c = 0; c < n_cells && s == ENS_OK; c++) {
            uint64_t shape[ENS_MAX_NDIM];
            uint64_t n = 0;
            uint32_t ndim;
            struct ens_cell cell;

            ens_study_cell(plan->study, c, &cell);
            if (!ens_plan_has_array(plan, plan->array[i].name, &cell))
                continue;
            s = ens_plan_array_shape(plan, plan->array[i].name, &cell, &ndim,
                                     shape, &n, err);
            p->array_bytes +=
                (double)n * (double)ens_dtype_bytes(plan->array[i].dtype);
        }
    return s;
}

/* Bytes below the header, which a study has once. */
static enum ens_status row_bytes(const char *path, uint64_t *n,
                                 struct ens_error *err)
{
    FILE *f = fopen(path, "re");
    int below = 0;

    if (f == NULL)
        return ens_fail_errno(err, ENS_EIO, "cannot open %s", path);
    for (int c = getc(f); c != EOF; c = getc(f)) {
        *n += (uint64_t)below;
        below |= c == '\n';
    }
    fclose(f);
    return ENS_OK;
}

/* Written beside the pilot's results, as the study's run will write it. */
static enum ens_status add_table(struct ens_pilot_sums *p,
                                 const struct ens_results *r,
                                 const struct ens_tables *t, const char *name,
                                 struct ens_error *err)
{
    struct ens_selection everything = {NULL, NULL, 0};
    char path[sizeof(r->dir) + 32];
    struct ens_sheet sheet;
    struct ens_out out;
    enum ens_status s =
        ens_sheet_init(&sheet, t, ens_table_find(name), &everything, err);

    if (s != ENS_OK)
        return s;
    snprintf(path, sizeof(path), "%s/%s.csv", r->dir, name);
    s = ens_out_create(&out, path, NULL, err);
    if (s == ENS_OK) {
        s = ens_sheet_export(&sheet, ens_exporter_find("csv"), &out, err);
        if (s == ENS_OK)
            s = ens_out_commit(&out, err);
        else
            ens_out_abort(&out);
    }
    ens_sheet_fini(&sheet);
    return s == ENS_OK ? row_bytes(path, &p->table_bytes, err) : s;
}

/* None where the study has more tasks than [run] table_rows; nor are they
 * known where the pilot's stage has no rows in them. */
static enum ens_status sum_tables(struct ens_pilot_sums *p,
                                  struct ens_results *r, struct ens_error *err)
{
    const struct ens_value *most =
        ens_study_value(r->loaded.study, "run", "table_rows");
    struct ens_tables *t;
    enum ens_status s;

    if (p->n_tasks > (uint64_t)most->i)
        return ENS_OK;
    s = ens_results_index(r, err);
    if (s != ENS_OK || r->n_places == 0)
        return s;
    s = ens_results_tables(r, &t, err);
    if (s != ENS_OK)
        return s;
    s = add_table(p, r, t, "tasks", err);
    if (s == ENS_OK)
        s = add_table(p, r, t, "timings", err);
    ens_tables_close(t);
    return s;
}

static enum ens_status sum(struct ens_pilot_sums *p, struct ens_results *r,
                           struct ens_error *err)
{
    struct walk w = {p, r};
    enum ens_status s;

    p->n_tasks = p->all.n_tasks = ens_stage_n_tasks(&r->stage[0].def);
    s = ens_log_walk(&r->log, NULL, add_frame, &w, err);
    if (s != ENS_OK)
        return s;
    s = sum_arrays(p, &r->plan, err);
    if (s != ENS_OK)
        return s;
    count_rows(p, r);
    sort_times(&p->all);
    for (size_t i = 0; i < p->n_rows; i++)
        sort_times(&p->row[i]);
    return ENS_OK;
}

enum ens_status ens_pilot_sums_read(struct ens_pilot_sums *p, const char *dir,
                                    uint32_t n_workers, struct ens_error *err)
{
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_results r;
    enum ens_status s;

    memset(p, 0, sizeof(*p));
    s = ens_results_open(&r, dir, ENS_RESULTS_WHOLE, &errors, err);
    ens_buf_fini(&errors);
    if (s != ENS_OK)
        return s;
    p->further = !ens_plan_is_last(&r.plan, 1);
    p->skip_first =
        ens_done_total(r.stage[0].done, ENS_TASK_OK) >= 4 * (uint64_t)n_workers;
    s = sum(p, &r, err);
    if (s == ENS_OK)
        s = sum_tables(p, &r, err);
    ens_results_close(&r);
    return s;
}

void ens_pilot_sums_fini(struct ens_pilot_sums *p)
{
    for (size_t i = 0; i < p->n_rows; i++) {
        free(p->row[i].name);
        free(p->row[i].seconds);
    }
    for (size_t i = 0; i < p->n_items; i++)
        free(p->item[i].name);
    free(p->row);
    free(p->item);
    free(p->all.seconds);
    memset(p, 0, sizeof(*p));
}

double ens_pilot_median(const struct ens_pilot_row *row)
{
    return row->n == 0 ? 0 : row->seconds[(row->n - 1) / 2];
}

double ens_pilot_total_s(const struct ens_pilot_sums *p)
{
    uint64_t known = 0;
    double s = 0;

    for (size_t i = 0; i < p->n_rows; i++) {
        if (p->row[i].n == 0)
            continue;
        s += p->row[i].sum_s / (double)p->row[i].n * (double)p->row[i].n_tasks;
        known += p->row[i].n_tasks;
    }
    if (p->all.n > 0 && known < p->n_tasks) /* rows that had no task */
        s += p->all.sum_s / (double)p->all.n * (double)(p->n_tasks - known);
    return s;
}

double ens_pilot_bytes(const struct ens_pilot_sums *p, const char *profile)
{
    double bytes = (double)p->journal_bytes + (double)p->table_bytes;

    for (size_t i = 0; i < p->n_items; i++) {
        if (rank_of(p->item[i].profile) <= rank_of(profile))
            bytes += (double)p->item[i].bytes;
        else
            bytes -= (double)p->item[i].ref_bytes;
    }
    return p->n > 0 ? bytes / (double)p->n : 0;
}

double ens_pilot_all_bytes(const struct ens_pilot_sums *p, const char *profile)
{
    return ens_pilot_bytes(p, profile) * (double)p->n_tasks + p->array_bytes;
}
