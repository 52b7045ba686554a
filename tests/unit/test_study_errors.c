/* Study files with a mistake: the place, and what is allowed. */
#include "study_parse.h"

#include <check.h>
#include <stdlib.h>

static const struct {
    const char *text, *errors;
    const char *set[3];
} bad[] = {
    {"",
     "s.ini: [study] kind: missing (what the tasks do (see ensrun "
     "kinds))\n",
     {NULL}},
    {"[study]\nkind =\n", "s.ini:2: [study] kind: no value\n", {NULL}},
    {"[study]\nkind = rulr\n",
     "s.ini:2: [study] kind: \"rulr\" is unknown; did you mean ruler?\n",
     {NULL}},
    {"[study]\nkind = zzz\n",
     "s.ini:2: [study] kind: \"zzz\" is unknown; allowed: trial, ruler, "
     "order, free\n",
     {NULL}},
    {RULER "sed = 1\n",
     "s.ini:3: [study] sed: unknown key; did you mean seed?\n",
     {NULL}},
    {RULER "Seed = 1\n",
     "s.ini:3: [study] Seed: unknown key; did you mean seed?\n",
     {NULL}},
    {RULER "replicates = 0\nseed = -1\n",
     "s.ini:3: [study] replicates: 0 is below 1\n"
     "s.ini:4: [study] seed: -1 is below 0\n",
     {NULL}},
    {RULER "name = a/b\n",
     "s.ini:3: [study] name: \"a/b\" has a / (a folder is set with "
     "results)\n",
     {NULL}},
    {RULER "[rulers]\n",
     "s.ini:3: [rulers]: unknown section; did you mean ruler?\n",
     {NULL}},
    {RULER "[run x]\n",
     "s.ini:3: [run x]: unknown section; did you mean run?\n",
     {NULL}},
    {RULER "[ruler]\nwork_us = -3\n",
     "s.ini:4: [ruler] work_us: -3 is below 0\n",
     {NULL}},
    {RULER "[ruler]\nwork_us =\n",
     "s.ini:4: [ruler] work_us: no value\n",
     {NULL}},
    {RULER "[ruler]\ngrid = @d.csv\n",
     "s.ini:4: [ruler] grid: d.csv: cannot open /base/d.csv: No such file or "
     "directory\n",
     {NULL}},
    {RULER "[ruler]\ninput = X\n",
     "s.ini:4: [ruler] input: no input \"X\"; the study has none: add it to "
     "[inputs]\n",
     {NULL}},
    {RULER "[inputs]\nX1 = a\n[ruler]\ninput = X\n",
     "s.ini:6: [ruler] input: no input \"X\"; did you mean X1?\n",
     {NULL}},
    {RULER "[inputs]\nX = a\n[input X]\npath = b\n",
     "s.ini:4: [inputs] X: path given twice, also on line 6\n",
     {NULL}},
    {RULER "[inputs]\nX = a\n[input x]\npath = b\n",
     "s.ini:4: [inputs] X: differs only in case from [input x] on line 5\n",
     {NULL}},
    {RULER "[inputs]\nX[a] = b\n",
     "s.ini:4: [input X[a]]: the name of an input has no blanks, quotes or [ "
     "] , =\n",
     {NULL}},
    {RULER "[input X]\ndtype = f8\n",
     "s.ini:3: [input X] path: missing (file, or columns of another input: "
     "NAME[a, b])\n",
     {NULL}},
    {RULER "[run]\nworkers = 0\n",
     "s.ini:4: [run] workers: 0 is below 1; allowed: auto, or 1 to 65535\n",
     {NULL}},
    {RULER "[run]\nchunk_size = 5\ncommit_every = 6\n",
     "s.ini:5: [run] chunk_size: another name of commit_every, given on line "
     "4\n",
     {NULL}},
    {RULER "[run]\nchunk_size = 5\nmax_in_memory = 6\n",
     "s.ini:5: [run] max_in_memory: another name of commit_every, given on "
     "line 4\n",
     {NULL}},
    {TRIAL FIT, "s.ini: [data]: section missing\n", {NULL}},
    {TRIAL FIT "[data]\nn = 1\n",
     "s.ini:5: [data] generator: missing; allowed: linear, bootstrap, "
     "program\n",
     {NULL}},
    {TRIAL FIT "[data liner]\nn = 1\n",
     "s.ini:5: [data liner] generator: missing; did you mean linear?\n",
     {NULL}},
    {TRIAL FIT "[data]\ngenerator = x\n",
     "s.ini:6: [data] generator: \"x\" is unknown; allowed: linear, "
     "bootstrap, program\n",
     {NULL}},
    {TRIAL FIT "[data linear]\nn = 1\ninput = X\n",
     "s.ini:7: [data linear] input: is a setting of generator bootstrap, not "
     "of linear\n",
     {NULL}},
    {TRIAL FIT "[data linear]\nslopes = 1\n",
     "s.ini:5: [data linear] n: missing (help)\n"
     "s.ini:6: [data linear] slopes: unknown key; did you mean slope?\n",
     {NULL}},
    {TRIAL DATA "[fit]\nfamily = binomial\nzeta = 2\n[fit ols]\n",
     "s.ini:7: [fit] family: no row has this setting of fitter glm\n"
     "s.ini:8: [fit] zeta: unknown key; allowed: fitter, formula, note, "
     "engine\n",
     {NULL}},
    {TRIAL DATA "[fit]\nfamily = x\n[fit a]\nfitter = glm\n[fit b]\nfitter = "
                "glm\n",
     "s.ini:7: [fit a] family: \"x\" is unknown; allowed: gaussian, "
     "binomial\n"
     "s.ini:7: [fit b] family: \"x\" is unknown; allowed: gaussian, "
     "binomial\n",
     {NULL}},
    {TRIAL DATA FIT "engine = a, b\nridge = 1, 1\n[metrics]\nuse = rmsee\n",
     "s.ini:9: [fit] ridge: 1 is given twice\n"
     "s.ini:11: [metrics] use: \"rmsee\" is unknown; did you mean rmse?\n",
     {NULL}},
    {RULER "[ruler]\nfields = 0:999999\nlevel = 0:999999\n",
     "s.ini: more than 4294967295 cells\n",
     {NULL}},
    {RULER "[ruler]\n",
     "--set ruler.wrk_us=3: [ruler] wrk_us: unknown key; "
     "did you mean work_us?\n",
     {"ruler.wrk_us=3", NULL}},
    {RULER,
     "--set rulr.a=1: no section of that name; did you mean ruler?\n"
     "--set ruler.work_us=x: [ruler] work_us: \"x\" is not a number\n",
     {"ruler.work_us=x", "rulr.a=1", NULL}},
    {RULER, "--set work_us: expected SECTION.KEY=VALUE\n", {"work_us", NULL}},
    {RULER,
     "--set study.kind=no: [study] kind: \"no\" is unknown; allowed: "
     "trial, ruler, order, free\n",
     {"study.kind=no", NULL}},
    {FREE "[axes]\n1a = 2\nb c = 3\ngrid = @x.csv\nd =\ne = 1, 1\n",
     "s.ini:4: [axes] 1a: a key is made of letters, digits and _, a digit not "
     "first\n"
     "s.ini:5: [axes] b c: a key is made of letters, digits and _, a digit "
     "not first\n"
     "s.ini:6: [axes] grid: x.csv: cannot open /base/x.csv: No such file or "
     "directory\n"
     "s.ini:7: [axes] d: no value\n"
     "s.ini:8: [axes] e: 1 is given twice\n",
     {NULL}},
    {"[study]\nkind = order\n[order]\nrun = a,\\\n",
     "s.ini:4: the value goes on after this line (trailing comma or \\), but "
     "nothing follows\n",
     {NULL}},
};

START_TEST(errors_say_where_and_what_is_allowed)
{
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_study *st = NULL;

    ck_assert_int_eq(parse(&st, bad[_i].text, bad[_i].set, &errors),
                     ENS_ESTUDY);
    ck_assert_ptr_null(st);
    ck_assert_str_eq(ens_buf_text(&errors), bad[_i].errors);
    ens_buf_fini(&errors);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("study_errors");
    TCase *t = tcase_create("study_errors");
    SRunner *sr = srunner_create(s);
    int failed;

    suite_add_tcase(s, t);
    tcase_add_loop_test(t, errors_say_where_and_what_is_allowed, 0, ROWS(bad));
    srunner_run_all(sr, CK_ENV);
    failed = srunner_ntests_failed(sr);
    srunner_free(sr);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
