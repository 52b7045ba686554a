/* ensrun compare A B: two results folders, or two tables in CSV, by key with a
 * tolerance. */
#include "base/bug.h"
#include "base/number.h"
#include "cli/command.h"
#include "cli/compare.h"
#include "cli/screen.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct ens_option options[] = {
    {"tolerance", 0, ENS_OPTION_TEXT, 0, "REL[,ABS]",
     "numbers agree when |a - b| <= max(ABS, REL max(|a|, |b|)); default: 0"},
    {"key", 0, ENS_OPTION_TEXT, 0, "A,B",
     "columns that identify a row (default: as in our tables)"},
    {"progress", 0, ENS_OPTION_CHOICE, 0, "bar|lines|none",
     "of what takes more than two seconds, on standard error"},
    {"json", 0, ENS_OPTION_FLAG, 0, NULL, "one JSON object"},
};

static enum ens_status take_tolerance(const char *text, struct ens_compare *c,
                                      struct ens_error *err)
{
    size_t n;

    if (text == NULL)
        return ENS_OK;
    n = strcspn(text, ",");
    if (ens_number_parse(text, n, &c->rel) != 0 || !(c->rel >= 0) ||
        !isfinite(c->rel) ||
        (text[n] == ',' &&
         (ens_number_parse(text + n + 1, strlen(text + n + 1), &c->abs) != 0 ||
          !(c->abs >= 0) || !isfinite(c->abs))))
        return ens_fail(err, ENS_EUSAGE,
                        "--tolerance %s: expected REL or REL,ABS, as 1e-12,0",
                        text);
    return ENS_OK;
}

/* -- what came out
 * -----------------------------------------------------------------
 */

static void print_missing(uint64_t n, struct ens_buf *first, const char *where)
{
    if (n > 0)
        printf("  %llu row%s only in %s, the first: %s\n",
               (unsigned long long)n, n == 1 ? "" : "s", where,
               ens_buf_text(first));
}

static void print_text(struct ens_compare *c, const char *name, const char *a,
                       const char *b)
{
    const struct ens_compare_column *worst = ens_compare_worst(c);

    printf("%s: %llu rows compared by %s, %llu differ\n", name,
           (unsigned long long)c->n_rows, ens_buf_text(&c->key),
           (unsigned long long)c->n_differ);
    print_missing(c->n_only_a, &c->first_a, a);
    print_missing(c->n_only_b, &c->first_b, b);
    if (c->columns_a.len > 0)
        printf("  columns only in %s: %s\n", a, ens_buf_text(&c->columns_a));
    if (c->columns_b.len > 0)
        printf("  columns only in %s: %s\n", b, ens_buf_text(&c->columns_b));
    if (worst == NULL)
        return;
    printf("  %-24s %12s %12s %12s  worst row\n", "column", "differ", "max abs",
           "max rel");
    for (size_t i = 0; i < c->n_columns; i++) {
        struct ens_compare_column *x = &c->column[i];

        if (x->row.len > 0)
            printf("%s %-24s %12llu %12.6g %12.6g  %s: %s\n",
                   x == worst ? "*" : " ", x->name,
                   (unsigned long long)x->n_differ, x->max_abs, x->max_rel,
                   ens_buf_text(&x->row), ens_buf_text(&x->values));
    }
}

static json_t *number(double v)
{
    return isfinite(v) ? json_real(v) : json_string("inf");
}

static json_t *to_json(struct ens_compare *c)
{
    const struct ens_compare_column *worst = ens_compare_worst(c);
    json_t *columns = json_array();
    json_t *o = json_object();

    json_object_set_new(o, "rows", json_integer((json_int_t)c->n_rows));
    json_object_set_new(o, "differ", json_integer((json_int_t)c->n_differ));
    json_object_set_new(o, "only_a", json_integer((json_int_t)c->n_only_a));
    json_object_set_new(o, "only_b", json_integer((json_int_t)c->n_only_b));
    json_object_set_new(o, "key", json_string(ens_buf_text(&c->key)));
    json_object_set_new(o, "columns_only_a",
                        json_string(ens_buf_text(&c->columns_a)));
    json_object_set_new(o, "columns_only_b",
                        json_string(ens_buf_text(&c->columns_b)));
    json_object_set_new(o, "worst",
                        worst == NULL ? json_null() : json_string(worst->name));
    for (size_t i = 0; i < c->n_columns; i++) {
        struct ens_compare_column *x = &c->column[i];
        json_t *column = json_object();

        json_object_set_new(column, "column", json_string(x->name));
        json_object_set_new(column, "differ",
                            json_integer((json_int_t)x->n_differ));
        json_object_set_new(column, "max_abs", number(x->max_abs));
        json_object_set_new(column, "max_rel", number(x->max_rel));
        if (x->row.len > 0) {
            json_object_set_new(column, "row",
                                json_string(ens_buf_text(&x->row)));
            json_object_set_new(column, "values",
                                json_string(ens_buf_text(&x->values)));
        }
        json_array_append_new(columns, column);
    }
    json_object_set_new(o, "columns", columns);
    return o;
}

/* -- what is compared
 * ----------------------------------------------------------------
 */

struct task {
    const struct ens_options *o;
    struct ens_screen screen;
    json_t *json; /* NULL: text */
    int differs;
};

static enum ens_status compare(struct task *t, const char *name, const char *a,
                               const char *b, struct ens_error *err)
{
    struct ens_compare c = {.keys = ens_options_text(t->o, "key"),
                            .arg = &t->screen,
                            .progress = ens_screen_tell};
    enum ens_status s =
        take_tolerance(ens_options_text(t->o, "tolerance"), &c, err);

    if (s == ENS_OK)
        s = ens_compare_files(&c, a, b, err);
    ens_screen_clear(&t->screen);
    if (s == ENS_OK && t->json != NULL)
        json_object_set_new(t->json, name, to_json(&c));
    else if (s == ENS_OK)
        print_text(&c, name, a, b);
    t->differs |= s == ENS_OK && ens_compare_differs(&c);
    ens_compare_fini(&c);
    return s;
}

static int is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static enum ens_status compare_table(struct task *t, const char *name,
                                     struct ens_error *err)
{
    char path[2][4096];

    for (int i = 0; i < 2; i++) {
        int n = snprintf(path[i], sizeof(path[i]), "%s/%s.csv", t->o->word[i],
                         name);

        if (n < 0 || (size_t)n >= sizeof(path[i]))
            return ens_fail(err, ENS_EUSAGE, "%s: path too long",
                            t->o->word[i]);
        if (access(path[i], R_OK) != 0)
            return ens_fail(err, ENS_ENOTFOUND,
                            "%s has no %s.csv: it is not finished, or has more "
                            "than [run] table_rows tasks; `ensrun export` "
                            "writes one",
                            t->o->word[i], name);
    }
    return compare(t, name, path[0], path[1], err);
}

static enum ens_status compare_words(struct task *t, struct ens_error *err)
{
    const char *a = t->o->word[0];
    const char *b = t->o->word[1];
    enum ens_status s;

    if (is_folder(a) != is_folder(b))
        return ens_fail(err, ENS_EUSAGE,
                        "one of %s and %s is a folder, the other is not", a, b);
    if (!is_folder(a))
        return compare(t, "table", a, b, err);
    if (ens_options_has(t->o, "key"))
        return ens_fail(err, ENS_EUSAGE,
                        "--key goes with two files, not with folders");
    s = compare_table(t, "tasks", err);
    return s == ENS_OK ? compare_table(t, "cells", err) : s;
}

static int run(const struct ens_options *o)
{
    struct task t = {.o = o,
                     .json = ens_options_has(o, "json") ? json_object() : NULL};
    struct ens_error err = {0};
    enum ens_status s;

    ens_screen_init(&t.screen, ens_options_text(o, "progress"));
    s = compare_words(&t, &err);
    if (s == ENS_OK && t.json != NULL) {
        json_object_set_new(t.json, "same", json_boolean(!t.differs));
        json_dumpf(t.json, stdout, JSON_INDENT(2));
        printf("\n");
    } else if (s == ENS_OK) {
        printf("%s\n", t.differs ? "they differ" : "they agree");
    }
    json_decref(t.json);
    return s == ENS_OK ? t.differs : ens_cli_fail(s, &err);
}

const struct ens_command ens_command_compare = {
    .name = "compare",
    .words = "A B",
    .help = "two results folders, or two CSV tables, by key",
    .min_words = 2,
    .max_words = 2,
    .options = options,
    .n_options = ENS_COUNT(options),
    .run = run,
    .more =
        "Of folders, tasks.csv (by stage, cell and replicate) and cells.csv\n"
        "(by stage, cell, estimand and measure); labels of tasks are not\n"
        "compared. NaN equals NaN; texts must be equal; missing equals only\n"
        "missing. For each column: how many values differ beyond the\n"
        "tolerance, the largest difference, and its row; the worst of all is\n"
        "marked. Exit status: 0 they agree, 1 they differ, 2 usage.\n"
        "Rows in one order need no memory; else 16 to 48 bytes a row.\n",
};
