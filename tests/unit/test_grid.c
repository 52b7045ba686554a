/* grid: axes that vary together, from a file or written in the study. The
 * cells are those of the same values written by hand. */
#include "study_fixture.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FREE  "[study]\nkind = free\n"
#define RULER "[study]\nkind = ruler\n"
#define TRIAL "[study]\nkind = trial\n[fit ols]\n"

static char dir[] = "/tmp/ensrun-grid-XXXXXX";
static char file[64];

static void setup(void)
{
    snprintf(dir, sizeof(dir), "/tmp/ensrun-grid-XXXXXX");
    ck_assert(mkdtemp(dir) != NULL);
    snprintf(file, sizeof(file), "%s/d.csv", dir);
}

static void teardown(void)
{
    unlink(file);
    rmdir(dir);
}

static void write_file(const char *text, size_t n)
{
    FILE *f = fopen(file, "w");

    ck_assert(f != NULL);
    ck_assert_uint_eq(fwrite(text, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

static struct ens_study *parse(const char *text, const char *from,
                               struct ens_buf *errors)
{
    struct ens_study *st = NULL;

    ens_study_parse(&st, "s.ini", text, strlen(text), from, NULL, 0, &fix_all,
                    errors, NULL);
    return st;
}

static struct ens_study *must(const char *text, const char *from)
{
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_study *st = parse(text, from, &errors);

    if (st == NULL)
        ck_abort_msg("%s\n%s", text, ens_buf_text(&errors));
    ens_buf_fini(&errors);
    return st;
}

static void expect_cells(const struct ens_study *a, const struct ens_study *b)
{
    ck_assert_uint_eq(ens_study_n_cells(a), ens_study_n_cells(b));
    for (uint64_t i = 0; i < ens_study_n_cells(a); i++) {
        struct ens_cell x;
        struct ens_cell y;

        ens_study_cell(a, i, &x);
        ens_study_cell(b, i, &y);
        ck_assert_uint_eq(x.hash[0], y.hash[0]);
        ck_assert_uint_eq(x.hash[1], y.hash[1]);
        ck_assert_uint_eq(x.data_hash[0], y.data_hash[0]);
    }
}

/* A design, what the study says around it, and rows that give the same cells
 * one by one. */
static const struct {
    const char *csv, *study, *same;
} good[] = {
    /* a full cross is the crossed form, in its order */
    {"work_us,fields\n1.5,1\n1.5,2\n3,1\n3,2\n",
     RULER "[ruler]\ngrid = @d.csv\n",
     RULER "[ruler]\nwork_us = 1.5, 3\nfields = 1, 2\n"},
    /* rows in any order, values in any spelling, defaults among them */
    {"fields,wait,size\n3,1m,2k\n1,0,2000\n2,60 s,4 KiB\n",
     RULER "[ruler]\ngrid = @d.csv\n",
     RULER "[ruler a]\nfields = 3\nwait = 60\nsize = 2000\n"
           "[ruler b]\nsize = 2000\n"
           "[ruler c]\nfields = 2\nwait = 60\nsize = 4096\n"},
    /* crossed with axes on both sides; the last varies fastest */
    {"fields;level\n3;5\n4;6\n",
     RULER "[ruler]\nwork_us = 1, 2\ngrid = @d.csv\nwait = 0, 9\n",
     RULER "[ruler a]\nfields = 3\nlevel = 5\nwork_us = 1\nwait = 0, 9\n"
           "[ruler b]\nfields = 4\nlevel = 6\nwork_us = 1\nwait = 0, 9\n"
           "[ruler c]\nfields = 3\nlevel = 5\nwork_us = 2\nwait = 0, 9\n"
           "[ruler d]\nfields = 4\nlevel = 6\nwork_us = 2\nwait = 0, 9\n"},
    /* one combination makes no axis */
    {"fields\n7\n", RULER "[ruler]\ngrid = @ d.csv\nwork_us = 1, 2\n",
     RULER "[ruler]\nfields = 7\nwork_us = 1, 2\n"},
    /* vectors and calls; the defaults' grid for each row, or the row's own */
    {"\xef\xbb\xbfn,slope\r\n10,2 0.5\r\n20,0\r\n",
     TRIAL "[data]\ngrid = \"@d.csv\"\ngenerator = linear\n[data a]\n"
           "[data b]\nsigma = 3\n[data c]\ngrid =\nn = 5\n"
           "[data d]\ngrid = (n), (6), (7)\n",
     TRIAL "[data a]\ngenerator = linear\nn = 10\nslope = 2 0.5\n"
           "[data a2]\ngenerator = linear\nn = 20\n"
           "[data b]\ngenerator = linear\nn = 10\nslope = 2 0.5\nsigma = 3\n"
           "[data b2]\ngenerator = linear\nn = 20\nsigma = 3\n"
           "[data c]\ngenerator = linear\nn = 5\n"
           "[data d]\ngenerator = linear\nn = 6, 7\n"},
    {"family,prior,formula\nbinomial,\"normal(0, 2.5)\",\"y ~ a + b\"\n"
     "gaussian,flat,y ~ a\n",
     "[study]\nkind = trial\n[data linear]\nn = 5\n[fit glm]\ngrid = @d.csv\n",
     "[study]\nkind = trial\n[data linear]\nn = 5\n"
     "[fit a]\nfitter = glm\nfamily = binomial\nprior = normal(0, 2.5)\n"
     "formula = y ~ a + b\n[fit b]\nfitter = glm\nformula = y ~ a\n"},
    /* of an open section: the form is the type */
    {"a,b,c\n1,x,0.5\n2,\"y, \"\"z\"\"\",1e2\n\n3,4,7\n",
     FREE "[axes]\nd = 1, 2\ngrid = @d.csv\n",
     FREE "[axes]\nd = 1, 2\ngrid = (a, b, c), (1, x, 0.5),\n"
          "  (2, \"y, \\\"z\\\"\", 100), (3, \"4\", 7)\n"},
};

START_TEST(cells_are_those_written_by_hand)
{
    struct ens_study *st;
    struct ens_study *same;
    struct ens_study *again;
    struct ens_buf text = ENS_BUF_INIT;

    write_file(good[_i].csv, strlen(good[_i].csv));
    st = must(good[_i].study, dir);
    same = must(good[_i].same, dir);
    expect_cells(st, same);
    /* the resolved study holds the design: elsewhere, without the file */
    unlink(file);
    ens_study_write(st, &text);
    again = must(ens_buf_text(&text), "/elsewhere");
    expect_cells(st, again);
    ck_assert_uint_eq(ens_study_n_axis_columns(st),
                      ens_study_n_axis_columns(again));
    ens_study_free(st);
    ens_study_free(same);
    ens_study_free(again);
    ens_buf_fini(&text);
}
END_TEST

START_TEST(columns_are_axes)
{
    struct ens_study *st =
        must(RULER "[ruler]\ngrid = (fields, level, work_us),\n"
                   "  (5, 2, 1), (6, 2, 1), (5, 2, 3)\nwait = 0, 1\n",
             "/base");
    struct ens_cell cell;

    ck_assert_uint_eq(ens_study_n_cells(st), 6);
    ck_assert_uint_eq(ens_study_n_axis_columns(st), 3); /* level is none */
    ck_assert_str_eq(ens_study_axis_column(st, 0)->name, "ruler_fields");
    ck_assert_str_eq(ens_study_axis_column(st, 1)->name, "ruler_work_us");
    ens_study_cell(st, 3, &cell);
    ck_assert_str_eq(ens_cell_axis_text(&cell, 0), "6");
    ck_assert_str_eq(ens_cell_axis_text(&cell, 1), "1");
    ck_assert_str_eq(ens_cell_axis_text(&cell, 2), "1");
    ck_assert_int_eq(ens_cell_value(&cell, "ruler", "level")->i, 2);
    ck_assert_double_eq(ens_cell_value(&cell, "ruler", "work_us")->d, 1);
    ens_study_free(st);
}
END_TEST

#define AT "s.ini:4: [ruler] grid: "

static const struct {
    const char *csv, *study, *errors;
} bad[] = {
    {"fields,work_us\n1,2\n2,x\n-1,3\n", RULER "[ruler]\ngrid = @d.csv\n",
     AT "d.csv:3: work_us: \"x\" is not a number\n" AT
        "d.csv:4: fields: -1 is below 0\n"},
    {"feilds\n1\n", RULER "[ruler]\ngrid = @d.csv\n",
     AT "d.csv:1: feilds: is no key of the section; did you mean fields?\n"},
    {"fields,\n1,2\n", RULER "[ruler]\ngrid = @d.csv\n",
     AT "d.csv:1: fields: column 2 has no name\n"},
    {"fields,fields\n1,2\n", RULER "[ruler]\ngrid = @d.csv\n",
     AT "d.csv:1: fields: is there twice\n"},
    {"labels\na\nb\n", RULER "[ruler]\ngrid = @d.csv\n",
     AT "d.csv:1: labels: takes one value for all cells of the section; "
        "allowed: work_us, fields, level, wait, size, line\n"},
    {"fields\n1\n", RULER "[ruler]\ngrid = @d.csv\nfields = 2\n",
     "s.ini:5: [ruler] fields: given twice, also as a column of grid on line "
     "4\n"},
    {"", RULER "[ruler]\ngrid = @d.csv\n",
     AT "d.csv: is empty; expected a header of keys and then a line per "
        "combination\n"},
    {"fields\n", RULER "[ruler]\ngrid = @d.csv\n",
     AT "d.csv: has a header and no combinations\n"},
    {"fields,level\n1,2\n3\n", RULER "[ruler]\ngrid = @d.csv\n",
     AT "d.csv: line 3: 1 fields, the header has 2\n"},
    {"fields,level\n1,2\n\n1,3\n1,2\n", RULER "[ruler]\ngrid = @d.csv\n",
     AT "d.csv:5: the same combination as line 2\n"},
    {"fields,level\n1,2\n,3\n", RULER "[ruler]\ngrid = @d.csv\n",
     AT "d.csv:3: fields: no value\n"},
    {"fields\n1:3\n", RULER "[ruler]\ngrid = @d.csv\n",
     AT "d.csv:2: fields: \"1:3\" is not an integer\n"},
    {"fields\n\"1\n", RULER "[ruler]\ngrid = @d.csv\n",
     AT "d.csv: line 2: a quote that is not closed\n"},
    {"fields,level\n1,\"2\n3\"\n", RULER "[ruler]\ngrid = @d.csv\n",
     AT "d.csv: line 2: field 2: a control character, or not UTF-8\n"},
    {"fields,level\n1,\xff\n", RULER "[ruler]\ngrid = @d.csv\n",
     AT "d.csv: line 2: field 2: a control character, or not UTF-8\n"},
    {"x", RULER "[ruler]\ngrid = @.\n", AT ".: "},
    {"x", RULER "[ruler]\ngrid = @\n", AT "no file is named behind the @\n"},
    {"x", RULER "[ruler]\ngrid = d.csv\n",
     AT "\"d.csv\": expected @FILE, or (KEY, ...), (VALUE, ...), ..., or "
        "random(N, KEY = DIST(...), ...)\n"},
    {"x", RULER "[ruler]\ngrid = (fields), (1, 2)\n",
     AT "combination 1: 2 fields, the header has 1\n"},
    {"x", RULER "[ruler]\ngrid = (fields), (1), (-2), (1)\n",
     AT "combination 2: fields: -2 is below 0\n"},
    {"x", RULER "[ruler]\ngrid = (fields), (1), (2), (1)\n",
     AT "combination 3: the same combination as number 1\n"},
    {"x", RULER "[ruler]\ngrid = random(3)\n",
     AT "random: no key is drawn; expected random(N, KEY = DIST(...), ...)\n"},
    {"x", RULER "[ruler]\ngrid = random()\n",
     AT "random: \"\" is no number of combinations; expected random(N, KEY = "
        "DIST(...), ...), N from 1 to 1000000\n"},
    {"x", RULER "[ruler]\ngrid = random(0, fields = randint(1, 2))\n",
     AT "random: \"0\" is no number of combinations; expected random(N, KEY = "
        "DIST(...), ...), N from 1 to 1000000\n"},
    {"x", RULER "[ruler]\ngrid = random(2, fields = randint(5, 2))\n",
     AT "random: fields = randint(5, 2): the first bound is not below the "
        "second\n"},
    {"x", RULER "[ruler]\ngrid = random(2, work_us = uniform(1, inf))\n",
     AT "random: work_us = uniform(1, inf): its bounds are finite numbers\n"},
    {"x", RULER "[ruler]\ngrid = random(2, work_us = uniform(1))\n",
     AT "random: work_us = uniform(1): takes two bounds\n"},
    {"x", RULER "[ruler]\ngrid = random(2, work_us = loguniform(0, 1))\n",
     AT "random: work_us = loguniform(0, 1): its bounds are above 0\n"},
    {"x", RULER "[ruler]\ngrid = random(2, fields = randint(0.5, 2))\n",
     AT "random: fields = randint(0.5, 2): its bounds, both included, are "
        "integers within 2^52\n"},
    {"x", RULER "[ruler]\ngrid = random(2, fields = unifrom(1, 2))\n",
     AT "random: fields = unifrom(1, 2): did you mean uniform?\n"},
    {"x", RULER "[ruler]\ngrid = random(2, fields = 3)\n",
     AT "random: fields = 3: expected one of uniform(a, b), loguniform(a, b), "
        "randint(a, b), choice(x, y, ...)\n"},
    {"x", RULER "[ruler]\ngrid = random(2, randint(1, 2))\n",
     AT "random: \"randint(1, 2)\": expected KEY = one of uniform(a, b), "
        "loguniform(a, b), randint(a, b), choice(x, y, ...)\n"},
    {"x", RULER "[ruler]\ngrid = random(2, fields = choice(1,,2))\n",
     AT "random: fields = choice(1,,2): nothing between two commas\n"},
    {"x", RULER "[ruler]\ngrid = random(2, fields = randint(1, 2)\n",
     AT "quotes or brackets do not match\n"},
    {"x",
     RULER "[ruler]\ngrid = random(7, fields = randint(1, 3), level = "
           "choice(1, 2))\n",
     AT "random: 7 combinations are asked for, there are only 6 different "
        "ones\n"},
    {"x", RULER "[ruler]\ngrid = random(9, fields = uniform(1, 5))\n",
     AT "combination 1: fields: \"4.660543\" is not an integer; randint(a, b) "
        "draws integers\n"},
    {"x", RULER "[ruler]\ngrid = random(3, fields = randint(-9, -2))\n",
     AT "combination 1: fields: -2 is below 0\n"},
    {"x", RULER "[ruler]\ngrid = random(2, feilds = randint(1, 5))\n",
     AT "feilds: is no key of the section; did you mean fields?\n"},
    {"x",
     RULER "[ruler]\ngrid = random(2, level = randint(1, 5), level = "
           "randint(1, 5))\n",
     AT "level: is there twice\n"},
    {"1a,b\n1,2\n", FREE "[axes]\ngrid = @d.csv\n",
     "s.ini:4: [axes] grid: d.csv:1: 1a: a key is made of letters, digits and "
     "_, a digit not first\n"},
    {"n,generator\n1,linear\n", TRIAL "[data linear]\ngrid = @d.csv\n",
     "s.ini:5: [data linear] grid: d.csv:1: generator: is no key of the "
     "section; allowed: n, slope, sigma\n"},
    /* a broken design is told once, whatever it leaves missing */
    {"",
     TRIAL "[data]\ngrid = @d.csv\n[data linear]\n[data b]\n"
           "generator = linear\n",
     "s.ini:5: [data] grid: d.csv: is empty; expected a header of keys and "
     "then a line per combination\n"},
};

START_TEST(errors_name_file_line_column)
{
    struct ens_buf errors = ENS_BUF_INIT;
    const char *said;

    write_file(bad[_i].csv, strlen(bad[_i].csv));
    ck_assert(parse(bad[_i].study, dir, &errors) == NULL);
    said = ens_buf_text(&errors);
    if (strcmp(bad[_i].errors, AT ".: ") == 0)
        ck_assert_msg(strstr(said, "is not a file") != NULL, "%s", said);
    else
        ck_assert_str_eq(said, bad[_i].errors);
    ens_buf_fini(&errors);
}
END_TEST

START_TEST(many_errors_are_cut)
{
    struct ens_buf csv = ENS_BUF_INIT;
    struct ens_buf errors = ENS_BUF_INIT;
    size_t lines = 0;

    ens_buf_puts(&csv, "fields\n");
    for (int i = 0; i < 100000; i++)
        ens_buf_puts(&csv, "x\n");
    write_file((const char *)csv.data, csv.len);
    ck_assert(parse(RULER "[ruler]\ngrid = @d.csv\n", dir, &errors) == NULL);
    for (const char *p = ens_buf_text(&errors); *p != '\0'; p++)
        lines += *p == '\n';
    ck_assert_uint_ge(lines, 5);
    ck_assert_uint_le(lines, 30);
    ens_buf_fini(&csv);
    ens_buf_fini(&errors);
}
END_TEST

START_TEST(a_large_design_is_read)
{
    struct ens_buf csv = ENS_BUF_INIT;
    struct ens_study *st;

    ens_buf_puts(&csv, "fields,level\n");
    for (int i = 0; i < 100000; i++)
        ens_buf_printf(&csv, "%d,%d\n", i % 317, i);
    write_file((const char *)csv.data, csv.len);
    st = must(RULER "[ruler]\ngrid = @d.csv\n", dir);
    ck_assert_uint_eq(ens_study_n_cells(st), 100000);
    ck_assert_int_eq(ens_study_check_cells(st, NULL), ENS_OK);
    ens_study_free(st);
    ens_buf_fini(&csv);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("grid");
    TCase *t = tcase_create("grid");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, cells_are_those_written_by_hand, 0,
                        (int)(sizeof(good) / sizeof(good[0])));
    tcase_add_test(t, columns_are_axes);
    tcase_add_loop_test(t, errors_name_file_line_column, 0,
                        (int)(sizeof(bad) / sizeof(bad[0])));
    tcase_add_test(t, many_errors_are_cut);
    tcase_add_test(t, a_large_design_is_read);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed > 0;
}
