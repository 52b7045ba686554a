#include "cli/duration.h"
#include "cli/jobscript.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct ens_jobscript plain = {.system = ENS_JOB_SLURM,
                                           .nodes = 1,
                                           .ranks = 1,
                                           .cores = 4,
                                           .workers = 4,
                                           .time_s = 3600,
                                           .margin_s = 180,
                                           .n_tasks = 10,
                                           .command = "ensrun jobscript",
                                           .ensrun = "ensrun",
                                           .study = "study.ini",
                                           .results = "results/study",
                                           .name = "study",
                                           .hosts = "hosts"};

/* -- quoting ------------------------------------------------------------- */

static const char *const words[] = {
    "study.ini",
    "",
    " ",
    "a b",
    "it's",
    "''",
    "\"$HOME\" `id` $(id) \\ ! * ? [a] {b} ~ # & ; | < >",
    "~/x",
    "new\nline\ttab",
    "back\\slash",
    "gr\xc3\xbc\xc3\x9f\x65 \xe2\x82\xac",
    "\xff\xfe",
    "x=y",
    "-n",
};

/* The shell is the reference. */
START_TEST(the_shell_reads_the_same_word)
{
    struct ens_buf script = ENS_BUF_INIT;
    char told[256];
    FILE *f;
    size_t n;

    ens_buf_puts(&script, "printf %s ");
    ens_jobscript_quote(&script, words[_i]);
    f = popen(ens_buf_text(&script), "r");
    ck_assert(f != NULL);
    n = fread(told, 1, sizeof(told) - 1, f);
    told[n] = '\0';
    ck_assert_int_eq(pclose(f), 0);
    ck_assert_str_eq(told, words[_i]);
    ens_buf_fini(&script);
}
END_TEST

START_TEST(plain_words_stay_plain)
{
    struct ens_buf b = ENS_BUF_INIT;

    ens_jobscript_quote(&b, "../a/b-c_1.ini");
    ck_assert_str_eq(ens_buf_text(&b), "../a/b-c_1.ini");
    ens_buf_fini(&b);
}
END_TEST

/* -- scripts ------------------------------------------------------------- */

static void write_script(struct ens_buf *b, const struct ens_jobscript *j)
{
    ens_buf_clear(b);
    ens_jobscript_write(b, j);
    ck_assert(!b->failed);
}

#define HAS(b, text)                                                           \
    ck_assert_msg(strstr(ens_buf_text(b), text) != NULL, "no %s in:\n%s",      \
                  text, ens_buf_text(b))
#define HAS_NOT(b, text)                                                       \
    ck_assert_msg(strstr(ens_buf_text(b), text) == NULL, "%s in:\n%s", text,   \
                  ens_buf_text(b))

static const unsigned systems[] = {ENS_JOB_SLURM, ENS_JOB_PBS, ENS_JOB_LSF,
                                   ENS_JOB_FLUX, ENS_JOB_HOSTS};

/* No {word} is left: Flux's {{id}} is the only one a script has. */
START_TEST(every_value_is_filled_in)
{
    struct ens_jobscript j = plain;
    struct ens_buf b = ENS_BUF_INIT;

    j.system = systems[_i];
    j.account = "proj";
    j.queue = "long";
    for (int k = 0; k < 8; k++) {
        j.ranks = j.nodes = k & 1 ? 2 : 1;
        j.srun = j.system == ENS_JOB_SLURM && (k & 2) != 0;
        j.shards = j.system == ENS_JOB_SLURM && (k & 4) != 0 ? 3 : 0;
        j.stages = j.shards > 0;
        write_script(&b, &j);
        for (const char *p = ens_buf_text(&b); (p = strchr(p, '{')) != NULL;
             p++) {
            size_t n = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz");

            ck_assert_msg(n == 0 || p[n + 1] != '}' ||
                              strncmp(p, "{id}}", 5) == 0,
                          "%.20s is left", p);
        }
    }
    ens_buf_fini(&b);
}
END_TEST

START_TEST(limits_and_warnings)
{
    struct ens_jobscript j = plain;
    struct ens_buf b = ENS_BUF_INIT;

    j.time_s = 100 * 3600 + 30 * 60;
    j.margin_s = 240;
    write_script(&b, &j);
    HAS(&b, "#SBATCH --time=100:30:00\n");
    HAS(&b, "#SBATCH --signal=B:USR1@240\n");
    HAS(&b, "--time-limit 361560s");
    j.system = ENS_JOB_LSF;
    write_script(&b, &j);
    HAS(&b, "#BSUB -W 100:30\n");
    HAS(&b, "#BSUB -wa USR1 -wt 4\n");
    j.system = ENS_JOB_FLUX;
    write_script(&b, &j);
    HAS(&b, "-t 361800s\n");
    HAS(&b, "--signal=USR1@240s\n");
    j.system = ENS_JOB_HOSTS;
    j.time_s = j.margin_s = 0;
    write_script(&b, &j);
    HAS_NOT(&b, "--time-limit");
    ens_buf_fini(&b);
}
END_TEST

START_TEST(ranks_and_cores)
{
    struct ens_jobscript j = plain;
    struct ens_buf b = ENS_BUF_INIT;

    write_script(&b, &j);
    HAS_NOT(&b, "mpirun");
    j.nodes = 2;
    j.ranks = 6;
    write_script(&b, &j);
    HAS(&b, "--nodes=2 --ntasks-per-node=3 --cpus-per-task=4\n");
    HAS(&b, "mpirun -n 6 --map-by ppr:3:node --bind-to none \\\n");
    HAS(&b, "oob_tcp_keepalive_time 20");
    j.cores = 1;
    j.srun = 1;
    write_script(&b, &j);
    HAS(&b, "srun --mpi=pmix --ntasks=6 --cpus-per-task=1 ");
    HAS_NOT(&b, "mpirun");
    j.system = ENS_JOB_PBS;
    j.srun = 0;
    j.cores = 4;
    write_script(&b, &j);
    HAS(&b, "select=2:ncpus=12:mpiprocs=3:ompthreads=1\n");
    j.system = ENS_JOB_LSF;
    write_script(&b, &j);
    HAS(&b, "#BSUB -n 24\n#BSUB -R \"span[ptile=12]\"\n");
    ens_buf_fini(&b);
}
END_TEST

/* Names that would end a directive, a comment or a word. */
START_TEST(hostile_names)
{
    static const char *const set[] = {"study.name=$(touch x)"};
    struct ens_jobscript j = plain;
    struct ens_buf b = ENS_BUF_INIT;

    j.command = "ensrun jobscript 'a\nrm -r b'";
    j.name = "4 things\n#SBATCH --exclusive";
    j.study = "-my study.ini";
    j.results = "re'sults";
    j.set = set;
    j.n_set = 1;
    j.shards = 2;
    write_script(&b, &j);
    HAS(&b, "# Printed by: ensrun jobscript 'a?rm -r b'\n");
    HAS(&b, "#SBATCH --job-name=ensrun4_things__SBATCH_--exclusive\n");
    HAS(&b, "ensrun run './-my study.ini' --set 'study.name=$(touch x)' "
            "--shard \"$SLURM_ARRAY_TASK_ID/2\" ");
    HAS(&b, "ensrun merge 're'\\''sults'-shard-*-of-2 ");
    HAS_NOT(&b, "sbatch \"$0\" ;;"); /* no further stages */
    ens_buf_fini(&b);
}
END_TEST

/* -- times --------------------------------------------------------------- */

static const struct {
    const char *text;
    double seconds; /* 0: refused */
} times[] = {
    {"12h", 43200},
    {"90m", 5400},
    {"1h 30m", 5400},
    {"45", 45},
    {"12:00:00", 43200},
    {"1-12:00:01", 129601},
    {"0:00:05", 5},
    {"", 0},
    {"12:00", 0},
    {"1-12:00", 0},
    {"12:60:00", 0},
    {"12:5:00", 0},
    {"-1h", 0},
    {"0", 0},
    {"0:00:00", 0},
    {"1:00:00:00", 0},
    {"1-2-03:04", 0},
    {"inf", 0},
    {"nan", 0},
    {"12:00:00x", 0},
    {"1e400", 0},
    {"tomorrow", 0},
    {"12:00:", 0},
    {":00:00", 0},
    {"99999-00:00:00", 0},
};

START_TEST(times_are_read_or_refused)
{
    struct ens_error err = {0};
    double seconds = -1;
    enum ens_status s =
        ens_duration_parse("time", times[_i].text, &seconds, &err);

    if (times[_i].seconds > 0) {
        ck_assert_int_eq(s, ENS_OK);
        ck_assert_double_eq(seconds, times[_i].seconds);
    } else {
        ck_assert_int_eq(s, ENS_EUSAGE);
        ck_assert_double_eq(seconds, -1);
        ck_assert(strstr(err.text, "expected a time") != NULL);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("jobscript");
    TCase *tcase = tcase_create("jobscript");
    SRunner *runner;
    int failed;

    tcase_add_loop_test(tcase, the_shell_reads_the_same_word, 0,
                        sizeof(words) / sizeof(words[0]));
    tcase_add_test(tcase, plain_words_stay_plain);
    tcase_add_loop_test(tcase, every_value_is_filled_in, 0,
                        sizeof(systems) / sizeof(systems[0]));
    tcase_add_test(tcase, limits_and_warnings);
    tcase_add_test(tcase, ranks_and_cores);
    tcase_add_test(tcase, hostile_names);
    tcase_add_loop_test(tcase, times_are_read_or_refused, 0,
                        sizeof(times) / sizeof(times[0]));
    suite_add_tcase(suite, tcase);
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? 0 : 1;
}
