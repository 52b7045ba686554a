#include "record/schema.h"

#include "base/hash.h"
#include "record/frame.h"

#include <stdlib.h>
#include <string.h>

static const char *or_empty(const char *s)
{
    return s == NULL ? "" : s;
}

void ens_schemas_fini(struct ens_schemas *s)
{
    ens_arena_fini(&s->arena);
    free(s->item);
    memset(s, 0, sizeof(*s));
}

void ens_schema_encode(const struct ens_schema *s, struct ens_buf *out)
{
    ens_buf_u32(out, (uint32_t)s->n);
    for (size_t i = 0; i < s->n; i++) {
        ens_buf_u8(out, (uint8_t)s->field[i].type);
        ens_buf_str(out, s->field[i].name);
        ens_buf_str(out, or_empty(s->field[i].unit));
        ens_buf_str(out, or_empty(s->field[i].help));
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorts, as a schema may have thousands of fields. */
static enum ens_status check_duplicates(const struct ens_field *f, size_t n,
                                        struct ens_error *err)
{
    const char **name = calloc(n + 1, sizeof(*name));
    enum ens_status s = ENS_OK;

    if (name == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "schema: out of memory");
    for (size_t i = 0; i < n; i++)
        name[i] = f[i].name;
    qsort(name, n, sizeof(*name), by_name);
    for (size_t i = 1; i < n && s == ENS_OK; i++)
        if (strcmp(name[i - 1], name[i]) == 0)
            s = ens_fail(err, ENS_EUSAGE, "schema: field %s occurs twice",
                         name[i]);
    free(name);
    return s;
}

static enum ens_status check_fields(const struct ens_field *f, size_t n,
                                    struct ens_error *err)
{
    if (n > ENS_SCHEMA_MAX_FIELDS)
        return ens_fail(err, ENS_EUSAGE,
                        "schema: %zu fields, at most %d fit; keep many values "
                        "as an artifact",
                        n, ENS_SCHEMA_MAX_FIELDS);
    for (size_t i = 0; i < n; i++) {
        if (f[i].name == NULL || f[i].name[0] == '\0')
            return ens_fail(err, ENS_EUSAGE, "schema: field %zu has no name",
                            i + 1);
        if (f[i].type < ENS_F64 || f[i].type > ENS_TEXT)
            return ens_fail(err, ENS_EUSAGE,
                            "schema: field %s: type %d is none", f[i].name,
                            (int)f[i].type);
    }
    return check_duplicates(f, n, err);
}

static struct ens_schema *copy(struct ens_arena *a, const struct ens_field *f,
                               size_t n)
{
    struct ens_schema *s = ens_arena_alloc(a, 1, sizeof(*s));
    struct ens_field *to = ens_arena_alloc(a, n, sizeof(*to));

    if (s == NULL || to == NULL)
        return NULL;
    for (size_t i = 0; i < n; i++) {
        to[i].type = f[i].type;
        to[i].name = ens_arena_strdup(a, f[i].name);
        to[i].unit = ens_arena_strdup(a, or_empty(f[i].unit));
        to[i].help = ens_arena_strdup(a, or_empty(f[i].help));
        if (to[i].name == NULL || to[i].unit == NULL || to[i].help == NULL)
            return NULL;
    }
    s->n = n;
    s->field = to;
    return s;
}

static int find_index(const struct ens_schemas *s, uint64_t hash, size_t *index)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->item[i]->hash == hash) {
            *index = i;
            return 1;
        }
    return 0;
}

static enum ens_status insert(struct ens_schemas *s, const struct ens_field *f,
                              size_t n, uint64_t hash, struct ens_error *err)
{
    struct ens_schema *made;

    if (s->n == s->cap) {
        size_t cap = s->cap == 0 ? 8 : 2 * s->cap;
        void *p = realloc(s->item, cap * sizeof(struct ens_schema *));

        if (p == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "schema: out of memory");
        s->item = p;
        s->cap = cap;
    }
    made = copy(&s->arena, f, n);
    if (made == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "schema: out of memory");
    made->hash = hash;
    s->item[s->n++] = made;
    return ENS_OK;
}

enum ens_status ens_schemas_add(struct ens_schemas *s,
                                const struct ens_field *fields, size_t n,
                                size_t *index, struct ens_error *err)
{
    struct ens_schema given = {0, n, fields};
    struct ens_buf b = ENS_BUF_INIT;
    enum ens_status st = check_fields(fields, n, err);
    uint64_t hash;

    if (st != ENS_OK)
        return st;
    ens_schema_encode(&given, &b);
    hash = ens_hash64(b.data, b.len);
    if (b.failed)
        st = ens_fail(err, ENS_ENOMEMORY, "schema: out of memory");
    else if (b.len > ENS_FRAME_PAYLOAD_MAX)
        st = ens_fail(err, ENS_EUSAGE,
                      "schema: names, units and help of %zu fields take %zu "
                      "bytes, at most %u fit",
                      n, b.len, ENS_FRAME_PAYLOAD_MAX);
    else if (!find_index(s, hash, index)) {
        st = insert(s, fields, n, hash, err);
        if (st == ENS_OK)
            *index = s->n - 1;
    }
    ens_buf_fini(&b);
    return st;
}

/* A text without NUL bytes, copied; NULL marks the cursor bad. */
static const char *read_text(struct ens_cursor *c, struct ens_arena *a)
{
    size_t n;
    const char *p = ens_cursor_str(c, &n);

    if (p == NULL)
        return NULL;
    if (memchr(p, '\0', n) != NULL) {
        c->bad = 1;
        return NULL;
    }
    return ens_arena_strndup(a, p, n);
}

static struct ens_field *decode(const void *p, size_t bytes, size_t *n,
                                struct ens_arena *a)
{
    struct ens_cursor c = ens_cursor(p, bytes);
    struct ens_field *f;

    *n = ens_cursor_u32(&c);
    if (c.bad || *n > ENS_SCHEMA_MAX_FIELDS)
        return NULL;
    f = ens_arena_alloc(a, *n, sizeof(*f));
    for (size_t i = 0; f != NULL && i < *n; i++) {
        f[i].type = (enum ens_field_type)ens_cursor_u8(&c);
        f[i].name = read_text(&c, a);
        f[i].unit = read_text(&c, a);
        f[i].help = read_text(&c, a);
        if (c.bad || f[i].name == NULL || f[i].unit == NULL ||
            f[i].help == NULL)
            return NULL;
    }
    return c.bad || c.p != c.end ? NULL : f;
}

enum ens_status ens_schemas_add_encoded(struct ens_schemas *s, const void *p,
                                        size_t n, size_t *index,
                                        struct ens_error *err)
{
    struct ens_arena a = ENS_ARENA_INIT;
    enum ens_status st = ENS_OK;
    struct ens_field *f;
    size_t n_fields;

    if (find_index(s, ens_hash64(p, n), index))
        return ENS_OK;
    f = decode(p, n, &n_fields, &a);
    if (f != NULL)
        st = ens_schemas_add(s, f, n_fields, index, err);
    if (f == NULL || st == ENS_EUSAGE)
        st = ens_fail(err, ENS_ECORRUPT, "schema: %zu bytes that are none", n);
    ens_arena_fini(&a);
    return st;
}

const struct ens_schema *ens_schemas_find(const struct ens_schemas *s,
                                          uint64_t hash)
{
    size_t i;

    return find_index(s, hash, &i) ? s->item[i] : NULL;
}
