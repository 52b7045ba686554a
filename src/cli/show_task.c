#include "cli/show_task.h"

#include "artifact/object.h"
#include "base/hash.h"
#include "base/number.h"
#include "base/utf8.h"
#include "export/fields.h"
#include "plan/task.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

struct found {
    size_t stage; /* index in r->stage */
    uint64_t cell;
    uint32_t replicate;
};

/* -- which task ------------------------------------------------------------ */

static enum ens_status find_cell(const struct ens_results *r, const char *id,
                                 size_t n, uint64_t *ordinal,
                                 struct ens_error *err)
{
    uint64_t n_cells = ens_study_n_cells(r->loaded.study);
    unsigned n_found = 0;

    if (n == 0 || n > 16)
        return ens_fail(err, ENS_ENOTFOUND, "%.*s: not the id of a cell",
                        (int)n, id);
    for (uint64_t c = 0; c < n_cells; c++) {
        struct ens_cell cell;
        char hex[ENS_HEX64_BYTES];

        ens_study_cell(r->loaded.study, c, &cell);
        ens_hex64(hex, cell.hash[0]);
        if (memcmp(hex, id, n) != 0)
            continue;
        *ordinal = c;
        if (++n_found > 1)
            return ens_fail(err, ENS_ENOTFOUND,
                            "%.*s: more than one cell begins so", (int)n, id);
    }
    return n_found == 1
               ? ENS_OK
               : ens_fail(err, ENS_ENOTFOUND,
                          "%.*s: the study has no such cell", (int)n, id);
}

static enum ens_status find_stage(const struct ens_results *r, const char *key,
                                  size_t n, size_t *stage,
                                  struct ens_error *err)
{
    for (size_t i = 0; i < r->n_stages; i++) {
        const char *k = r->stage[i].def.key;

        if (strlen(k) != n || memcmp(k, key, n) != 0)
            continue;
        *stage = i;
        return ENS_OK;
    }
    return ens_fail(err, ENS_ENOTFOUND, "%.*s: the study has no such stage",
                    (int)n, key);
}

/* [STAGE/]CELL:REPLICATE; colon points into name. */
static enum ens_status find_by_id(const struct ens_results *r, const char *name,
                                  const char *colon, struct found *f,
                                  struct ens_error *err)
{
    const char *slash = memchr(name, '/', (size_t)(colon - name));
    const char *id = slash == NULL ? name : slash + 1;
    uint64_t replicate;
    enum ens_status s = ENS_OK;

    f->stage = 0;
    if (slash != NULL)
        s = find_stage(r, name, (size_t)(slash - name), &f->stage, err);
    else /* without a stage: the first that is shown */
        while (f->stage + 1 < r->n_stages &&
               (r->stage[f->stage].def.flags & ENS_STAGE_INTERNAL))
            f->stage++;
    if (s == ENS_OK)
        s = find_cell(r, id, (size_t)(colon - id), &f->cell, err);
    if (s != ENS_OK)
        return s;
    if (ens_number_parse_u64(colon + 1, strlen(colon + 1), &replicate) != 0 ||
        replicate < 1 ||
        replicate > ens_stage_replicates(&r->stage[f->stage].def, f->cell))
        return ens_fail(err, ENS_ENOTFOUND, "%s: replicates are 1 to %u", name,
                        ens_stage_replicates(&r->stage[f->stage].def, f->cell));
    f->replicate = (uint32_t)replicate;
    return ENS_OK;
}

static void fill_task(const struct ens_results *r, const struct found *f,
                      struct ens_task *task)
{
    const struct ens_stage *st = &r->stage[f->stage].def;

    task->stage = st->key;
    task->stage_index = st->index;
    task->replicate = f->replicate;
    task->seed = ens_task_seed(&r->plan, st->key, &task->cell, f->replicate);
}

/* Labels are the kind's own: look at them all. */
static enum ens_status find_by_label(const struct ens_results *r,
                                     const char *name, struct found *f,
                                     struct ens_error *err)
{
    struct ens_buf tables = ENS_BUF_INIT;
    struct ens_task task = {0};
    uint64_t last = UINT64_MAX;
    enum ens_status s;

    for (f->stage = 0; f->stage < r->n_stages; f->stage++) {
        const struct ens_stage *st = &r->stage[f->stage].def;
        uint64_t n = ens_stage_n_tasks(st);

        last = UINT64_MAX;
        for (uint64_t place = 0; place < n; place++) {
            char label[256];

            ens_stage_task(st, place, &f->cell, &f->replicate);
            if (f->cell != last)
                ens_study_cell(r->loaded.study, f->cell, &task.cell);
            last = f->cell;
            fill_task(r, f, &task);
            ens_plan_label(&r->plan, &task, label, sizeof(label));
            if (strcmp(label, name) == 0)
                return ENS_OK;
        }
    }
    ens_table_names(r->loaded.kind, &tables);
    s = ens_fail(err, ENS_ENOTFOUND, "%s: neither a table (%s) nor a task",
                 name, ens_buf_text(&tables));
    ens_buf_fini(&tables);
    return s;
}

/* -- print it -------------------------------------------------------------- */

static void print_axes(const struct ens_results *r, const struct ens_cell *cell)
{
    for (size_t i = 0; i < ens_study_n_axis_columns(r->loaded.study); i++)
        printf("%-12s %s\n", ens_study_axis_column(r->loaded.study, i)->name,
               ens_cell_axis_text(cell, i));
}

static void print_fields(const struct ens_record *rec,
                         const struct ens_schema *schema)
{
    if (rec->status != ENS_TASK_OK || schema == NULL || schema->n == 0)
        return;
    printf("\nfields\n");
    for (size_t i = 0; i < schema->n; i++) {
        const struct ens_field *f = &schema->field[i];
        struct ens_datum d;
        char tmp[ENS_NUMBER_BYTES];
        const char *text;
        size_t n;

        ens_fields_value(rec, schema, i, &d);
        text = ens_datum_text(&d, tmp, &n);
        printf("  %-24s %.*s%s%s\n", f->name, (int)n, text,
               f->unit[0] == '\0' ? "" : " ", f->unit);
    }
}

static void print_artifact(const struct ens_item_view *item, uint32_t epoch)
{
    struct ens_artifact_ref ref;
    char name[300];

    if (!ens_artifact_ref_read(item, &ref))
        return;
    printf("artifact     %s: %llu bytes, artifacts/%06u-%05llu.pack at "
           "%llu, XXH3-64 %016llx\n",
           ens_utf8_show(name, sizeof(name), ref.name, ref.name_bytes),
           (unsigned long long)ref.length, epoch, (unsigned long long)ref.slot,
           (unsigned long long)ref.offset, (unsigned long long)ref.hash);
}

/* Those that the program left: they lie in an artifact of their own. */
static enum ens_status print_files(const struct ens_results *r,
                                   const struct ens_record *rec, uint32_t epoch,
                                   struct ens_error *err)
{
    struct ens_objects all;
    struct ens_object ob;
    int more, any = 0;
    char name[300];
    enum ens_status s;

    ens_objects_init(&all, r->dir, rec, epoch);
    while ((s = ens_objects_next(&all, &more, &ob, err)) == ENS_OK && more) {
        if (!ob.collected)
            continue;
        printf("%s  %-24s %llu bytes, XXH3-64 %016llx\n",
               any++ ? "" : "\nfiles\n",
               ens_utf8_show(name, sizeof(name), ob.name, ob.name_bytes),
               (unsigned long long)ob.length, (unsigned long long)ob.hash);
    }
    ens_objects_fini(&all);
    return s;
}

static void print_block(const struct ens_item_view *item)
{
    struct ens_cursor c = ens_cursor(item->bytes, item->length);
    uint64_t digest = ens_cursor_u64(&c);

    if (!c.bad)
        printf("block        of array %.*s: XXH3-64 %016llx\n",
               (int)(c.end - c.p), (const char *)c.p,
               (unsigned long long)digest);
}

static void print_items(const struct ens_record *rec, uint32_t epoch)
{
    struct ens_item_view item;
    size_t at = 0;

    while (ens_item_next(rec, &at, &item)) {
        switch (item.type) {
        case ENS_ITEM_ERROR:
            printf("error        %.*s\n", (int)item.length,
                   (const char *)item.bytes);
            break;
        case ENS_ITEM_WARNING:
            printf("warning      %.*s\n", (int)item.length,
                   (const char *)item.bytes);
            break;
        case ENS_ITEM_ARTIFACT:
            print_artifact(&item, epoch);
            break;
        case ENS_ITEM_BLOCK:
            print_block(&item);
            break;
        case ENS_ITEM_TEXT: /* among the fields */
        case ENS_ITEM_LAPS: /* with the seconds */
            break;
        }
    }
}

static void print_laps(const struct ens_kind *kind,
                       const struct ens_record *rec)
{
    for (size_t i = 0; i < kind->n_laps; i++) {
        double s = ens_record_lap(rec, i);

        if (!isnan(s))
            printf("  %-10s %.6g\n", kind->laps[i].name, s);
    }
}

static void print_record(const struct ens_results *r,
                         const struct ens_places *p,
                         const struct ens_record *rec, uint32_t epoch)
{
    char seconds[ENS_NUMBER_BYTES];

    ens_number_format(seconds, rec->seconds);
    printf("status       %s\n", ens_outcome_text(rec->status));
    printf("seconds      %s\n", seconds);
    print_laps(r->loaded.kind, rec);
    printf("worker       %u\nattempts     %u\n"
           "round        %u\nepoch        %u\n",
           rec->worker, rec->attempts, rec->round, epoch);
    print_items(rec, epoch);
    print_fields(rec, ens_schemas_find(ens_places_schemas(p), rec->schema));
}

static void print_identity(const struct ens_results *r, const struct found *f)
{
    struct ens_task task = {0};
    char label[256];
    char hex[ENS_HEX64_BYTES];

    ens_study_cell(r->loaded.study, f->cell, &task.cell);
    fill_task(r, f, &task);
    ens_plan_label(&r->plan, &task, label, sizeof(label));
    ens_hex64(hex, task.cell.hash[0]);
    printf("task         %s\nid           %s/%s:%u\nseed         %llu\n", label,
           task.stage, hex, f->replicate, (unsigned long long)task.seed);
    print_axes(r, &task.cell);
}

static enum ens_status behind_a_stop(const char *name, enum ens_status s,
                                     struct ens_error *err)
{
    return ens_fail(err, s,
                    "%s: no table and no task, or one behind where its cell "
                    "stopped",
                    name);
}

enum ens_status ens_show_task(struct ens_results *r, const char *name,
                              struct ens_error *err)
{
    const char *colon = strrchr(name, ':');
    const struct ens_stage *st;
    struct found f = {0, 0, 0};
    struct ens_places *p = NULL;
    struct ens_record rec;
    uint32_t epoch;
    enum ens_status s = colon != NULL ? find_by_id(r, name, colon, &f, err)
                                      : find_by_label(r, name, &f, err);

    if (s == ENS_ENOTFOUND && r->stops.rules.n > 0)
        return behind_a_stop(name, s, err);
    if (s != ENS_OK)
        return s;
    s = ens_results_places(r, f.stage, &p, err);
    if (s != ENS_OK)
        return s;
    st = ens_places_stage(p);
    print_identity(r, &f);
    if (ens_places_get(p, ens_stage_place(st, f.cell, f.replicate), &rec,
                       &epoch)) {
        print_record(r, p, &rec, epoch);
        s = print_files(r, &rec, epoch, err);
    } else {
        printf("status       open: it has not ended yet\n");
    }
    ens_places_free(p);
    return s;
}
