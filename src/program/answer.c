#include "program/answer.h"

#include <string.h>

static enum ens_status check(const json_t *root, const char *task,
                             struct ens_error *err)
{
    const char *named = json_string_value(json_object_get(root, "task"));
    const json_t *error = json_object_get(root, "error");

    if (named == NULL)
        return ens_fail(err, ENS_EPROTOCOL,
                        "output: the answer to task %s has no \"task\"", task);
    if (strcmp(named, task) != 0)
        return ens_fail(err, ENS_EPROTOCOL,
                        "output: the answer to task %s is to \"%.60s\"", task,
                        named);
    if (error == NULL)
        return ENS_OK;
    if (!json_is_string(error))
        return ens_fail(err, ENS_EDOMAIN, "output: error is no text");
    return ens_fail(err, ENS_EDOMAIN, "%.400s", json_string_value(error));
}

enum ens_status ens_answer_open(struct ens_answer *a, const char *line,
                                size_t n, const char *task,
                                struct ens_error *err)
{
    json_error_t e;
    json_t *root = json_loadb(line, n, JSON_REJECT_DUPLICATES, &e);
    enum ens_status s;

    if (root == NULL)
        return ens_fail(err, ENS_EPROTOCOL,
                        "output: not one JSON object: column %d: %.120s",
                        e.column, e.text);
    s = check(root, task, err);
    if (s == ENS_OK)
        a->root = root;
    else
        json_decref(root);
    return s;
}

void ens_answer_close(struct ens_answer *a)
{
    json_decref(a->root);
    a->root = NULL;
}

enum ens_status ens_answer_count(const struct ens_answer *a, const char *key,
                                 uint64_t most, uint64_t *n,
                                 struct ens_error *err)
{
    const json_t *v = json_object_get(a->root, key);

    if (!json_is_integer(v))
        return ens_fail(err, ENS_EDOMAIN, "output: %s is no integer", key);
    if (json_integer_value(v) < 0 || (uint64_t)json_integer_value(v) > most)
        return ens_fail(err, ENS_EDOMAIN, "output: %s is %lld; 0 to %llu", key,
                        (long long)json_integer_value(v),
                        (unsigned long long)most);
    *n = (uint64_t)json_integer_value(v);
    return ENS_OK;
}

int ens_answer_has(const struct ens_answer *a, const char *key)
{
    return json_object_get(a->root, key) != NULL;
}

/* null, or not there, is missing: then *v stays what it is. */
static enum ens_status take(const json_t *from, const char *key, const char *of,
                            double *v, struct ens_error *err)
{
    if (from == NULL || json_is_null(from))
        return ENS_OK;
    if (!json_is_number(from))
        return ens_fail(err, ENS_EDOMAIN, "output: %.60s%s%.60s is no number",
                        key, *of != '\0' ? " of " : "", of);
    *v = json_number_value(from);
    return ENS_OK;
}

enum ens_status ens_answer_number(const struct ens_answer *a, const char *key,
                                  double *v, struct ens_error *err)
{
    return take(json_object_get(a->root, key), key, "", v, err);
}

/* n when there is none. */
static size_t place(const char *const *name, size_t n, const char *key)
{
    size_t i = 0;

    if (strcmp(key, "(Intercept)") == 0)
        key = "intercept";
    while (i < n && strcmp(name[i], key) != 0)
        i++;
    return i;
}

static enum ens_status take_named(json_t *from, const char *what,
                                  const char *const *name, size_t n,
                                  double *value, struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    const char *key;
    json_t *v;

    json_object_foreach(from, key, v)
    {
        size_t i = place(name, n, key);

        s = i < n ? take(v, what, key, &value[i], err)
                  : ens_fail(err, ENS_EDOMAIN,
                             "output: %s of \"%.60s\": no such name is asked "
                             "for",
                             what, key);
        if (s != ENS_OK)
            break;
    }
    return s;
}

enum ens_status ens_answer_numbers(const struct ens_answer *a, const char *key,
                                   const char *const *name, size_t n,
                                   double *value, struct ens_error *err)
{
    json_t *from = json_object_get(a->root, key);
    enum ens_status s = ENS_OK;

    if (from == NULL || json_is_null(from))
        return ENS_OK;
    if (json_is_object(from))
        return take_named(from, key, name, n, value, err);
    if (!json_is_array(from))
        return ens_fail(err, ENS_EDOMAIN,
                        "output: %s is neither an object nor a list", key);
    if (json_array_size(from) != n)
        return ens_fail(err, ENS_EDOMAIN,
                        "output: %s has %zu numbers; %zu are asked for", key,
                        json_array_size(from), n);
    for (size_t i = 0; s == ENS_OK && i < n; i++)
        s = take(json_array_get(from, i), key, name[i], &value[i], err);
    return s;
}

enum ens_status ens_answer_texts(const struct ens_answer *a, const char *key,
                                 const char **text, size_t most, size_t *n,
                                 struct ens_error *err)
{
    const json_t *from = json_object_get(a->root, key);
    size_t have = json_is_array(from) ? json_array_size(from) : 1;

    *n = 0;
    if (from == NULL || json_is_null(from))
        return ENS_OK;
    for (size_t i = 0; i < have && *n < most; i++) {
        const json_t *v = json_is_array(from) ? json_array_get(from, i) : from;

        if (!json_is_string(v))
            return ens_fail(err, ENS_EDOMAIN,
                            "output: %s is no text and no list of texts", key);
        text[(*n)++] = json_string_value(v);
    }
    return ENS_OK;
}

enum ens_status ens_answer_fields(const struct ens_answer *a,
                                  const char *const *name, size_t n,
                                  double *value, struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    const char *key;
    json_t *v;

    json_object_foreach(a->root, key, v)
    {
        size_t i = place(name, n, key);

        if (strcmp(key, "task") == 0 || strcmp(key, "warnings") == 0)
            continue;
        s = i < n ? take(v, key, "", &value[i], err)
                  : ens_fail(err, ENS_EDOMAIN,
                             "output: %.60s is not among the declared fields",
                             key);
        if (s != ENS_OK)
            break;
    }
    return s;
}
