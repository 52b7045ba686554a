#include "program/output.h"

#include "base/number.h"
#include "config/reader.h"

#include <jansson.h>
#include <math.h>
#include <string.h>

struct reading {
    struct ens_arena *arena;
    struct ens_error *err;
    struct ens_buf items;
};

static enum ens_status out_of_memory(struct ens_error *err)
{
    return ens_fail(err, ENS_ENOMEMORY, "output of the program");
}

static int is_key(const char *key, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = key[i];
        int letter =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        int digit = (c >= '0' && c <= '9') || c == '.';

        if (!letter && (i == 0 || !digit))
            return 0;
    }
    return n > 0 && n <= 100;
}

static int is_reserved(const char *key)
{
    static const char *const names[] = {"stage",    "task",     "cell",
                                        "seed",     "error",    "status",
                                        "warnings", "replicate"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], key) == 0)
            return 1;
    return 0;
}

/* -- declared fields ------------------------------------------------------- */

static int parse_type(const char *text, enum ens_field_type *type)
{
    if (strcmp(text, "num") == 0)
        *type = ENS_F64;
    else if (strcmp(text, "int") == 0)
        *type = ENS_I64;
    else if (strcmp(text, "text") == 0)
        *type = ENS_TEXT;
    else
        return -1;
    return 0;
}

static enum ens_status parse_field(struct ens_field *f, const char *text,
                                   struct ens_arena *arena,
                                   struct ens_error *err)
{
    size_t n = strcspn(text, ":");

    if (!is_key(text, n))
        return ens_fail(err, ENS_ESTUDY,
                        "\"%.60s\": a field is NAME, NAME:int or NAME:text",
                        text);
    *f = (struct ens_field){ens_arena_strndup(arena, text, n), ENS_F64, "",
                            "printed by the program"};
    if (f->name == NULL)
        return out_of_memory(err);
    if (is_reserved(f->name))
        return ens_fail(err, ENS_ESTUDY, "%s is a column of every table",
                        f->name);
    if (text[n] == ':' && parse_type(text + n + 1, &f->type) != 0)
        return ens_fail(err, ENS_ESTUDY,
                        "\"%.60s\": the type is num, int or text", text);
    return ENS_OK;
}

enum ens_status ens_output_fields_parse(struct ens_output_fields *f,
                                        const struct ens_value *list,
                                        struct ens_arena *arena,
                                        struct ens_error *err)
{
    struct ens_field *field =
        ens_arena_alloc(arena, list->n_list + 1, sizeof(*field));
    enum ens_status s = ENS_OK;

    if (field == NULL)
        return out_of_memory(err);
    if (list->n_list > ENS_OUTPUT_MAX_FIELDS)
        return ens_fail(err, ENS_ESTUDY, "more than %d fields",
                        ENS_OUTPUT_MAX_FIELDS);
    for (size_t i = 0; s == ENS_OK && i < list->n_list; i++) {
        s = parse_field(&field[i], list->list[i].text, arena, err);
        for (size_t k = 0; s == ENS_OK && k < i; k++)
            if (strcmp(field[k].name, field[i].name) == 0)
                s = ens_fail(err, ENS_ESTUDY, "%s is given twice",
                             field[i].name);
    }
    if (s == ENS_OK)
        *f = (struct ens_output_fields){list->n_list, field};
    return s;
}

/* -- items ------------------------------------------------------------------
 */

static enum ens_status add_item(struct reading *r, const char *key, size_t n,
                                struct ens_output_item *item)
{
    const struct ens_output_item *have = (const void *)r->items.data;
    size_t n_have = r->items.len / sizeof(*have);

    if (!is_key(key, n))
        return ens_fail(r->err, ENS_EDOMAIN,
                        "output: \"%.*s\" is no name of a field",
                        n > 60 ? 60 : (int)n, key);
    item->name = ens_arena_strndup(r->arena, key, n);
    if (item->name == NULL)
        return out_of_memory(r->err);
    if (is_reserved(item->name))
        return ens_fail(r->err, ENS_EDOMAIN,
                        "output: %s is a column of every table", item->name);
    if (n_have == ENS_OUTPUT_MAX_FIELDS)
        return ens_fail(r->err, ENS_EDOMAIN, "output: more than %d fields",
                        ENS_OUTPUT_MAX_FIELDS);
    for (size_t i = 0; i < n_have; i++)
        if (strcmp(have[i].name, item->name) == 0)
            return ens_fail(r->err, ENS_EDOMAIN, "output: %s occurs twice",
                            item->name);
    ens_buf_put(&r->items, item, sizeof(*item));
    return r->items.failed ? out_of_memory(r->err) : ENS_OK;
}

/* Type by form. */
static void read_form(struct ens_output_item *item, const char *text, size_t n)
{
    *item =
        (struct ens_output_item){.type = ENS_TEXT, .text = text, .n_text = n};
    if (ens_number_parse_i64(text, n, &item->i) == 0 &&
        item->i != ENS_I64_MISSING) {
        item->type = ENS_I64;
        item->d = (double)item->i;
    } else if (ens_number_parse(text, n, &item->d) == 0) {
        item->type = ENS_F64;
    }
}

static enum ens_status read_line(struct reading *r, size_t number,
                                 const char *p, size_t n)
{
    const char *eq = memchr(p, '=', n);
    size_t bad = ens_text_check(p, n);
    struct ens_output_item item;
    const char *value;
    size_t n_key, n_value;

    if (bad < n)
        return ens_fail(r->err, ENS_EDOMAIN,
                        "output, line %zu: byte 0x%02x at place %zu is not "
                        "UTF-8 text",
                        number, (unsigned)(unsigned char)p[bad], bad + 1);
    if (eq == NULL || !is_key(p, (size_t)(eq - p)))
        return ens_fail(r->err, ENS_EDOMAIN,
                        "output, line %zu: neither key=value nor JSON: "
                        "\"%.*s\"",
                        number, n > 60 ? 60 : (int)n, p);
    n_key = (size_t)(eq - p);
    value = eq + 1;
    n_value = n - n_key - 1;
    while (n_value > 0 && (*value == ' ' || *value == '\t')) {
        value++;
        n_value--;
    }
    read_form(&item, value, n_value);
    if (n_value == 0)
        item = (struct ens_output_item){.type = ENS_F64, .missing = 1};
    return add_item(r, p, n_key, &item);
}

static enum ens_status read_lines(struct reading *r, const char *text, size_t n)
{
    const char *end = text + n;
    enum ens_status s = ENS_OK;

    for (size_t number = 1; s == ENS_OK && text < end; number++) {
        const char *nl = memchr(text, '\n', (size_t)(end - text));
        const char *p = text;
        size_t len = (size_t)((nl != NULL ? nl : end) - text);

        text += len + (nl != NULL);
        while (len > 0 && strchr(" \t\r", p[len - 1]) != NULL && p[len - 1])
            len--;
        while (len > 0 && (*p == ' ' || *p == '\t')) {
            p++;
            len--;
        }
        if (len > 0)
            s = read_line(r, number, p, len);
    }
    return s;
}

/* -- JSON -------------------------------------------------------------------
 */

static enum ens_status read_json_value(struct reading *r, const char *key,
                                       const json_t *v)
{
    struct ens_output_item item = {.type = ENS_F64};

    if (strcmp(key, "task") == 0)
        return ENS_OK; /* whose answer it is, checked where that matters */
    if (json_is_integer(v)) {
        item.type =
            json_integer_value(v) == ENS_I64_MISSING ? ENS_F64 : ENS_I64;
        item.i = json_integer_value(v);
        item.d = (double)item.i;
    } else if (json_is_boolean(v)) {
        item.type = ENS_I64;
        item.i = json_is_true(v);
        item.d = (double)item.i;
    } else if (json_is_real(v)) {
        item.d = json_real_value(v);
    } else if (json_is_string(v)) {
        item.type = ENS_TEXT;
        item.n_text = json_string_length(v);
        item.text =
            ens_arena_strndup(r->arena, json_string_value(v), item.n_text);
        if (item.text == NULL)
            return out_of_memory(r->err);
    } else if (json_is_null(v)) {
        item.missing = 1;
    } else {
        return ens_fail(r->err, ENS_EDOMAIN,
                        "output: %.60s is a list or an object: a field is a "
                        "number or a text",
                        key);
    }
    return add_item(r, key, strlen(key), &item);
}

static enum ens_status read_json(struct reading *r, const char *text, size_t n)
{
    json_error_t e;
    json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, &e);
    enum ens_status s = ENS_OK;
    const char *key;
    json_t *v;

    if (root == NULL)
        return ens_fail(r->err, ENS_EDOMAIN,
                        "output: not one JSON object: line %d, column %d: "
                        "%.120s",
                        e.line, e.column, e.text);
    json_object_foreach(root, key, v)
    {
        s = read_json_value(r, key, v);
        if (s != ENS_OK)
            break;
    }
    json_decref(root);
    return s;
}

/* -- as declared --------------------------------------------------------------
 */

static enum ens_status fail_type(struct reading *r,
                                 const struct ens_output_item *from,
                                 const struct ens_output_item *to)
{
    char number[ENS_NUMBER_BYTES];
    const char *text = from->text;
    size_t n = from->n_text;

    if (text == NULL) {
        n = ens_number_format(number, from->d);
        text = number;
    }
    return ens_fail(r->err, ENS_EDOMAIN, "output: %s is %.*s, not %s", to->name,
                    n > 60 ? 60 : (int)n, text,
                    to->type == ENS_I64   ? "a whole number (int)"
                    : to->type == ENS_F64 ? "a number (num)"
                                          : "a text");
}

static enum ens_status convert(struct reading *r,
                               const struct ens_output_item *from,
                               struct ens_output_item *to)
{
    enum ens_field_type want = to->type;

    to->missing = from->missing;
    if (from->missing)
        return ENS_OK;
    if (want == ENS_TEXT
            ? from->text == NULL
            : from->type != want && !(want == ENS_F64 && from->type == ENS_I64))
        return fail_type(r, from, to);
    to->d = from->d;
    to->i = from->i;
    to->text = from->text;
    to->n_text = from->n_text;
    return ENS_OK;
}

static enum ens_status apply(struct reading *r,
                             const struct ens_output_fields *declared,
                             struct ens_output_items *out)
{
    const struct ens_output_item *have = (const void *)r->items.data;
    size_t n_have = r->items.len / sizeof(*have);
    struct ens_output_item *item =
        ens_arena_alloc(r->arena, declared->n, sizeof(*item));
    enum ens_status s = ENS_OK;

    if (item == NULL)
        return out_of_memory(r->err);
    for (size_t k = 0; k < declared->n; k++) {
        item[k].name = declared->field[k].name;
        item[k].type = declared->field[k].type;
        item[k].missing = 1;
    }
    for (size_t i = 0; s == ENS_OK && i < n_have; i++) {
        size_t k = 0;

        while (k < declared->n && strcmp(item[k].name, have[i].name) != 0)
            k++;
        s = k < declared->n
                ? convert(r, &have[i], &item[k])
                : ens_fail(r->err, ENS_EDOMAIN,
                           "output: %s is not among the declared fields",
                           have[i].name);
    }
    *out = (struct ens_output_items){declared->n, item};
    return s;
}

static enum ens_status keep(struct reading *r, struct ens_output_items *out)
{
    struct ens_output_item *item;
    size_t n = r->items.len / sizeof(*item);

    item = ens_arena_alloc(r->arena, n + 1, sizeof(*item));
    if (item == NULL)
        return out_of_memory(r->err);
    if (n > 0)
        memcpy(item, r->items.data, r->items.len);
    *out = (struct ens_output_items){n, item};
    return ENS_OK;
}

enum ens_status ens_output_read(struct ens_output_items *out, const char *text,
                                size_t n,
                                const struct ens_output_fields *declared,
                                struct ens_arena *arena, struct ens_error *err)
{
    struct reading r = {arena, err, ENS_BUF_INIT};
    size_t at = 0;
    enum ens_status s;

    while (at < n && text[at] != '\0' && strchr(" \t\r\n", text[at]) != NULL)
        at++;
    s = at < n && text[at] == '{' ? read_json(&r, text, n)
                                  : read_lines(&r, text, n);
    if (s == ENS_OK)
        s = declared->n > 0 ? apply(&r, declared, out) : keep(&r, out);
    ens_buf_fini(&r.items);
    return s;
}
