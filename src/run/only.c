#include "run/only.h"

#include "base/number.h"
#include "store/places.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One item of the comma list; NULL at the end. */
static const char *next_item(const char **at, size_t *n)
{
    const char *p = *at;

    while (*p == ',' || *p == ' ')
        p++;
    if (*p == '\0')
        return NULL;
    *n = strcspn(p, ",");
    *at = p + *n;
    while (*n > 0 && p[*n - 1] == ' ')
        --*n;
    return p;
}

enum ens_status ens_only_stage(const char *only, char *to, size_t cap,
                               struct ens_error *err)
{
    const char *item;
    size_t n;
    int first = 1;

    to[0] = '\0';
    while ((item = next_item(&only, &n)) != NULL) {
        const char *slash = memchr(item, '/', n);
        size_t len = slash == NULL ? 0 : (size_t)(slash - item);
        int same = strlen(to) == len && memcmp(to, item, len) == 0;

        if ((!first && !same) || len >= cap)
            return ens_fail(err, ENS_EUSAGE,
                            "--only %.*s: all tasks must be of one stage",
                            (int)n, item);
        memcpy(to, item, len);
        to[len] = '\0';
        first = 0;
    }
    if (first)
        return ens_fail(err, ENS_EUSAGE, "--only names no task");
    return ENS_OK;
}

/* Replicate at the end of "…:12" or "…r00012"; 0 when there is none. */
static uint32_t trailing_number(const char *s, size_t n, size_t *head)
{
    size_t i = n;
    uint64_t v;

    while (i > 0 && s[i - 1] >= '0' && s[i - 1] <= '9')
        i--;
    *head = i;
    if (i == n || ens_number_parse_u64(s + i, n - i, &v) != 0 || v > UINT32_MAX)
        return 0;
    return (uint32_t)v;
}

/* Labels may begin with their stage: then item does, too. */
static int is_label(const char *label, const char *stage, const char *item,
                    size_t n)
{
    size_t skip = strlen(stage);

    if (strncmp(label, stage, skip) == 0 && label[skip] == '/' &&
        strlen(label + skip + 1) == n && memcmp(label + skip + 1, item, n) == 0)
        return 1;
    return strlen(label) == n && memcmp(label, item, n) == 0;
}

/* item: without its stage. */
static int matches(struct ens_run *r, const struct ens_cell *cell,
                   const char *item, size_t n, size_t head, uint32_t replicate)
{
    char hex[ENS_HEX64_BYTES];
    char label[256];
    struct ens_task task = {.stage = r->stage.key, .replicate = replicate};

    if (head > 0 && item[head - 1] == ':') {
        ens_hex64(hex, cell->hash[0]);
        return head > 1 && head - 1 <= 16 && memcmp(hex, item, head - 1) == 0;
    }
    task.cell = *cell;
    ens_plan_label(&r->plan, &task, label, sizeof(label));
    return is_label(label, r->stage.key, item, n);
}

static int is_chosen(const struct ens_run *r, uint64_t place)
{
    uint64_t cell;
    uint32_t replicate;

    ens_stage_task(&r->stage, place, &cell, &replicate);
    return r->part.cells == NULL ||
           r->part.cells->has(r->part.cells->arg, cell);
}

/* Place of one item; UINT64_MAX when there is none. */
static uint64_t find(struct ens_run *r, const char *item, size_t n,
                     struct ens_error *err)
{
    size_t head;
    uint32_t replicate = trailing_number(item, n, &head);
    uint64_t found = UINT64_MAX;

    for (uint64_t c = 0; replicate > 0 && c < ens_study_n_cells(r->study);
         c++) {
        struct ens_cell cell;
        uint64_t place = ens_stage_place(&r->stage, c, replicate);

        if (place == UINT64_MAX)
            continue;
        ens_study_cell(r->study, c, &cell);
        if (!matches(r, &cell, item, n, head, replicate))
            continue;
        if (found != UINT64_MAX) {
            ens_fail(err, ENS_ENOTFOUND,
                     "--only %.*s: more than one cell begins so", (int)n, item);
            return UINT64_MAX;
        }
        found = place;
    }
    if (found != UINT64_MAX && !is_chosen(r, found)) {
        ens_fail(err, ENS_EUSAGE, "--only %.*s: its cell is not one of --where",
                 (int)n, item);
        return UINT64_MAX;
    }
    if (found == UINT64_MAX)
        ens_fail(err, ENS_ENOTFOUND,
                 "--only %.*s: no such task in stage %s; name one as in "
                 "tasks.csv, or as cell:replicate",
                 (int)n, item, r->stage.key);
    return found;
}

static int is_listed(const struct ens_run *r, uint64_t place)
{
    for (size_t i = 0; i < r->n_only; i++)
        if (r->only[i] == place)
            return 1;
    return 0;
}

enum ens_status ens_only_resolve(struct ens_run *r, struct ens_error *err)
{
    const char *at = r->options->only;
    const char *item;
    size_t n;

    while ((item = next_item(&at, &n)) != NULL) {
        const char *slash = memchr(item, '/', n);
        size_t skip = slash == NULL ? 0 : (size_t)(slash - item) + 1;
        uint64_t place = find(r, item + skip, n - skip, err);
        uint64_t *p = realloc(r->only, (r->n_only + 1) * sizeof(*p));

        if (p == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
        r->only = p;
        if (place == UINT64_MAX)
            return err != NULL ? (enum ens_status)err->status : ENS_ENOTFOUND;
        if (!is_listed(r, place))
            r->only[r->n_only++] = place;
    }
    return ENS_OK;
}

static void say(struct ens_run *r, const struct ens_record *now,
                const char *verdict)
{
    const struct ens_schema *schema =
        ens_schemas_find(&r->replay.schemas, now->schema);
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_task task = {.stage = r->stage.key, .replicate = now->replicate};
    struct ens_item_view item;
    char number[ENS_NUMBER_BYTES];
    char label[256];

    ens_study_cell(r->study, now->cell, &task.cell);
    ens_plan_label(&r->plan, &task, label, sizeof(label));
    ens_buf_printf(&b, "%s %s", label, ens_outcome_text(now->status));
    for (size_t i = 0; schema != NULL && i < now->n_fields; i++) {
        size_t n = 0;
        const char *text = ens_record_text(now, i, &n);
        double value = ens_record_f64(now, schema, i);

        ens_number_format(number, value);
        if (schema->field[i].type == ENS_TEXT)
            ens_buf_printf(&b, " %s=%.*s", schema->field[i].name, (int)n,
                           text != NULL ? text : "");
        else if (!isnan(value)) /* a missing one */
            ens_buf_printf(&b, " %s=%s", schema->field[i].name, number);
    }
    if (ens_item_find(now, ENS_ITEM_ERROR, &item))
        ens_buf_printf(&b, " error=\"%.*s\"", (int)item.length,
                       (const char *)item.bytes);
    ens_buf_printf(&b, ": %s", verdict);
    if (r->options->say != NULL)
        r->options->say(r->options->arg, ens_buf_text(&b));
    ens_buf_fini(&b);
}

/* The index of one task: its cell may have far more. */
static enum ens_status index_one(struct ens_run *r,
                                 const struct ens_record *rec,
                                 struct ens_places **places,
                                 struct ens_error *err)
{
    struct ens_stage one;
    enum ens_status s = ens_stage_copy(&one, &r->stage);

    if (s != ENS_OK)
        return ens_fail(err, s, "out of memory");
    one.n_runs = 0;
    s = ens_stage_add_run(&one, rec->cell, 1, rec->replicate);
    if (s == ENS_OK)
        s = ens_places_build(places, r->dir, &r->log, NULL, r->study, &one,
                             err);
    ens_stage_fini(&one);
    return s;
}

/* Equal results: artifacts may lie elsewhere, their bytes may not differ. */
static int same_as_stored(struct ens_run *r, const struct ens_record *now,
                          struct ens_error *err)
{
    struct ens_places *places = NULL;
    struct ens_record old;
    uint32_t epoch;
    int same = 0;

    if (index_one(r, now, &places, err) != ENS_OK)
        return -1;
    if (ens_places_get(places, now->replicate - 1, &old, &epoch))
        same = ens_record_result_hash(&old) == ens_record_result_hash(now);
    ens_places_free(places);
    return same;
}

/* Compare one replay with what is stored; 0: the run was broken off. */
static int replay(struct ens_run *r, const struct ens_record *rec)
{
    struct ens_error err;
    int same = same_as_stored(r, rec, &err);

    if (same < 0) {
        ens_run_break(r, &err);
        return 0;
    }
    say(r, rec,
        same ? "equal to the stored result" : "DIFFERS from the stored result");
    r->report->n_differ += same == 0;
    return 1;
}

/* A frame holds records of one order, and a replay is an order of its own. */
int ens_only_replayed(struct ens_run *r, const struct ens_batch *b)
{
    struct ens_record rec;

    for (uint32_t i = 0; r->options->only != NULL && i < b->n; i++) {
        ens_batch_get(b, i, &rec);
        if (ens_done_get(r->done, rec.cell, rec.replicate) == ENS_N_OUTCOMES)
            return 0;
        if (!replay(r, &rec))
            return 1;
    }
    return r->options->only != NULL && b->n > 0;
}
