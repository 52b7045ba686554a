/* NAME or NAME(arg, key=value): arguments are settings of section "NAME()". */
#include "config/value_parse.h"

#include "base/number.h"
#include "config/diag.h"
#include "config/names.h"
#include "config/plugin_name.h"
#include "config/study.h"

#include <string.h>

#define MAX_ARGS 64

static int is_word(char c, int first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           (!first && ((c >= '0' && c <= '9') || c == '.'));
}

static size_t word(struct ens_slice s)
{
    size_t n = 0;

    while (n < s.n && is_word(s.p[n], n == 0))
        n++;
    return n;
}

int ens_call_split(struct ens_slice text, struct ens_slice *name,
                   struct ens_slice *args)
{
    size_t n = word(text);
    struct ens_slice rest = {text.p + n, text.n - n};

    *name = (struct ens_slice){text.p, n};
    *args = (struct ens_slice){text.p + n, 0};
    rest = ens_slice_trim(rest);
    if (n == 0 || rest.n == 0)
        return n > 0;
    if (rest.n < 2 || rest.p[0] != '(' || rest.p[rest.n - 1] != ')')
        return 0;
    *args = ens_slice_trim((struct ens_slice){rest.p + 1, rest.n - 2});
    return 1;
}

int ens_call_key(struct ens_slice *arg, struct ens_slice *key)
{
    size_t n = word(*arg);
    struct ens_slice rest =
        ens_slice_trim((struct ens_slice){arg->p + n, arg->n - n});

    if (n == 0 || rest.n == 0 || rest.p[0] != '=' ||
        (rest.n > 1 && rest.p[1] == '='))
        return 0;
    *key = (struct ens_slice){arg->p, n};
    *arg = ens_slice_trim((struct ens_slice){rest.p + 1, rest.n - 1});
    return 1;
}

struct call {
    const struct ens_value_context *c;
    struct ens_arena *arena;
    const char *name;
    const char *text_name;       /* as it can be read again */
    const struct ens_impl *impl; /* of a plugin's, or of the kind */
    size_t n;
    struct ens_call_arg arg[MAX_ARGS];
    struct ens_error *err;
};

/* Canonical text of an argument that no table describes. */
static const char *plain_text(struct ens_arena *a, struct ens_slice s)
{
    char number[ENS_NUMBER_BYTES];
    double d;

    if (ens_number_parse(s.p, s.n, &d) == 0) {
        ens_number_format(number, d);
        return ens_arena_strdup(a, number);
    }
    return ens_arena_strndup(a, s.p, s.n);
}

static enum ens_status read_args(struct call *call, struct ens_slice args)
{
    struct ens_slice arg, key;
    size_t at = 0;
    int more;

    while ((more = ens_slice_next(args, ',', &at, &arg)) == 1) {
        struct ens_call_arg *a = &call->arg[call->n];

        if (call->n == MAX_ARGS)
            return ens_fail(call->err, ENS_ESTUDY,
                            "%s has more than %d arguments", call->name,
                            MAX_ARGS);
        a->key = NULL;
        if (ens_call_key(&arg, &key)) {
            a->key = ens_arena_strndup(call->arena, key.p, key.n);
            if (a->key == NULL)
                return ens_out_of_memory(call->err);
        }
        if (arg.n == 0)
            return ens_fail(call->err, ENS_ESTUDY, "%s has an empty argument",
                            call->name);
        a->text = plain_text(call->arena, arg);
        if (a->text == NULL)
            return ens_out_of_memory(call->err);
        call->n++;
    }
    return ENS_OK; /* brackets match: the caller's split has seen them */
}

/* Rows of section "NAME()" in both tables; those of an implementation. */
static size_t find_rows(const struct call *call, const struct ens_setting **row)
{
    size_t len = strlen(call->name);
    size_t n = 0;

    if (call->impl != NULL) {
        while (n < call->impl->n_settings && n < MAX_ARGS) {
            row[n] = &call->impl->settings[n];
            n++;
        }
        return n;
    }
    for (int t = 0; t < 2; t++)
        for (size_t i = 0; i < call->c->n_calls[t] && n < MAX_ARGS; i++) {
            const struct ens_setting *s = &call->c->calls[t][i];

            if (strncmp(s->section, call->name, len) == 0 &&
                strcmp(s->section + len, "()") == 0)
                row[n++] = s;
        }
    return n;
}

/* The row an argument belongs to; n when none. */
static size_t row_of(const struct ens_setting *const *row, size_t n,
                     const struct ens_call_arg *a, size_t place)
{
    size_t i = 0;

    if (a->key == NULL)
        return place < n ? place : n;
    while (i < n && strcmp(row[i]->key, a->key) != 0)
        i++;
    return i;
}

static enum ens_status unknown_arg(const struct call *call,
                                   const struct ens_setting *const *row,
                                   size_t n, const struct ens_call_arg *a)
{
    struct ens_near near;

    ens_near_init(&near, a->key != NULL ? a->key : "");
    for (size_t i = 0; i < n; i++)
        ens_near_add(&near, row[i]->key);
    if (a->key == NULL)
        return ens_fail(call->err, ENS_ESTUDY,
                        "%s takes at most %zu arguments (%s)", call->name, n,
                        ens_near_text(&near));
    return ens_fail(call->err, ENS_ESTUDY, "%s: unknown argument %.60s; %s",
                    call->name, a->key, ens_near_text(&near));
}

/* Check the arguments as settings: all rows in table order, defaults filled
 * in. is_default[i] where the value equals its default. */
static enum ens_status check_args(struct call *call,
                                  const struct ens_setting *const *row,
                                  size_t n, int *is_default)
{
    const char *given[MAX_ARGS] = {NULL};
    struct ens_values v;
    struct ens_values def;
    enum ens_status st;

    for (size_t k = 0; k < call->n; k++) {
        size_t i = row_of(row, n, &call->arg[k], k);

        if (i == n)
            return unknown_arg(call, row, n, &call->arg[k]);
        if (given[i] != NULL)
            return ens_fail(call->err, ENS_ESTUDY, "%s: %s is given twice",
                            call->name, row[i]->key);
        given[i] = call->arg[k].text;
    }
    for (size_t i = 0; i < n; i++) {
        const char *text = given[i] != NULL ? given[i] : row[i]->def;

        if (text == NULL)
            return ens_fail(call->err, ENS_ESTUDY, "%s: %s is missing",
                            call->name, row[i]->key);
        st = ens_value_parse(call->c, row[i], text, &v, call->err);
        if (st == ENS_OK && row[i]->def != NULL)
            st = ens_value_parse(call->c, row[i], row[i]->def, &def, call->err);
        if (st != ENS_OK)
            return ens_wrap(call->err, st, "%s: %s", call->name, row[i]->key);
        if (v.n > 1)
            return ens_fail(call->err, ENS_ESTUDY, "%s: %s takes one value",
                            call->name, row[i]->key);
        is_default[i] =
            row[i]->def != NULL && strcmp(v.v->text, def.v->text) == 0;
        call->arg[i] = (struct ens_call_arg){row[i]->key, v.v->text};
    }
    call->n = n;
    return ENS_OK;
}

static const char *canonical(const struct call *call, const int *leave_out)
{
    struct ens_buf b = ENS_BUF_INIT;
    const char *sep = "(";
    const char *text = NULL;

    ens_buf_puts(&b, call->text_name);
    for (size_t i = 0; i < call->n; i++) {
        const struct ens_call_arg *a = &call->arg[i];

        if (leave_out[i])
            continue;
        ens_buf_printf(&b, "%s%s%s%s", sep, a->key != NULL ? a->key : "",
                       a->key != NULL ? "=" : "", a->text);
        sep = ", ";
    }
    if (*sep == ',')
        ens_buf_puts(&b, ")");
    if (!b.failed)
        text = ens_arena_strndup(call->arena, (const char *)b.data, b.len);
    ens_buf_fini(&b);
    return text;
}

/* "metric" of the choice "FILE:metric": names of plugins are allowed. */
static const char *plugin_key(const struct ens_setting *s)
{
    const char *p = s->choices == NULL ? NULL : strstr(s->choices, "FILE:");

    return p == NULL ? NULL : p + 5;
}

static enum ens_status check_name(const struct call *call,
                                  const struct ens_setting *s)
{
    const char *name = call->name;
    struct ens_near near;
    size_t len = strlen(name);
    const char *p = s->choices;

    while (p != NULL && *p != '\0') {
        size_t n = strcspn(p, "|");

        if (n == len && memcmp(p, name, n) == 0)
            return ENS_OK;
        p += n + (p[n] == '|');
    }
    if (s->choices == NULL || *s->choices == '\0')
        return ENS_OK;
    ens_near_init(&near, name);
    for (size_t i = 0; plugin_key(s) != NULL && i < call->c->n_impls; i++)
        ens_near_add(&near, call->c->impls[i].name);
    ens_near_add_choices(&near, s->choices);
    return ens_fail(call->err, ENS_ESTUDY, "\"%.60s\" is unknown; %s", name,
                    ens_near_text(&near));
}

static enum ens_status fill(struct call *call, struct ens_value *v,
                            const int *is_default)
{
    struct ens_call_arg *arg =
        ens_arena_alloc(call->arena, call->n + 1, sizeof(*arg));

    memset(v, 0, sizeof(*v));
    v->set = 1;
    v->text = canonical(call, is_default);
    if (arg == NULL || v->text == NULL)
        return ens_out_of_memory(call->err);
    memcpy(arg, call->arg, call->n * sizeof(*arg));
    v->call = (struct ens_call){call->name, call->n, arg, call->impl};
    return ENS_OK;
}

static enum ens_status find_plugin(struct call *call,
                                   const struct ens_setting *s,
                                   struct ens_slice name)
{
    const struct ens_study_kinds *k = call->c->kinds;
    const char *key = plugin_key(s);
    struct ens_plugin_name p;
    enum ens_status st;

    if (key != NULL)
        key = ens_arena_strndup(call->arena, key, strcspn(key, "|"));
    if (key == NULL)
        return ens_out_of_memory(call->err);
    st = ens_plugin_name_read(&p, call->arena, call->c->dir, name.p, name.n,
                              call->err);
    if (st == ENS_OK)
        st = k->plugins->impl(k->arg, p.path, key, p.name, &call->impl,
                              call->err);
    if (st == ENS_OK) {
        call->name = p.label;
        call->text_name = p.full;
    }
    return st;
}

static enum ens_status find_name(struct call *call, const struct ens_setting *s,
                                 struct ens_slice name)
{
    call->text_name = call->name =
        ens_arena_strndup(call->arena, name.p, name.n);
    if (call->name == NULL)
        return ens_out_of_memory(call->err);
    for (size_t i = 0; plugin_key(s) != NULL && i < call->c->n_impls; i++)
        if (strcmp(call->c->impls[i].name, call->name) == 0)
            call->impl = &call->c->impls[i];
    return call->impl != NULL ? ENS_OK : check_name(call, s);
}

/* As ens_call_split, where plugins are allowed. */
static int split(const struct ens_value_context *c, const struct ens_setting *s,
                 struct ens_slice text, struct ens_slice *name,
                 struct ens_slice *args, int *is_plugin)
{
    size_t n;

    *is_plugin = c->kinds != NULL && c->kinds->plugins != NULL &&
                 plugin_key(s) != NULL && ens_plugin_is_name(text.p, text.n);
    if (!*is_plugin)
        return ens_call_split(text, name, args);
    n = ens_plugin_name_end(text.p, text.n);
    *name = (struct ens_slice){text.p, n};
    *args = (struct ens_slice){text.p + n, 0};
    if (n + 2 <= text.n)
        *args =
            ens_slice_trim((struct ens_slice){text.p + n + 1, text.n - n - 2});
    return 1;
}

enum ens_status ens_call_parse(const struct ens_value_context *c,
                               const struct ens_setting *s,
                               struct ens_slice text, struct ens_value *v,
                               struct ens_error *err)
{
    const struct ens_setting *row[MAX_ARGS];
    int is_default[MAX_ARGS] = {0};
    struct call call;
    struct ens_slice name, args;
    enum ens_status st;
    int is_plugin;
    size_t n;

    if (!split(c, s, text, &name, &args, &is_plugin))
        return ens_fail(err, ENS_ESTUDY,
                        "\"%.*s\" is not NAME or NAME(arg, key=value)",
                        ENS_SHOW(text));
    call = (struct call){.c = c, .arena = c->arena, .err = err};
    st = is_plugin ? find_plugin(&call, s, name) : find_name(&call, s, name);
    if (st == ENS_OK)
        st = read_args(&call, args);
    if (st != ENS_OK)
        return st;
    n = find_rows(&call, row);
    if (n > 0 || call.impl != NULL)
        st = check_args(&call, row, n, is_default);
    return st != ENS_OK ? st : fill(&call, v, is_default);
}
