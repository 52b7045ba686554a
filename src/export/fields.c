#include "export/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void ens_fields_fini(struct ens_fields *f)
{
    free(f->column);
    free(f->map);
    ens_arena_fini(&f->arena);
    memset(f, 0, sizeof(*f));
}

const struct ens_fields_map *ens_fields_find(const struct ens_fields *f,
                                             uint64_t hash)
{
    for (size_t i = 0; i < f->n_maps; i++)
        if (f->map[i].hash == hash)
            return &f->map[i];
    return NULL;
}

static enum ens_datum_type datum_type(enum ens_field_type t)
{
    return t == ENS_TEXT  ? ENS_DATUM_TEXT
           : t == ENS_I64 ? ENS_DATUM_INT
                          : ENS_DATUM_NUM;
}

/* A column that schemas fill with several types takes the widest. */
static enum ens_datum_type widest(enum ens_datum_type a, enum ens_datum_type b)
{
    if (a == b)
        return a;
    return a == ENS_DATUM_TEXT || b == ENS_DATUM_TEXT ? ENS_DATUM_TEXT
                                                      : ENS_DATUM_NUM;
}

static int grow(void **p, size_t *cap, size_t size)
{
    size_t n = *cap == 0 ? 16 : *cap * 2;
    void *q = realloc(*p, n * size);

    if (q == NULL)
        return -1;
    *p = q;
    *cap = n;
    return 0;
}

/* Column of a field, added when it is new; -1: out of memory. Fields of
 * schemas that differ a little stand at about the same place: look there
 * first. */
static int64_t column_of(struct ens_fields *f, const struct ens_field *field,
                         size_t hint)
{
    struct ens_table_column *c;

    for (size_t i = 0; i < f->n; i++) {
        size_t k = (hint + i) % f->n;

        if (strcmp(f->column[k].name, field->name) != 0)
            continue;
        f->column[k].type = widest(f->column[k].type, datum_type(field->type));
        return (int64_t)k;
    }
    if (f->n == f->cap &&
        grow((void **)&f->column, &f->cap, sizeof(*f->column)) != 0)
        return -1;
    c = &f->column[f->n];
    c->name = ens_arena_strdup(&f->arena, field->name);
    c->unit = ens_arena_strdup(&f->arena, field->unit);
    c->help = ens_arena_strdup(&f->arena, field->help);
    c->type = datum_type(field->type);
    if (c->name == NULL || c->unit == NULL || c->help == NULL)
        return -1;
    return (int64_t)f->n++;
}

static enum ens_status add_schema(struct ens_fields *f,
                                  const struct ens_schema *s,
                                  struct ens_error *err)
{
    uint32_t *column = ens_arena_alloc(&f->arena, s->n + 1, sizeof(*column));

    if (column == NULL ||
        (f->n_maps == f->cap_maps &&
         grow((void **)&f->map, &f->cap_maps, sizeof(*f->map)) != 0))
        return ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
    for (size_t i = 0; i < s->n; i++) {
        int64_t k = column_of(f, &s->field[i], i);

        if (k < 0)
            return ens_fail(err, ENS_ENOMEMORY, "tables: out of memory");
        column[i] = (uint32_t)k;
    }
    f->map[f->n_maps].hash = s->hash;
    f->map[f->n_maps].schema = s;
    f->map[f->n_maps].column = column;
    f->n_maps++;
    return ENS_OK;
}

/* Ends early once every schema that the scan met was seen. */
static enum ens_status add_stage(struct ens_fields *f,
                                 const struct ens_places *p,
                                 struct ens_error *err)
{
    const struct ens_schemas *known = ens_places_schemas(p);
    uint64_t n = ens_stage_n_tasks(ens_places_stage(p));
    uint64_t last = 0;
    size_t found = 0; /* of the known ones */
    int any = 0;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < known->n; i++)
        found += ens_fields_find(f, known->item[i]->hash) != NULL;
    for (uint64_t at = 0; at < n && found < known->n && s == ENS_OK; at++) {
        const struct ens_schema *schema;
        struct ens_record r;
        uint32_t epoch;

        if (!ens_places_get(p, at, &r, &epoch) || r.status != ENS_TASK_OK)
            continue;
        if (any && r.schema == last)
            continue;
        any = 1;
        last = r.schema;
        if (ens_fields_find(f, r.schema) != NULL)
            continue;
        schema = ens_schemas_find(known, r.schema);
        if (schema == NULL)
            return ens_fail(err, ENS_ECORRUPT,
                            "journal: schema %016llx of a record is missing",
                            (unsigned long long)r.schema);
        s = add_schema(f, schema, err);
        found++;
    }
    return s;
}

enum ens_status ens_fields_init(struct ens_fields *f,
                                const struct ens_places *const *stage,
                                size_t n_stages, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    memset(f, 0, sizeof(*f));
    ens_arena_init(&f->arena);
    for (size_t i = 0; i < n_stages && s == ENS_OK; i++)
        s = add_stage(f, stage[i], err);
    if (s != ENS_OK)
        ens_fields_fini(f);
    return s;
}

void ens_fields_value(const struct ens_record *r, const struct ens_schema *s,
                      size_t i, struct ens_datum *d)
{
    int missing = 0;

    d->type = datum_type(s->field[i].type);
    switch (s->field[i].type) {
    case ENS_F64:
        d->as.num = ens_record_f64(r, s, i);
        missing = isnan(d->as.num);
        break;
    case ENS_I64:
        d->as.integer = ens_record_i64(r, i, &missing);
        break;
    case ENS_TEXT:
        d->as.text.p = ens_record_text(r, i, &d->as.text.n);
        missing = d->as.text.p == NULL;
        break;
    }
    if (missing)
        d->type = ENS_DATUM_NONE;
}
