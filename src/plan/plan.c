#include "plan/plan.h"

#include "base/bug.h"
#include "base/hash.h"
#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void plan_init(struct ens_plan *p)
{
    memset(p, 0, sizeof(*p));
    ens_arena_init(&p->arena);
}

void ens_plan_answer(struct ens_plan *p, const struct ens_plan *base,
                     uint32_t first_index)
{
    plan_init(p);
    p->kind = base->kind;
    p->host = base->host;
    p->study = base->study;
    p->inputs = base->inputs;
    p->n_arrays = base->n_arrays;
    memcpy(p->array, base->array, sizeof(p->array));
    p->first_index = first_index;
}

void ens_plan_fini(struct ens_plan *p)
{
    for (size_t i = 0; i < p->n_stages; i++) {
        ens_stage_fini(&p->stage[i]);
        ens_buf_fini(&p->stage_data[i]);
    }
    free(p->stage);
    free(p->stage_data);
    ens_schemas_fini(&p->schemas);
    ens_arena_fini(&p->arena);
    memset(p, 0, sizeof(*p));
}

/* Words of a key of [run]: profiles and the kind's own items. */
static enum ens_status check_words(const struct ens_kind *kind,
                                   const struct ens_study *study,
                                   const char *key, struct ens_error *err)
{
    const struct ens_value *v = ens_study_value(study, "run", key);
    char where[512];
    char items[512] = "";
    size_t n = v == NULL || !v->set ? 0 : v->n_list > 0 ? v->n_list : 1;
    size_t at = 0;

    for (size_t i = 0; i < n; i++) {
        const char *word = v->n_list > 0 ? v->list[i].text : v->text;
        int known = strcmp(word, "minimal") == 0 ||
                    strcmp(word, "standard") == 0 || strcmp(word, "debug") == 0;

        for (size_t k = 0; k < kind->n_retained && !known; k++)
            known = strcmp(word, kind->retained[k].name) == 0;
        if (known)
            continue;
        for (size_t k = 0; k < kind->n_retained && at < sizeof(items); k++)
            at += (size_t)snprintf(items + at, sizeof(items) - at, ", %s",
                                   kind->retained[k].name);
        ens_study_where(study, "run", key, where, sizeof(where));
        return ens_fail(err, ENS_ESTUDY,
                        "%s: [run] %s: \"%.60s\" is unknown; allowed: "
                        "minimal, standard, debug%s",
                        where, key, word, items);
    }
    return ENS_OK;
}

static enum ens_status check_retain(const struct ens_kind *kind,
                                    const struct ens_study *study,
                                    struct ens_error *err)
{
    static const char *const key[] = {"retain", "retain.success",
                                      "retain.warning", "retain.error"};
    enum ens_status s = ENS_OK;

    for (size_t i = 0; s == ENS_OK && i < ENS_COUNT(key); i++)
        s = check_words(kind, study, key[i], err);
    return s;
}

static void plan_of(struct ens_plan *p, const struct ens_host *host,
                    const struct ens_kind *kind, const struct ens_study *study,
                    const struct ens_inputs *inputs)
{
    plan_init(p);
    p->kind = kind;
    p->host = host;
    p->study = study;
    p->inputs = inputs;
}

static enum ens_status ask(struct ens_plan *p, struct ens_error *err)
{
    const struct ens_kind *kind = p->kind;
    enum ens_status s = check_retain(kind, p->study, err);

    if (s == ENS_OK)
        s = kind->plan(p->host, p, err);
    if (s == ENS_OK && p->n_stages != 1)
        s = ens_fail(err, ENS_EPROTOCOL,
                     "kind %s: plan declared %zu stages, expected 1",
                     kind->name, p->n_stages);
    if (s == ENS_OK && p->stage[0].n_reads > 0)
        s = ens_fail(err, ENS_EPROTOCOL,
                     "kind %s: the first stage reads an array", kind->name);
    if (s != ENS_OK) {
        ens_plan_fini(p);
        return s;
    }
    if (p->stage_data[0].len > 0)
        p->stage[0].input_digest =
            ens_hash64(p->stage_data[0].data, p->stage_data[0].len);
    p->stage[0].id = ens_stage_id(p->stage[0].key, p->stage[0].input_digest);
    return ENS_OK;
}

enum ens_status ens_plan_make(struct ens_plan *p, const struct ens_host *host,
                              const struct ens_kind *kind,
                              const struct ens_study *study,
                              const struct ens_inputs *inputs,
                              struct ens_error *err)
{
    plan_of(p, host, kind, study, inputs);
    return ask(p, err);
}

enum ens_status
ens_plan_make_whole(struct ens_plan *p, const struct ens_host *host,
                    const struct ens_kind *kind, const struct ens_study *study,
                    const struct ens_inputs *inputs, struct ens_error *err)
{
    plan_of(p, host, kind, study, inputs);
    p->whole = 1;
    return ask(p, err);
}

int ens_plan_is_last(const struct ens_plan *p, size_t n)
{
    const struct ens_kind *k = p->kind;
    uint32_t most = k->next == NULL         ? 1
                    : k->max_stages == NULL ? 0
                                            : k->max_stages(p->host, p);

    return most > 0 && n >= most;
}

enum ens_status ens_plan_add_schema(struct ens_plan *p,
                                    const struct ens_field *fields, size_t n,
                                    uint32_t *index, struct ens_error *err)
{
    size_t at;
    enum ens_status s = ens_schemas_add(&p->schemas, fields, n, &at, err);

    if (s == ENS_OK)
        *index = (uint32_t)at;
    return s;
}

const struct ens_array_def *ens_plan_find_array(const struct ens_plan *p,
                                                const char *name)
{
    for (size_t i = 0; i < p->n_arrays; i++)
        if (strcmp(p->array[i].name, name) == 0)
            return &p->array[i];
    return NULL;
}

/* Array names become file names: letters, digits, '_' and '-'. */
static int is_file_word(const char *name)
{
    size_t n = strlen(name);

    return n > 0 && n <= ENS_STAGE_KEY_MAX &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                        "0123456789_-") == n;
}

enum ens_status ens_plan_add_array(struct ens_plan *p,
                                   const struct ens_array_def *def,
                                   struct ens_error *err)
{
    struct ens_array_def *to;

    if (p->n_arrays == ENS_PLAN_MAX_ARRAYS)
        return ens_fail(err, ENS_EUSAGE, "more than %d output arrays",
                        ENS_PLAN_MAX_ARRAYS);
    if (!is_file_word(def->name))
        return ens_fail(err, ENS_EUSAGE, "array name %s: not a word",
                        def->name);
    if (ens_plan_find_array(p, def->name) != NULL)
        return ens_fail(err, ENS_EUSAGE, "array %s declared twice", def->name);
    if (def->dtype != ENS_DT_F64 && def->dtype != ENS_DT_I64)
        return ens_fail(err, ENS_EUSAGE, "array %s: neither f8 nor i8",
                        def->name);
    to = &p->array[p->n_arrays];
    *to = *def;
    to->name = ens_arena_strdup(&p->arena, def->name);
    if (to->name == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    p->n_arrays++;
    return ENS_OK;
}

static enum ens_status copy_names(const struct ens_plan *p,
                                  const char *const *names,
                                  char to[][ENS_STAGE_KEY_MAX + 1], size_t *n,
                                  struct ens_error *err)
{
    *n = 0;
    for (; names != NULL && names[*n] != NULL; (*n)++) {
        if (*n == ENS_STAGE_MAX_ARRAYS)
            return ens_fail(err, ENS_EUSAGE,
                            "a stage reads or writes more than %d arrays",
                            ENS_STAGE_MAX_ARRAYS);
        if (ens_plan_find_array(p, names[*n]) == NULL)
            return ens_fail(err, ENS_EUSAGE, "array %s is not declared",
                            names[*n]);
        snprintf(to[*n], ENS_STAGE_KEY_MAX + 1, "%s", names[*n]);
    }
    return ENS_OK;
}

static enum ens_status add_runs(const struct ens_plan *p, struct ens_stage *st,
                                uint32_t n_replicates, const uint32_t *per_cell,
                                struct ens_error *err)
{
    uint64_t n_cells = ens_study_n_cells(p->study);
    uint64_t first = 0;
    enum ens_status s = ENS_OK;

    if (per_cell == NULL)
        s = ens_stage_add_run(st, 0, n_cells, n_replicates);
    for (uint64_t c = 1; per_cell != NULL && s == ENS_OK && c <= n_cells; c++) {
        if (c < n_cells && per_cell[c] == per_cell[first])
            continue;
        if (per_cell[first] > 0)
            s = ens_stage_add_run(st, first, c - first, per_cell[first]);
        first = c;
    }
    return s == ENS_OK ? s : ens_fail(err, s, "out of memory");
}

static enum ens_status grow_stages(struct ens_plan *p, struct ens_error *err)
{
    size_t n = p->n_stages + 1;
    struct ens_stage *stage = realloc(p->stage, n * sizeof(*stage));
    struct ens_buf *data;

    if (stage == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    p->stage = stage;
    data = realloc(p->stage_data, n * sizeof(*data));
    if (data == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    p->stage_data = data;
    memset(&stage[p->n_stages], 0, sizeof(*stage));
    memset(&data[p->n_stages], 0, sizeof(*data));
    return ENS_OK;
}

enum ens_status ens_plan_add_stage(struct ens_plan *p, const char *key,
                                   uint32_t n_replicates,
                                   const uint32_t *per_cell,
                                   const char *const *writes,
                                   const char *const *reads, int internal,
                                   struct ens_error *err)
{
    struct ens_stage *st;
    enum ens_status s;

    if (!is_file_word(key))
        return ens_fail(err, ENS_EUSAGE, "stage key %s: not a word", key);
    s = grow_stages(p, err);
    if (s != ENS_OK)
        return s;
    st = &p->stage[p->n_stages];
    snprintf(st->key, sizeof(st->key), "%s", key);
    st->index = p->first_index + (uint32_t)p->n_stages;
    st->flags = (internal ? ENS_STAGE_INTERNAL : 0u) |
                (n_replicates > 0 || per_cell != NULL ? ENS_STAGE_FIXED : 0u);
    s = copy_names(p, writes, st->writes, &st->n_writes, err);
    if (s == ENS_OK)
        s = copy_names(p, reads, st->reads, &st->n_reads, err);
    if (s == ENS_OK && n_replicates == 0)
        n_replicates = ens_study_replicates(p->study);
    if (s == ENS_OK)
        s = add_runs(p, st, n_replicates, per_cell, err);
    if (s != ENS_OK) {
        ens_stage_fini(st);
        return s;
    }
    st->id = ens_stage_id(st->key, st->input_digest);
    p->n_stages++;
    return ENS_OK;
}

enum ens_status ens_plan_add_data(struct ens_plan *p, const void *data,
                                  size_t bytes, struct ens_error *err)
{
    struct ens_buf *b;

    ENS_BUG_ON(p->n_stages == 0);
    if (bytes > ENS_STAGE_DATA_MAX)
        return ens_fail(err, ENS_EUSAGE,
                        "stage data of %zu bytes: more than %zu; use an "
                        "output array",
                        bytes, ENS_STAGE_DATA_MAX);
    b = &p->stage_data[p->n_stages - 1];
    ens_buf_clear(b);
    ens_buf_put(b, data, bytes);
    if (b->failed)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return ENS_OK;
}

void ens_plan_keepsakes(struct ens_plan *p)
{
    ENS_BUG_ON(p->n_stages == 0);
    p->stage[p->n_stages - 1].flags |= ENS_STAGE_KEEPSAKES;
}

int ens_plan_is_whole(const struct ens_plan *p)
{
    return p->whole;
}

const struct ens_study *ens_plan_study(const struct ens_plan *p)
{
    return p->study;
}

const struct ens_input *ens_plan_input(const struct ens_plan *p,
                                       const char *name)
{
    return p->inputs == NULL ? NULL : ens_inputs_find(p->inputs, name);
}

uint64_t ens_plan_n_cells(const struct ens_plan *p)
{
    return ens_study_n_cells(p->study);
}

void ens_plan_cell(const struct ens_plan *p, uint64_t ordinal,
                   struct ens_cell *cell)
{
    ens_study_cell(p->study, ordinal, cell);
}

uint64_t ens_plan_stage_definition(const struct ens_plan *p,
                                   const struct ens_stage *s)
{
    uint64_t h = ens_hash64(s->key, strlen(s->key));

    h = ens_hash64_pair(h, s->input_digest);
    h = ens_hash64_pair(h, ens_study_cells_hash(p->study));
    for (size_t i = 0; i < s->n_runs; i++) {
        h = ens_hash64_pair(h, s->run[i].first_cell);
        h = ens_hash64_pair(h, s->run[i].n_cells);
        h = ens_hash64_pair(h, s->run[i].n_replicates);
    }
    return h;
}

int ens_plan_has_array(const struct ens_plan *p, const char *array,
                       const struct ens_cell *cell)
{
    return p->kind->has_array == NULL ||
           p->kind->has_array(p->host, p, array, cell);
}

enum ens_status ens_plan_array_shape(const struct ens_plan *p,
                                     const char *array,
                                     const struct ens_cell *cell,
                                     uint32_t *ndim, uint64_t *shape,
                                     uint64_t *n_elements,
                                     struct ens_error *err)
{
    enum ens_status s;

    ENS_BUG_ON(p->kind->array_shape == NULL);
    s = p->kind->array_shape(p->host, p, array, cell, ndim, shape);
    if (s != ENS_OK)
        return ens_fail(err, s, "array %s has no shape", array);
    *n_elements = 1;
    for (uint32_t i = 0; i < *ndim; i++)
        if (__builtin_mul_overflow(*n_elements, shape[i], n_elements) ||
            *n_elements > (uint64_t)INT64_MAX / 16)
            return ens_fail(err, ENS_EUSAGE, "array %s: shape too large",
                            array);
    return ENS_OK;
}

enum ens_status ens_plan_array_region(const struct ens_plan *p,
                                      const char *array,
                                      const struct ens_cell *cell,
                                      uint32_t replicate, uint64_t *first,
                                      uint64_t *n)
{
    ENS_BUG_ON(p->kind->array_region == NULL);
    return p->kind->array_region(p->host, p, array, cell, replicate, first, n);
}

/* "c0001_r00001"; by hand, as tables have one per row. */
static void label_plainly(const struct ens_task *task, char *to, size_t cap)
{
    char text[2 * ENS_NUMBER_BYTES + 4] = "c";
    size_t n = 1;

    n += ens_number_format_padded(text + n, task->cell.ordinal + 1, 4);
    memcpy(text + n, "_r", 2);
    n += 2;
    n += ens_number_format_padded(text + n, task->replicate, 5);
    n = n < cap ? n : cap - 1;
    memcpy(to, text, n);
    to[n] = '\0';
}

void ens_plan_label(const struct ens_plan *p, const struct ens_task *task,
                    char *to, size_t cap)
{
    ENS_BUG_ON(cap == 0);
    if (p->kind->label != NULL)
        p->kind->label(p, task, to, cap);
    else
        label_plainly(task, to, cap);
}
