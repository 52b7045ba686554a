/* The tables of a plugin, before anything trusts them. */
#include "kind/plugin.h"

#include "base/bug.h"

#include <string.h>

#define MANY 100000u /* of anything in a table; more is a wild number */

/* A name as study files and FILE:NAME can hold it. */
static int is_name(const char *s)
{
    static const char first[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_";
    static const char more[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789.";

    return s != NULL && *s != '\0' && strchr(first, *s) != NULL &&
           s[strspn(s, more)] == '\0';
}

static int is_call_section(const char *s)
{
    size_t n = strlen(s);

    return n > 2 && strcmp(s + n - 2, "()") == 0;
}

/* A name, or NAME.* for all keys that begin so. */
static int is_key(const char *s)
{
    char name[64];
    size_t n = s == NULL ? 0 : strlen(s);

    if (n < 3 || n >= sizeof(name) || strcmp(s + n - 2, ".*") != 0)
        return is_name(s);
    memcpy(name, s, n - 2);
    name[n - 2] = '\0';
    return is_name(name);
}

/* -- settings -------------------------------------------------------------- */

static const char *wrong_setting(const struct ens_setting *s)
{
    if (s->section == NULL || *s->section == '\0')
        return "has no section";
    if (!is_key(s->key))
        return "has no key, or one that is no name";
    if ((unsigned)s->type > ENS_T_ROW)
        return "has a type that does not exist";
    if ((unsigned)s->shape > ENS_AXIS || (unsigned)s->cls > ENS_C_RUN)
        return "has a shape or class that does not exist";
    if (s->help == NULL)
        return "has no help";
    if (s->type == ENS_T_CHOICE && (s->choices == NULL || *s->choices == '\0'))
        return "is a choice without choices";
    if (s->shape == ENS_AXIS && s->cls != ENS_C_DATA && s->cls != ENS_C_CELL)
        return "is an axis that does not decide cells";
    return NULL;
}

static enum ens_status check_settings(const struct ens_setting *s, size_t n,
                                      struct ens_error *err)
{
    if (n > MANY || (n > 0 && s == NULL))
        return ens_fail(err, ENS_ESTUDY, "settings: a table of %zu", n);
    for (size_t i = 0; i < n; i++) {
        const char *text = wrong_setting(&s[i]);

        if (text != NULL)
            return ens_fail(err, ENS_ESTUDY, "setting %zu (%.60s) %s", i + 1,
                            s[i].key == NULL ? "?" : s[i].key, text);
        for (size_t k = 0; k < i; k++)
            if (strcmp(s[k].section, s[i].section) == 0 &&
                strcmp(s[k].key, s[i].key) == 0)
                return ens_fail(err, ENS_ESTUDY, "setting %s is there twice",
                                s[i].key);
    }
    return ENS_OK;
}

static enum ens_status check_impl(const struct ens_impl *m, const char *section,
                                  struct ens_error *err)
{
    enum ens_status s;

    if (!is_name(m->name))
        return ens_fail(err, ENS_ESTUDY, "name: %.60s is none",
                        m->name == NULL ? "NULL" : m->name);
    if (m->help == NULL)
        return ens_fail(err, ENS_ESTUDY, "help is NULL");
    if (m->ops == NULL)
        return ens_fail(err, ENS_ESTUDY, "ops is NULL");
    s = check_settings(m->settings, m->n_settings, err);
    for (size_t i = 0; s == ENS_OK && i < m->n_settings; i++) {
        const struct ens_setting *k = &m->settings[i];

        if (strcmp(k->section, section) != 0 && !is_call_section(k->section))
            return ens_fail(err, ENS_ESTUDY,
                            "setting %s is of section %.60s, not %s", k->key,
                            k->section, section);
        if (k->type == ENS_T_LINE)
            return ens_fail(err, ENS_ESTUDY,
                            "setting %s is a line, which only kinds may have",
                            k->key);
    }
    return s;
}

/* -- generators, fitters, metrics, learners -------------------------------- */

static const char *check_generator(const struct ens_impl *m)
{
    const struct ens_generator *g = m->ops;

    return g->shape == NULL ? "shape" : g->generate == NULL ? "generate" : NULL;
}

static int has_setting(const struct ens_impl *m, const char *key,
                       enum ens_type type)
{
    for (size_t i = 0; i < m->n_settings; i++)
        if (strcmp(m->settings[i].key, key) == 0)
            return m->settings[i].type == type;
    return 0;
}

static const char *check_fitter(const struct ens_impl *m)
{
    const struct ens_fitter *f = m->ops;

    if (!has_setting(m, "formula", ENS_T_FORMULA))
        return "ENS_FIT_SETTING_FORMULA";
    if (!has_setting(m, "level", ENS_T_NUM))
        return "ENS_FIT_SETTING_LEVEL";
    if (f->fit == NULL && f->density == NULL)
        return "fit";
    return f->fit == NULL && (!has_setting(m, "chains", ENS_T_INT) ||
                              !has_setting(m, "adaptation", ENS_T_CHOICE))
               ? "ENS_FIT_SETTINGS_NUTS"
               : NULL;
}

static const char *check_metric(const struct ens_impl *m)
{
    const struct ens_metric *t = m->ops;

    if (t->n_fields == 0 || t->n_fields > MANY || t->field == NULL)
        return "field";
    for (size_t i = 0; i < t->n_fields; i++)
        if (t->field[i].name == NULL || t->field[i].unit == NULL ||
            t->field[i].help == NULL ||
            (t->field[i].name[0] != '\0' && !is_name(t->field[i].name)))
            return "name, unit or help of a field";
    return t->compute == NULL ? "compute" : NULL;
}

static const char *check_learner(const struct ens_impl *m)
{
    const struct ens_learner *l = m->ops;

    return (l->families & ENS_LEARN_ALL) == 0 ? "a family of ENS_LEARN_ALL"
           : l->fit == NULL                   ? "fit"
           : l->predict == NULL               ? "predict"
                                              : NULL;
}

static const struct {
    const char *key;
    const char *section;
    const char *(*missing)(const struct ens_impl *m);
} parts[] = {
    {"generator", "data", check_generator},
    {"fitter", "fit", check_fitter},
    {"metric", "metrics", check_metric},
    {"learner", "learner", check_learner},
};

static enum ens_status check_part(const struct ens_plugin_part *p,
                                  struct ens_error *err)
{
    const char *missing;
    enum ens_status s;

    for (size_t i = 0; p->key != NULL && i < ENS_COUNT(parts); i++) {
        if (strcmp(parts[i].key, p->key) != 0)
            continue;
        s = check_impl(&p->impl, parts[i].section, err);
        if (s != ENS_OK)
            return s;
        missing = parts[i].missing(&p->impl);
        return missing == NULL
                   ? ENS_OK
                   : ens_fail(err, ENS_ESTUDY,
                              "%s, which is required, is missing", missing);
    }
    return ens_fail(err, ENS_ESTUDY,
                    "its key is %.60s; allowed: generator, fitter, metric, "
                    "learner",
                    p->key == NULL ? "NULL" : p->key);
}

/* -- kinds ----------------------------------------------------------------- */

static const char *missing_slot(const struct ens_kind *k)
{
    return k->help == NULL   ? "help"
           : k->plan == NULL ? "plan"
           : k->run == NULL  ? "run"
           : (k->array_shape == NULL) != (k->array_region == NULL)
               ? "array_shape or array_region"
           : k->n_roles > 0 && k->roles == NULL       ? "roles"
           : k->n_retained > 0 && k->retained == NULL ? "retained"
           : k->n_calls > 0 && k->calls == NULL       ? "calls"
           : k->n_tables > 0 && k->tables == NULL     ? "tables"
           : k->n_laps > 0 && k->laps == NULL         ? "laps"
           : k->n_files > 0 && k->files == NULL       ? "files"
                                                      : NULL;
}

static enum ens_status check_role(const struct ens_role *r,
                                  struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    if (!is_name(r->name))
        return ens_fail(err, ENS_ESTUDY, "a role has no name");
    if (r->n_impls > MANY || (r->n_impls > 0 && r->impls == NULL) ||
        (r->n_impls > 0) != (r->impl_key != NULL))
        return ens_fail(err, ENS_ESTUDY,
                        "role %s: impl_key and impls do not fit", r->name);
    for (size_t i = 0; s == ENS_OK && i < r->n_impls; i++) {
        s = check_impl(&r->impls[i], r->name, err);
        if (s != ENS_OK)
            ens_wrap(err, s, "role %s, %s %zu", r->name, r->impl_key, i + 1);
    }
    return s;
}

static int is_role(const struct ens_kind *k, const char *section)
{
    for (size_t i = 0; i < k->n_roles; i++)
        if (strcmp(k->roles[i].name, section) == 0)
            return 1;
    return 0;
}

static enum ens_status check_sections(const struct ens_kind *k,
                                      struct ens_error *err)
{
    static const char *const taken[] = {"study", "run", "input", "inputs"};

    for (size_t i = 0; i < k->n_settings; i++) {
        const struct ens_setting *s = &k->settings[i];

        for (size_t j = 0; j < ENS_COUNT(taken); j++)
            if (strcmp(s->section, taken[j]) == 0)
                return ens_fail(err, ENS_ESTUDY,
                                "setting %s: section [%s] is the program's",
                                s->key, s->section);
        if ((s->cls == ENS_C_DATA || s->cls == ENS_C_CELL) &&
            !is_role(k, s->section) && !is_call_section(s->section))
            return ens_fail(err, ENS_ESTUDY,
                            "setting %s decides cells, so its section [%.60s] "
                            "must be a role",
                            s->key, s->section);
    }
    return ENS_OK;
}

static const char *wrong_table(const struct ens_kind *k, size_t i)
{
    static const char *const taken[] = {"tasks",   "cells",    "columns",
                                        "timings", "failures", "outputs"};
    const struct ens_table_def *t = &k->tables[i];

    if (!is_name(t->name))
        return "has no name, or one that is none";
    for (size_t j = 0; j < ENS_COUNT(taken); j++)
        if (strcmp(t->name, taken[j]) == 0)
            return "has the name of one of the program's";
    for (size_t j = 0; j < i; j++)
        if (strcmp(t->name, k->tables[j].name) == 0)
            return "is there twice";
    if (t->help == NULL || t->columns == NULL || t->rows == NULL)
        return "has no help, columns or rows";
    if (t->written && (t->large || t->facts))
        return "is written, which one that is large or of facts cannot be";
    return t->shown && t->large ? "is shown, which a large one cannot be"
                                : NULL;
}

static enum ens_status check_tables(const struct ens_kind *k,
                                    struct ens_error *err)
{
    for (size_t i = 0; i < k->n_tables; i++) {
        const char *text = wrong_table(k, i);

        if (text != NULL)
            return ens_fail(err, ENS_ESTUDY, "table %zu (%.60s) %s", i + 1,
                            k->tables[i].name == NULL ? "?" : k->tables[i].name,
                            text);
    }
    return ENS_OK;
}

/* They lie beside ours: a name with an extension, and none of ours. */
static enum ens_status check_files(const struct ens_kind *k,
                                   struct ens_error *err)
{
    static const char *const taken[] = {"study.ini", "run.json", "status",
                                        "log.txt"};

    for (size_t i = 0; i < k->n_files; i++) {
        const struct ens_file_def *f = &k->files[i];
        const char *dot = f->name == NULL ? NULL : strrchr(f->name, '.');
        int bad = dot == NULL || dot == f->name || dot[1] == '\0' ||
                  strchr(f->name, '/') != NULL || strcmp(dot, ".csv") == 0;

        for (size_t j = 0; j < ENS_COUNT(taken) && !bad; j++)
            bad = strcmp(f->name, taken[j]) == 0;
        for (size_t j = 0; j < i && !bad; j++)
            bad = strcmp(f->name, k->files[j].name) == 0;
        if (bad || f->help == NULL || f->write == NULL)
            return ens_fail(err, ENS_ESTUDY,
                            "file %zu (%.60s) has no name of its own with an "
                            "extension, no help, or is not written",
                            i + 1, f->name == NULL ? "?" : f->name);
    }
    return ENS_OK;
}

static enum ens_status check_laps(const struct ens_kind *k,
                                  struct ens_error *err)
{
    if (k->n_laps > ENS_MAX_LAPS)
        return ens_fail(err, ENS_ESTUDY, "%zu laps; it may have %d", k->n_laps,
                        ENS_MAX_LAPS);
    for (size_t i = 0; i < k->n_laps; i++) {
        if (!is_name(k->laps[i].name) || k->laps[i].help == NULL)
            return ens_fail(err, ENS_ESTUDY, "lap %zu has no name or help",
                            i + 1);
        for (size_t j = 0; j < i; j++)
            if (strcmp(k->laps[i].name, k->laps[j].name) == 0)
                return ens_fail(err, ENS_ESTUDY, "lap %s is there twice",
                                k->laps[i].name);
    }
    return ENS_OK;
}

static enum ens_status check_kind(const struct ens_kind *k,
                                  struct ens_error *err)
{
    const char *missing;
    enum ens_status s;

    if (k->abi != ENS_ABI)
        return ens_fail(err, ENS_ESTUDY, "its abi is %u, not ENS_ABI (%u)",
                        (unsigned)k->abi, (unsigned)ENS_ABI);
    missing = missing_slot(k);
    if (missing != NULL)
        return ens_fail(err, ENS_ESTUDY, "%s, which is required, is missing",
                        missing);
    if (k->n_roles > MANY || k->n_retained > MANY || k->n_tables > MANY)
        return ens_fail(err, ENS_ESTUDY,
                        "tables of %zu roles, %zu items, %zu tables",
                        k->n_roles, k->n_retained, k->n_tables);
    s = check_settings(k->settings, k->n_settings, err);
    for (size_t i = 0; s == ENS_OK && i < k->n_roles; i++)
        s = check_role(&k->roles[i], err);
    for (size_t i = 0; s == ENS_OK && i < k->n_retained; i++)
        if (!is_name(k->retained[i].name) || k->retained[i].profile == NULL ||
            k->retained[i].help == NULL)
            s = ens_fail(err, ENS_ESTUDY,
                         "retained item %zu has no name, profile or help",
                         i + 1);
    if (s == ENS_OK)
        s = check_tables(k, err);
    if (s == ENS_OK)
        s = check_files(k, err);
    if (s == ENS_OK)
        s = check_laps(k, err);
    return s == ENS_OK ? check_sections(k, err) : s;
}

enum ens_status ens_plugin_check(const struct ens_plugin *p,
                                 struct ens_error *err)
{
    if (p->n_kinds > MANY || (p->n_kinds > 0 && p->kinds == NULL) ||
        p->n_parts > MANY || (p->n_parts > 0 && p->parts == NULL))
        return ens_fail(err, ENS_ESTUDY, "tables of %zu kinds, %zu parts",
                        p->n_kinds, p->n_parts);
    for (size_t i = 0; i < p->n_kinds; i++) {
        const struct ens_kind *k = p->kinds[i];
        enum ens_status s;

        if (k == NULL || !is_name(k->name))
            return ens_fail(err, ENS_ESTUDY, "kind %zu has no name", i + 1);
        s = check_kind(k, err);
        if (s != ENS_OK)
            return ens_wrap(err, s, "kind %s", k->name);
    }
    for (size_t i = 0; i < p->n_parts; i++) {
        const char *name = p->parts[i].impl.name;
        enum ens_status s = check_part(&p->parts[i], err);

        if (s != ENS_OK)
            return ens_wrap(err, s, "part %zu (%s %.60s)", i + 1,
                            p->parts[i].key == NULL ? "?" : p->parts[i].key,
                            name == NULL ? "?" : name);
    }
    return ENS_OK;
}
