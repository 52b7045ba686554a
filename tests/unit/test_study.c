/* Study files: what they mean, resolved and written back. */
#include "study_parse.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* -- what is there --------------------------------------------------------- */

START_TEST(defaults_follow_the_file)
{
    struct ens_study *st = must(RULER, NULL);

    ck_assert_str_eq(ens_study_kind(st), "ruler");
    ck_assert_str_eq(ens_study_name(st), "s");
    ck_assert_str_eq(ens_study_path(st), "s.ini");
    ck_assert_str_eq(ens_study_dir(st), "/base");
    ck_assert_str_eq(ens_study_results(st), "/base/results/s");
    ck_assert_uint_eq(ens_study_seed(st), 1);
    ck_assert_uint_eq(ens_study_replicates(st), 1);
    ck_assert_uint_eq(ens_study_n_inputs(st), 0);
    ck_assert_uint_eq(ens_study_n_cells(st), 1); /* no section: one row */
    ens_study_free(st);
}
END_TEST

/* section.key of [run] and its default as canonical text */
static const char *const run_keys[][2] = {
    {"workers", "auto"},     {"cores", "1"},
    {"retain", "standard"},  {"commit_every", "10000"},
    {"commit_seconds", "5"}, {"keep_checkpoints", "2"},
    {"attempts", "3"},       {"attempts_timeout", "1"},
    {"timeout", "0"},        {"memory_limit", "0"},
    {"max_errors", "0"},     {"grace", "60"},
    {"disk_wait", "60"},     {"table_rows", "10000000"},
    {"stage_inputs", "no"},  {"exact", "no"},
    {"lock_wait", "60"},     {"dead_man", "60"},
    {"heartbeat", "5"},
};

START_TEST(run_has_every_key)
{
    struct ens_study *st = must(RULER, NULL);
    const struct ens_value *v = ens_study_value(st, "run", run_keys[_i][0]);

    ck_assert_ptr_nonnull(v);
    ck_assert_str_eq(v->text, run_keys[_i][1]);
    ens_study_free(st);
}
END_TEST

START_TEST(aliases_are_the_same_key)
{
    static const char *const name[] = {"checkpoint_every", "chunk_size",
                                       "max_in_memory"};
    const char *set[2] = {"run.chunk_size=9", NULL};
    char text[128];
    struct ens_study *st;

    snprintf(text, sizeof(text), RULER "[run]\n%s = 77\nworkers = 4\n",
             name[_i]);
    st = must(text, NULL);
    ck_assert_int_eq(ens_study_value(st, "run", "commit_every")->i, 77);
    ck_assert_str_eq(ens_study_value(st, "run", "workers")->text, "4");
    ck_assert_int_eq(ens_study_value(st, "run", "workers")->i, 4);
    ens_study_free(st);
    st = must(text, set);
    ck_assert_int_eq(ens_study_value(st, "run", "commit_every")->i, 9);
    ens_study_free(st);
}
END_TEST

START_TEST(inputs_are_in_file_order)
{
    struct ens_study *st = must(
        RULER "[input B]\npath = b.csv\ncolumns = x, y\nshape = 3, 4\n"
              "[inputs]\nA = d/a.npy\nC = A[x, -y]\n[input Z]\npath = /z\n",
        NULL);
    static const char *const want[][2] = {{"B", "/base/b.csv"},
                                          {"A", "/base/d/a.npy"},
                                          {"C", "A[x, -y]"},
                                          {"Z", "/z"}};

    ck_assert_uint_eq(ens_study_n_inputs(st), 4);
    for (size_t i = 0; i < 4; i++) {
        ck_assert_str_eq(ens_study_input_name(st, i), want[i][0]);
        ck_assert_str_eq(ens_study_input_value(st, i, "path")->text,
                         want[i][1]);
    }
    ck_assert_uint_eq(ens_study_input_value(st, 0, "columns")->n_list, 2);
    ck_assert_int_eq(ens_study_input_value(st, 0, "shape")->list[1].i, 4);
    ck_assert_int_eq(ens_study_input_value(st, 0, "dtype")->set, 0);
    ck_assert_str_eq(ens_study_input_value(st, 1, "missing")->text, "NA");
    ck_assert_ptr_null(ens_study_input_value(st, 0, "nope"));
    ens_study_free(st);
}
END_TEST

START_TEST(set_overrides_and_adds)
{
    const char *set[] = {"study.seed=18446744073709551615",
                         "inputs.X=new.npy",
                         "data a.b.n=7",
                         "data.sigma=3",
                         "run.timeout= 2 m",
                         "study.seed=5",
                         NULL};
    struct ens_study *st = must(TRIAL "[inputs]\nX = old.npy\n" FIT
                                      "[data a]\ngenerator = linear\nn = 1\n"
                                      "[data a.b]\ngenerator = linear\nn = 2\n",
                                set);
    struct ens_cell cell;
    char where[64];

    ck_assert_uint_eq(ens_study_seed(st), 5);
    ck_assert_str_eq(ens_study_input_value(st, 0, "path")->text,
                     "/base/new.npy");
    ck_assert_uint_eq(ens_study_n_inputs(st), 1);
    ens_study_cell(st, 0, &cell);
    ck_assert_int_eq(ens_cell_value(&cell, "data", "n")->i, 1);
    ck_assert_str_eq(ens_cell_value(&cell, "data", "sigma")->text, "3");
    ens_study_cell(st, 1, &cell); /* the longest section name won */
    ck_assert_int_eq(ens_cell_value(&cell, "data", "n")->i, 7);
    ck_assert(ens_study_value(st, "run", "timeout")->d == 120);
    ens_study_where(st, "study", "seed", where, sizeof(where));
    ck_assert_str_eq(where, "--set study.seed=5");
    ens_study_where(st, "data a", "n", where, sizeof(where));
    ck_assert_str_eq(where, "s.ini:9");
    ens_study_where(st, "input X", "path", where, sizeof(where));
    ck_assert_str_eq(where, "--set inputs.X=new.npy");
    ens_study_where(st, "run", "grace", where, sizeof(where));
    ck_assert_str_eq(where, "default");
    ens_study_free(st);
}
END_TEST

/* Of an open role: what is written -> type, values, text of the last one. */
static const struct {
    const char *line;
    enum ens_type type;
    uint64_t n;
    const char *last;
} forms[] = {
    {"x = 1, 2, 3", ENS_T_INT, 3, "3"},
    {"x = 10:50:10", ENS_T_INT, 5, "50"},
    {"x = -4", ENS_T_INT, 1, "-4"},
    {"x = 0.5, 1, 1e3", ENS_T_NUM, 3, "1000"},
    {"x = linspace(0, 1, 5)", ENS_T_NUM, 5, "1"},
    {"x = 1, b", ENS_T_TEXT, 2, "b"},
    {"x = \"10\"", ENS_T_TEXT, 1, "10"},
    {"x = \"a, b\", c", ENS_T_TEXT, 2, "c"},
    {"x = 2024-01-31", ENS_T_TEXT, 1, "2024-01-31"},
    {"x = 100000000000000000001", ENS_T_TEXT, 1, "100000000000000000001"},
    {"x = nan", ENS_T_TEXT, 1, "nan"},
};

START_TEST(open_keys_are_typed_by_form)
{
    char text[256];
    struct ens_study *st;
    struct ens_cell cell;
    enum ens_type type;

    snprintf(text, sizeof(text), FREE "[axes]\n%s\n", forms[_i].line);
    st = must(text, NULL);
    ck_assert_uint_eq(ens_study_n_cells(st), forms[_i].n);
    ens_study_cell(st, forms[_i].n - 1, &cell);
    ck_assert_str_eq(ens_cell_key(&cell, "axes", 0, &type), "x");
    ck_assert_int_eq(type, forms[_i].type);
    ck_assert_str_eq(ens_cell_value(&cell, "axes", "x")->text, forms[_i].last);
    ck_assert_ptr_null(ens_cell_key(&cell, "axes", 1, NULL));
    ens_study_free(st);
}
END_TEST

START_TEST(open_keys_decide_the_cell)
{
    static const char *const set[] = {"axes.b=7", NULL};
    struct ens_study *st = must(FREE "[axes]\nz = 2\na = u, v\n", set);
    struct ens_buf text = ENS_BUF_INIT;
    struct ens_cell cell;

    ck_assert_uint_eq(ens_study_n_cells(st), 2);
    ck_assert_uint_eq(ens_study_n_axis_columns(st), 1);
    ck_assert_str_eq(ens_study_axis_column(st, 0)->name, "axes_a");
    ens_study_cell(st, 1, &cell);
    ens_cell_canonical(&cell, 0, &text);
    ck_assert_str_eq(ens_buf_text(&text), "axes.a=v\naxes.b=7\naxes.z=2\n");
    ck_assert_str_eq(ens_cell_key(&cell, "axes", 0, NULL), "z");
    ck_assert_ptr_null(ens_cell_key(&cell, "other", 0, NULL));
    ens_buf_fini(&text);
    ens_study_free(st);
}
END_TEST

START_TEST(rows_of_an_open_role_have_their_own_keys)
{
    struct ens_study *st =
        must(FREE "[axes]\nn = 5\n[axes a]\nx = 1:3\n[axes b]\nn = 6\n", NULL);
    struct ens_cell cell;

    ck_assert_uint_eq(ens_study_n_cells(st), 4);
    ens_study_cell(st, 2, &cell);
    ck_assert_str_eq(ens_cell_value(&cell, "axes", "n")->text, "5");
    ck_assert_str_eq(ens_cell_value(&cell, "axes", "x")->text, "3");
    ens_study_cell(st, 3, &cell);
    ck_assert_str_eq(ens_cell_value(&cell, "axes", "n")->text, "6");
    ck_assert_ptr_null(ens_cell_value(&cell, "axes", "x"));
    ens_study_free(st);
}
END_TEST

/* Beside its own settings; its role is of the data, and so are they. */
START_TEST(rows_of_an_open_implementation_have_their_own_keys)
{
    struct ens_study *st =
        must(TRIAL "[data]\nn = 5\n[data a]\ngenerator = program\n"
                   "run = ./p  \"x\" ; y\nrho = 0, 0.5\n[data b]\n"
                   "generator = linear\n" FIT,
             NULL);
    struct ens_buf text = ENS_BUF_INIT;
    enum ens_type type;
    struct ens_cell cell;

    ck_assert_uint_eq(ens_study_n_cells(st), 3);
    ens_study_cell(st, 1, &cell);
    ens_cell_canonical(&cell, 1, &text);
    ck_assert_str_eq(ens_buf_text(&text),
                     "data.generator=program\ndata.n=5\ndata.rho=0.5\n"
                     "data.run=./p  \"x\" ; y\n");
    ck_assert_str_eq(ens_cell_key(&cell, "data", 2, &type), "rho");
    ck_assert_int_eq(type, ENS_T_NUM);
    ens_study_cell(st, 2, &cell);
    ck_assert_ptr_null(ens_cell_value(&cell, "data", "rho"));
    ens_buf_fini(&text);
    ens_study_free(st);
}
END_TEST

/* Keys of "prior.*" are settings, axes too; literal ones come first. */
START_TEST(keys_complete_a_pattern)
{
    struct ens_study *st =
        must(TRIAL DATA "[fit]\nprior.x1:x2 = flat, normal(sd=2)\n"
                        "[fit a]\nfitter = glm\nprior.b = cauchy\n[fit b]\n"
                        "fitter = glm\ngrid = (prior.x1), (flat), (cauchy)\n"
                        "[fit c]\nfitter = ols\n",
             NULL);
    struct ens_buf text = ENS_BUF_INIT;
    struct ens_cell cell;

    ck_assert_uint_eq(ens_study_n_cells(st), 2 + 4 + 1);
    ens_study_cell(st, 1, &cell);
    ens_cell_canonical(&cell, 0, &text);
    ck_assert_str_eq(ens_buf_text(&text),
                     "data.generator=linear\ndata.n=5\nfit.fitter=glm\n"
                     "fit.prior.b=cauchy\nfit.prior.x1:x2=normal(sd=2)\n");
    ck_assert_ptr_null(ens_cell_value(&cell, "fit", "prior.x1"));
    ck_assert_ptr_null(ens_cell_value(&cell, "fit", "prior.*"));
    ens_study_cell(st, 5, &cell);
    ck_assert_str_eq(ens_cell_value(&cell, "fit", "prior.x1")->text, "cauchy");
    ens_study_cell(st, 6, &cell);
    ck_assert_ptr_null(ens_cell_value(&cell, "fit", "prior.x1:x2"));
    ens_buf_fini(&text);
    ens_study_free(st);
}
END_TEST

/* Golden: a change of it makes old results unusable. */
START_TEST(equal_lines_are_cells_of_their_own)
{
    struct ens_study *st =
        must(RULER "[ruler]\nline = @\"a b\" \"c\" \"a b\"\n", NULL);
    struct ens_buf text = ENS_BUF_INIT;
    struct ens_cell cell;

    for (uint64_t i = 0; i < ens_study_n_cells(st); i++) {
        ens_study_cell(st, i, &cell);
        ens_cell_canonical(&cell, 0, &text);
        ck_assert_str_eq(ens_cell_value(&cell, "ruler", "line")->text,
                         i == 1 ? "c" : "a b");
    }
    ck_assert_str_eq(ens_buf_text(&text), "ruler.line=a b\nruler.line=c\n"
                                          "ruler.line=a b\x1f"
                                          "1\n");
    ens_buf_fini(&text);
    ens_study_free(st);
}
END_TEST

START_TEST(set_may_choose_the_kind)
{
    const char *set[] = {"study.kind=ruler", "ruler.fields=3", NULL};
    struct ens_study *st = must("[run]\nexact = yes\n", set);

    ck_assert_str_eq(ens_study_kind(st), "ruler");
    ens_study_free(st);
}
END_TEST

START_TEST(verbatim_needs_the_kind_first)
{
    /* [study] comes last; the quote and comma do not swallow a line. */
    struct ens_study *st = must("[order]\nrun = sort \"a ; b # c,\n"
                                "after = 3 ; c\n[study]\nkind = order\n",
                                NULL);
    struct ens_buf b = ENS_BUF_INIT;

    ck_assert_str_eq(ens_study_value(st, "order", "run")->text,
                     "sort \"a ; b # c,");
    ck_assert_int_eq(ens_study_value(st, "order", "after")->i, 3);
    ens_study_write(st, &b);
    ck_assert_ptr_nonnull(
        strstr(ens_buf_text(&b), "\nrun = sort \"a ; b # c,\nafter = 3\n"));
    ens_buf_fini(&b);
    ens_study_free(st);
}
END_TEST

START_TEST(calls_of_a_list_are_checked)
{
    struct ens_study *st = must(
        TRIAL DATA FIT "[metrics]\nuse = rmse, coverage(level=0.9)\n", NULL);
    const struct ens_value *v = ens_study_value(st, "metrics", "use");

    ck_assert_uint_eq(v->n_list, 2);
    ck_assert_str_eq(v->list[1].call.name, "coverage");
    ck_assert_str_eq(v->list[1].call.arg[0].text, "0.9");
    ck_assert_str_eq(v->text, "rmse, coverage(level=0.9)");
    ens_study_free(st);
}
END_TEST

/* -- fingerprint ------------------------------------------------------------
 */

static void fingerprint(const char *text, char *to, size_t cap, uint64_t *run)
{
    struct ens_study *st = must(text, NULL);
    struct ens_buf b = ENS_BUF_INIT;

    ens_study_fingerprint(st, &b);
    snprintf(to, cap, "%s", ens_buf_text(&b));
    *run = ens_study_run_settings_hash(st);
    ens_buf_fini(&b);
    ens_study_free(st);
}

START_TEST(fingerprint_has_what_needs_a_restart)
{
    char a[512], b[512];
    uint64_t ha, hb;

    fingerprint(TRIAL "seed = 9\n[input X]\npath = p\nrows = 1:5\n" DATA FIT
                      "engine = slow\n[metrics]\nheld_out = yes\n",
                a, sizeof(a), &ha);
    ck_assert_str_eq(a, "fit.engine=slow\n"
                        "input X.rows=1:5\n"
                        "metrics.held_out=yes\n"
                        "study.kind=trial\n"
                        "study.results_version=3\n"
                        "study.seed=9\n");
    /* Free: cadence, replicates, paths, cells, explicit defaults. */
    fingerprint(TRIAL "seed = 9\nreplicates = 7\nname = z\n[run]\nretain = "
                      "debug\n[input X]\npath = q\nrows = 1:5\n" DATA
                      "sigma = 4\n" FIT
                      "engine = slow\n[metrics]\nheld_out = yes\nuse = bias, "
                      "coverage(0.95)\n",
                b, sizeof(b), &hb);
    ck_assert_str_eq(a, b);
    ck_assert_uint_eq(ha, hb);
    fingerprint(TRIAL "seed = 9\n" DATA FIT "[metrics]\nuse = rmse\n", b,
                sizeof(b), &hb);
    ck_assert_uint_ne(ha, hb); /* of the kind's own run settings */
}
END_TEST

/* -- resolved file -----------------------------------------------------------
 */

static const char *const whole[] = {
    RULER,
    RULER "[ruler]\nlevel = 3:1:-1\nwork_us = 0:1:0.25\nlabels = a, \"b, c\", "
          "\" d\"\nfile = x ; y\nwait = 1m, 2h\nsize = 1 KiB\n",
    RULER "[inputs]\nX = x.npy\nY = X[a]\n[ruler b]\nfields = 1, 2\ninput = "
          "X\n[ruler a]\nwork_us = 3, 4\n[ruler]\nlevel = 7, 8\nfile = /q\n",
    TRIAL "seed = 18446744073709551615\nresults = out/here\nname = \"a; b\"\n"
          "[data]\nsigma = 1, 2\nn = 8\n[data linear]\nslope = 1 2, 0\nn = 5, "
          "6\n[data d]\ngenerator = linear\n[fit ols]\nformula = y ~ a, \"y ~ "
          "b, c\"\n[fit glm]\nprior = normal(0, 2), flat, "
          "cauchy(1)\nfamily = binomial, gaussian\n[metrics]\nuse = rmse\n",
    "[study]\nkind = order\n[order]\nrun = a \"b ; # c,\n",
    FREE "[axes]\nz = 1:3\na = \"10\", \"2:3\", b\nc = \"5\"\nd = \"inf\"\n"
         "e = \"linspace(0, 1, 2)\"\nf = 0.5, 1e300\n",
};

static void assert_same(const struct ens_study *a, const struct ens_study *b)
{
    struct ens_buf x = ENS_BUF_INIT;
    struct ens_buf y = ENS_BUF_INIT;

    ck_assert_uint_eq(ens_study_n_cells(a), ens_study_n_cells(b));
    ck_assert_uint_eq(ens_study_cells_hash(a), ens_study_cells_hash(b));
    ck_assert_uint_eq(ens_study_run_settings_hash(a),
                      ens_study_run_settings_hash(b));
    ck_assert_uint_eq(ens_study_n_axis_columns(a), ens_study_n_axis_columns(b));
    for (size_t i = 0; i < ens_study_n_axis_columns(a); i++) {
        const struct ens_axis_column *p = ens_study_axis_column(a, i);
        const struct ens_axis_column *q = ens_study_axis_column(b, i);

        ck_assert_str_eq(p->name, q->name);
        if (p->setting != NULL)
            ck_assert_int_eq(p->setting->type, q->setting->type);
    }
    for (uint64_t i = 0; i < ens_study_n_cells(a); i++) {
        struct ens_cell ca, cb;

        ens_study_cell(a, i, &ca);
        ens_study_cell(b, i, &cb);
        ck_assert_uint_eq(ca.hash[1], cb.hash[1]);
        ck_assert_uint_eq(ca.data_hash[0], cb.data_hash[0]);
        for (size_t k = 0; k < ens_study_n_axis_columns(a); k++)
            ck_assert_str_eq(ens_cell_axis_text(&ca, k),
                             ens_cell_axis_text(&cb, k));
    }
    ens_study_fingerprint(a, &x);
    ens_study_fingerprint(b, &y);
    ck_assert_str_eq(ens_buf_text(&x), ens_buf_text(&y));
    ens_buf_clear(&x);
    ens_buf_clear(&y);
    ens_study_write(a, &x);
    ens_study_write(b, &y);
    ck_assert_str_eq(ens_buf_text(&x), ens_buf_text(&y));
    ens_buf_fini(&x);
    ens_buf_fini(&y);
}

START_TEST(resolved_file_is_the_same_study)
{
    struct ens_study *a = must(whole[_i], NULL);
    struct ens_study *b = NULL;
    struct ens_buf text = ENS_BUF_INIT;
    struct ens_buf errors = ENS_BUF_INIT;

    ens_study_write(a, &text);
    if (ens_study_parse(&b, "other/study.ini", text.data, text.len, "/moved",
                        NULL, 0, &fix_all, &errors, NULL) != ENS_OK)
        ck_abort_msg("%s\n%s", ens_buf_text(&errors), ens_buf_text(&text));
    assert_same(a, b);
    ck_assert_str_eq(ens_study_results(a), ens_study_results(b));
    ck_assert_str_eq(ens_study_name(a), ens_study_name(b));
    ck_assert_uint_eq(ens_study_seed(a), ens_study_seed(b));
    ens_study_free(a);
    ens_study_free(b);
    ens_buf_fini(&text);
    ens_buf_fini(&errors);
}
END_TEST

START_TEST(files_are_loaded_from_their_folder)
{
    char dir[] = "/tmp/ensrun-study-XXXXXX";
    char path[64];
    struct ens_study *st = NULL;
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err;
    FILE *f;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/quick.start.ini", dir);
    ck_assert_int_eq(
        ens_study_load(&st, path, NULL, NULL, 0, &fix_all, &errors, &err),
        ENS_EINPUT);
    ck_assert_ptr_nonnull(strstr(ens_buf_text(&errors), path));
    ens_buf_clear(&errors);
    f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(RULER, f);
    fclose(f);
    ck_assert_int_eq(
        ens_study_load(&st, path, NULL, NULL, 0, &fix_all, &errors, &err),
        ENS_OK);
    ck_assert_str_eq(ens_study_dir(st), dir);
    ck_assert_str_eq(ens_study_name(st), "quick.start");
    ens_study_free(st);
    ens_buf_fini(&errors);
    unlink(path);
    rmdir(dir);
}
END_TEST

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
/* An allocator that fails from the n-th call on. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
static long left = -1;

static int spent(void)
{
    return left >= 0 && left-- == 0 ? (left = 0, 1) : 0;
}

void *malloc(size_t n)
{
    return spent() ? NULL : __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    return spent() ? NULL : __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    return spent() ? NULL : __libc_realloc(p, n);
}

START_TEST(no_memory_is_a_status)
{
    enum ens_status s = ENS_ENOMEMORY;
    long n;

    for (n = 0; n < 100000 && s != ENS_OK; n++) {
        struct ens_study *st = NULL;

        left = n;
        s = parse(&st, whole[3], NULL, NULL);
        left = -1;
        if (s != ENS_OK)
            ck_assert_int_eq(s, ENS_ENOMEMORY);
        ens_study_free(st);
    }
    ck_assert_int_eq(s, ENS_OK);
    ck_assert_int_gt(n, 5);
}
END_TEST

#endif

int main(void)
{
    Suite *s = suite_create("study");
    TCase *t = tcase_create("study");
    SRunner *sr = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_test(t, defaults_follow_the_file);
    tcase_add_loop_test(t, run_has_every_key, 0, ROWS(run_keys));
    tcase_add_loop_test(t, aliases_are_the_same_key, 0, 3);
    tcase_add_test(t, inputs_are_in_file_order);
    tcase_add_test(t, set_overrides_and_adds);
    tcase_add_loop_test(t, open_keys_are_typed_by_form, 0, ROWS(forms));
    tcase_add_test(t, open_keys_decide_the_cell);
    tcase_add_test(t, rows_of_an_open_role_have_their_own_keys);
    tcase_add_test(t, rows_of_an_open_implementation_have_their_own_keys);
    tcase_add_test(t, keys_complete_a_pattern);
    tcase_add_test(t, equal_lines_are_cells_of_their_own);
    tcase_add_test(t, set_may_choose_the_kind);
    tcase_add_test(t, verbatim_needs_the_kind_first);
    tcase_add_test(t, calls_of_a_list_are_checked);
    tcase_add_test(t, fingerprint_has_what_needs_a_restart);
    tcase_add_loop_test(t, resolved_file_is_the_same_study, 0, ROWS(whole));
    tcase_add_test(t, files_are_loaded_from_their_folder);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    tcase_add_test(t, no_memory_is_a_status);
#endif
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
