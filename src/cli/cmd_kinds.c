/* ensrun kinds [NAME [PART]]: what can be written in a study file. */
#include "cli/command.h"
#include "cli/kinds_plugin.h"
#include "base/bug.h"
#include "base/number.h"
#include "config/builtin.h"
#include "config/plugin_name.h"
#include "kinds/kinds.h"

#include <ensrun/fitter.h>
#include <ensrun/learner.h>
#include <stdio.h>
#include <string.h>

static const char *type_text(enum ens_type t)
{
    switch (t) {
    case ENS_T_INT:
        return "integer";
    case ENS_T_NUM:
        return "number";
    case ENS_T_BOOL:
        return "yes/no";
    case ENS_T_TEXT:
        return "text";
    case ENS_T_CHOICE:
        return "choice";
    case ENS_T_SECONDS:
        return "duration";
    case ENS_T_BYTES:
        return "size";
    case ENS_T_PATH:
        return "path";
    case ENS_T_LINE:
        return "line";
    case ENS_T_VECTOR:
        return "vector";
    case ENS_T_CALL:
        return "call";
    case ENS_T_INPUT:
        return "input";
    case ENS_T_FORMULA:
        return "formula";
    case ENS_T_ROW:
        return "name";
    }
    return "";
}

static const char *shape_text(enum ens_shape s)
{
    return s == ENS_AXIS ? " axis" : s == ENS_LIST ? " list" : "";
}

static const char *class_text(enum ens_class c)
{
    switch (c) {
    case ENS_C_DATA:
        return "data";
    case ENS_C_CELL:
        return "cell";
    case ENS_C_STUDY:
        return "study";
    case ENS_C_RUN:
        return "run";
    }
    return "";
}

#define HIGH_MIN 1e15 /* a bound from here on says nothing to a reader */

static void print_bounds(const struct ens_setting *s)
{
    char low[ENS_NUMBER_BYTES];
    char high[ENS_NUMBER_BYTES];

    if (s->choices != NULL && s->choices[0] != '\0')
        printf("; %s", s->choices);
    if (!(s->min < s->max))
        return;
    ens_number_format(low, s->min);
    ens_number_format(high, s->max);
    if (s->type == ENS_T_INT && s->max >= 18446744073709551615.0)
        printf("; %s to 2^64 - 1", low);
    else if (s->max < HIGH_MIN)
        printf("; %s to %s", low, high);
    else
        printf("; at least %s", low);
}

static void print_setting(const struct ens_setting *s)
{
    char type[40];
    char key[80];
    size_t n = strlen(s->section);
    int is_argument = n > 2 && s->section[n - 1] == ')';
    const char *def = s->def == NULL      ? "required"
                      : s->def[0] == '\0' ? "not set"
                                          : s->def;

    snprintf(type, sizeof(type), "%s%s", type_text(s->type),
             shape_text(s->shape));
    if (is_argument) /* of section "NAME()" */
        snprintf(key, sizeof(key), "%.*s(%.40s)", (int)n - 2, s->section,
                 s->key);
    else
        snprintf(key, sizeof(key), "%.79s",
                 strcmp(s->key, "*") == 0 ? "NAME" : s->key);
    printf("  %-16s %-14s %-12s %-6s %s", key, type, def, class_text(s->cls),
           s->help == NULL ? "" : s->help);
    if (s->unit != NULL && s->unit[0] != '\0')
        printf(" [%s]", s->unit);
    print_bounds(s);
    printf("\n");
}

static void print_heading(const char *section)
{
    if (strcmp(section, "input") == 0)
        printf("\n[input NAME]; [inputs] with a line NAME = FILE is short for "
               "its path\n");
    else
        printf("\n[%s]\n", section);
    printf("  %-16s %-14s %-12s class\n", "key", "type", "default");
}

static void print_sections(const struct ens_setting *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || strcmp(s[i].section, s[i - 1].section) != 0)
            print_heading(s[i].section);
        print_setting(&s[i]);
    }
}

static const char own_keys[] =
    "  any keys of your own, typed by form; lists and ranges are axes\n";

static void print_delivers(const struct ens_fitter *f)
{
    static const struct {
        unsigned bit;
        const char *text;
    } what[] = {{ENS_DELIVERS_INTERVALS, "intervals"},
                {ENS_DELIVERS_P_VALUES, "p-values"},
                {ENS_DELIVERS_DRAWS, "draws"},
                {ENS_DELIVERS_LOG_LIK, "log likelihood"},
                {ENS_DELIVERS_PREDICTIONS, "predictions"},
                {ENS_DELIVERS_DIAGNOSTICS, "diagnostics of chains"}};

    printf("  delivers estimates");
    for (size_t i = 0; i < ENS_COUNT(what); i++)
        if (f->delivers & what[i].bit)
            printf(", %s", what[i].text);
    printf("\n");
}

static void print_families(const struct ens_learner *l)
{
    static const char *const family[] = {"gaussian", "binomial", "multinomial",
                                         "poisson"};
    const char *before = "  of family ";

    for (size_t i = 0; i < ENS_COUNT(family); i++) {
        if (!(l->families & ENS_LEARN_FAMILY(i)))
            continue;
        printf("%s%s", before, family[i]);
        before = ", ";
    }
    printf("%s\n", l->uses & ENS_LEARN_WEIGHTS ? "; takes weights" : "");
}

/* role: whose implementation it is: that tells what its `ops` are. */
static void print_impl(const char *key, const char *role,
                       const struct ens_impl *m)
{
    printf("%s = %s: %s\n", key, m->name, m->help == NULL ? "" : m->help);
    if (strcmp(role, "fit") == 0 || strcmp(role, "fitter") == 0)
        print_delivers(m->ops);
    if (strcmp(role, "learner") == 0)
        print_families(m->ops);
    for (size_t i = 0; i < m->n_settings; i++)
        print_setting(&m->settings[i]);
    if (m->open)
        fputs(own_keys, stdout);
}

static void print_role(const struct ens_role *r)
{
    printf("\nrole %s%s: [%s] or rows [%s NAME]%s\n", r->name,
           r->is_data ? " (data)" : "", r->name, r->name,
           r->required ? ", required" : "");
    if (r->open)
        fputs(own_keys, stdout);
    for (size_t i = 0; i < r->n_impls; i++) {
        printf("\n");
        print_impl(r->impl_key == NULL ? "it" : r->impl_key, r->name,
                   &r->impls[i]);
    }
}

static void print_retained(const struct ens_kind *k)
{
    if (k->n_retained > 0)
        printf("\nretained items: `retain` of [run] names profiles (minimal, "
               "standard, debug)\nand items; retain.success, retain.warning, "
               "retain.error: of tasks that end so\n");
    for (size_t i = 0; i < k->n_retained; i++)
        printf("  %-16s %s %-9s %s\n", k->retained[i].name,
               strcmp(k->retained[i].profile, "always") == 0 ? "            "
                                                             : "from profile",
               k->retained[i].profile, k->retained[i].help);
}

static void print_classes(void)
{
    printf("\nclass: what a setting decides. data, cell: the cell; study: "
           "every result;\nrun: how it runs, or what is computed at the "
           "end. axis: a list makes cells; grid = @design.csv (a header of "
           "keys,\nthen a combination per line) gives axes that vary "
           "together; grid = random(N, KEY = DIST, ...)\ndraws N "
           "combinations, DIST uniform(a, b), loguniform(a, b), randint(a, b) "
           "(both included)\nor choice(x, y, ...): a larger N adds to those "
           "of a smaller one.\n");
}

static void print_all(void)
{
    struct ens_settings_table t = ens_builtin_settings();

    for (size_t i = 0; i < ens_kinds.n; i++)
        printf("%-14s %s\n", ens_kinds.item[i]->name, ens_kinds.item[i]->help);
    printf("FILE.so:NAME   one of a plugin; `ensrun kinds ./FILE.so` lists "
           "them\n"
           "\n`ensrun kinds NAME` lists the settings of a kind. Of every "
           "study:\n");
    print_sections(t.item, t.n);
    print_classes();
}

static void print_calls(const struct ens_kind *k)
{
    for (size_t i = 0; i < k->n_about; i++)
        printf("%s  %-18s %s\n", i == 0 ? "\nmeasures of cells.csv\n" : "",
               k->about[i].name, k->about[i].help);
    for (size_t i = 0; i < k->n_calls; i++) {
        if (i == 0 || k->calls[i].n_settings > 0 ||
            k->calls[i - 1].n_settings > 0)
            printf("\n");
        print_impl("metric", "metric", &k->calls[i]);
    }
}

static void print_tables(const struct ens_kind *k)
{
    if (k->n_tables > 0)
        printf("\ntables of its own, for `show` and `export`\n");
    for (size_t i = 0; i < k->n_tables; i++) {
        const struct ens_table_def *t = &k->tables[i];

        printf("  %-16s %s%s\n", t->name, t->help,
               t->written ? " (a file of the results)"
               : t->facts ? " (facts of the run)"
               : t->large ? " (large)"
                          : "");
    }
}

static void print_files(const struct ens_kind *k)
{
    if (k->n_files > 0)
        printf("\nfiles of a finished study\n");
    for (size_t i = 0; i < k->n_files; i++)
        printf("  %-16s %s\n", k->files[i].name, k->files[i].help);
}

static void print_laps(const struct ens_kind *k)
{
    for (size_t i = 0; i < k->n_laps; i++)
        printf("%s  %-16s %s\n",
               i == 0
                   ? "\nlaps of a task: columns NAME_seconds of timings.csv\n"
                   : "",
               k->laps[i].name, k->laps[i].help);
}

static void print_kind(const struct ens_kind *k)
{
    printf("%s: %s\nresults version %u\n", k->name, k->help,
           k->results_version);
    print_sections(k->settings, k->n_settings);
    print_calls(k);
    for (size_t i = 0; i < k->n_roles; i++)
        print_role(&k->roles[i]);
    print_retained(k);
    print_tables(k);
    print_files(k);
    print_laps(k);
    print_classes();
}

static void print_part(const char *key, const struct ens_impl *m)
{
    print_impl(key, key, m);
    print_classes();
}

/* -- a part of a kind: a section, an implementation, "retain" ------------- */

/* Section NAME, and the calls NAME() that its settings take. */
static int print_section(const struct ens_kind *k, const char *name)
{
    int found = 0;

    for (size_t i = 0; i < k->n_settings; i++) {
        const struct ens_setting *s = &k->settings[i];
        size_t n = strlen(name);
        int is_call = strncmp(s->section, name, n) == 0 &&
                      strcmp(s->section + n, "()") == 0;

        if (!is_call && strcmp(s->section, name) != 0)
            continue;
        if (!found || strcmp(s->section, s[-1].section) != 0)
            print_heading(s->section);
        print_setting(s);
        found = 1;
    }
    return found;
}

static int print_named(const char *key, const char *role,
                       const struct ens_impl *m, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(m[i].name, name) == 0) {
            print_impl(key, role, &m[i]);
            return 1;
        }
    return 0;
}

static int print_part_of(const struct ens_kind *k, const char *name)
{
    int found;

    if (strcmp(name, "retain") == 0) {
        print_retained(k);
        return 1;
    }
    if (strcmp(name, "metrics") == 0 && k->n_calls > 0) {
        print_sections(k->settings, k->n_settings);
        print_calls(k);
        print_classes();
        return 1;
    }
    found = print_section(k, name);
    found |= print_named("metric", "metric", k->calls, k->n_calls, name);
    for (size_t i = 0; i < k->n_roles; i++) {
        const struct ens_role *r = &k->roles[i];

        if (strcmp(r->name, name) == 0) {
            print_role(r);
            found = 1;
        } else {
            found |= print_named(r->impl_key == NULL ? "it" : r->impl_key,
                                 r->name, r->impls, r->n_impls, name);
        }
    }
    if (found)
        print_classes();
    return found;
}

static int show_kind(const struct ens_kind *k, const struct ens_options *o)
{
    struct ens_error err = {0};

    if (o->n_words == 1) {
        print_kind(k);
        return 0;
    }
    if (print_part_of(k, o->word[1]))
        return 0;
    ens_fail(&err, ENS_ENOTFOUND,
             "%s: kind %s has no such section, role, generator, fitter or "
             "metric, and it is not \"retain\"",
             o->word[1], k->name);
    return ens_cli_fail(ENS_ENOTFOUND, &err);
}

static int run(const struct ens_options *o)
{
    static const struct ens_kinds_printer print = {print_kind, print_part};
    const struct ens_kind *k;
    const char *names[64];
    const char *near;
    struct ens_error err = {0};
    size_t n = 0;

    if (o->n_words == 0) {
        print_all();
        return 0;
    }
    for (size_t i = 0; i < ens_kinds.n && n < ENS_COUNT(names); i++)
        names[n++] = ens_kinds.item[i]->name;
    k = ens_kind_find(&ens_kinds, o->word[0]);
    if (k != NULL)
        return show_kind(k, o);
    if (o->n_words == 1 && ens_plugin_is_name(o->word[0], strlen(o->word[0]))) {
        enum ens_status s = ens_kinds_plugin(o->word[0], &print, &err);

        return s == ENS_OK ? 0 : ens_cli_fail(s, &err);
    }
    near = ens_nearest(o->word[0], names, n);
    ens_fail(&err, ENS_ENOTFOUND, "%s: no such kind%s%s%s", o->word[0],
             near == NULL ? "; `ensrun kinds` lists them" : "; did you mean ",
             near == NULL ? "" : near, near == NULL ? "" : "?");
    return ens_cli_fail(ENS_ENOTFOUND, &err);
}

const struct ens_command ens_command_kinds = {
    .name = "kinds",
    .words = "[NAME [PART]|FILE.so[:NAME]]",
    .help = "kinds of studies; the settings of all, of one, or of a part of "
            "it: a section, a generator, a fitter, a metric, `retain`; what a "
            "plugin has",
    .max_words = 2,
    .run = run,
};
