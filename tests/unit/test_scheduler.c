/* What batch systems say of the time that a job has left. The answers are
 * those that their manuals show: squeue(1) %L, bjobs(1) time_left, qstat of
 * Torque 6 and of PBS Pro 2022, flux-job(1) timeleft. */
#include "base/bug.h"
#include "run/scheduler.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* 2026-11-22 12:00:00 UTC */
#define NOW 1795348800

static const char *const variables[] = {
    "FLUX_URI",           "SLURM_JOB_ID",        "SLURM_ARRAY_JOB_ID",
    "SLURM_JOB_END_TIME", "SLURM_ARRAY_TASK_ID", "PBS_JOBID",
    "PBS_WALLTIME",       "LSB_JOBID",           "LSB_JOBINDEX"};

static void clear(void)
{
    for (size_t i = 0; i < ENS_COUNT(variables); i++)
        unsetenv(variables[i]);
    setenv("TZ", "UTC0", 1);
    tzset();
}

static const struct answer {
    const char *variable; /* that makes it this system */
    const char *text;
    double left_s; /* -1: not said */
} answers[] = {
    {"SLURM_JOB_ID", "1-02:03:04\n", 93784},
    {"SLURM_JOB_ID", "11:59:58\n", 43198},
    {"SLURM_JOB_ID", "5:07\n", 307},
    {"SLURM_JOB_ID", "0:00\n", 0},
    {"SLURM_JOB_ID", "UNLIMITED\n", INFINITY},
    {"SLURM_JOB_ID", "NOT_SET\n", -1},
    {"SLURM_JOB_ID", "INVALID\n", -1},
    {"SLURM_JOB_ID", "", -1},
    {"SLURM_JOB_ID", "1:2:3:4:5\n", -1},
    {"SLURM_JOB_ID", "99999999999999999999:00\n", -1},
    {"LSB_JOBID", "11:57 L\n", 43020},
    {"LSB_JOBID", "0:3 L\n", 180},
    {"LSB_JOBID", "0:0 X\n", 0},
    {"LSB_JOBID", "1:30 E\n", INFINITY},
    {"LSB_JOBID", "-\n", INFINITY},
    {"LSB_JOBID", "Job <7> is not found\n", -1},
    {"FLUX_URI", "3540\n", 3540},
    {"FLUX_URI", "3540.25\n", 3540.25},
    {"FLUX_URI", "infinity\n", INFINITY},
    {"FLUX_URI", "nan\n", -1},
    {"FLUX_URI", "-5\n", -1},
    {"FLUX_URI", "flux-job: no\n", -1},
    /* Torque */
    {"PBS_JOBID",
     "Job Id: 12.server\n    Resource_List.walltime = 12:00:00\n"
     "    start_time = Sun Nov 22 10:00:00 2026\n"
     "    Walltime.Remaining = 35990\n",
     35990},
    /* PBS Pro: by its start, as what is used lags */
    {"PBS_JOBID",
     "Job Id: 12.server\n    Job_Name = wells\n"
     "    resources_used.walltime = 01:58:20\n"
     "    Resource_List.walltime = 12:00:00\n"
     "    stime = Sun Nov 22 10:00:00 2026\n",
     36000},
    {"PBS_JOBID",
     "Job Id: 12.server\n    resources_used.walltime = 01:58:20\n"
     "    Resource_List.walltime = 12:00:00\n",
     36100},
    {"PBS_JOBID",
     "Job Id: 12.server\n    resources_used.walltime = 12:00:20\n"
     "    Resource_List.walltime = 12:00:00\n",
     0},
    {"PBS_JOBID", "Job Id: 12.server\n    Job_Name = wells\n", INFINITY},
    {"PBS_JOBID", "Job Id: 12.server\n    Resource_List.walltime = 12:00:00\n",
     -1},
    {"PBS_JOBID", "qstat: Unknown Job Id 12.server\n", -1},
};

START_TEST(reads_answers)
{
    const struct answer *a = &answers[_i];
    struct ens_scheduler s;
    double left_s;

    clear();
    setenv(a->variable, "12", 1);
    ens_scheduler_find(&s, NOW);
    ck_assert(s.name != NULL && isnan(s.left_s) && isnan(s.most_s));
    left_s = ens_scheduler_left(&s, a->text, NOW);
    if (a->left_s < 0)
        ck_assert_msg(isnan(left_s), "%s: %g", a->text, left_s);
    else
        ck_assert_msg(left_s == a->left_s, "%s: %g", a->text, left_s);
}
END_TEST

static void expect_command(const char *want)
{
    struct ens_scheduler s;
    char got[512] = "";

    ens_scheduler_find(&s, NOW);
    for (size_t i = 0; s.command[i] != NULL; i++) {
        strncat(got, i > 0 ? " " : "", sizeof(got) - strlen(got) - 1);
        strncat(got, s.command[i], sizeof(got) - strlen(got) - 1);
    }
    ck_assert_str_eq(got, want);
}

START_TEST(names_the_job)
{
    struct ens_scheduler s;

    clear();
    ens_scheduler_find(&s, NOW);
    ck_assert(s.name == NULL);
    setenv("SLURM_JOB_ID", "", 1);
    ens_scheduler_find(&s, NOW);
    ck_assert(s.name == NULL);
    setenv("SLURM_JOB_ID", "17", 1);
    expect_command("squeue -h -o %L -j 17");
    setenv("SLURM_ARRAY_JOB_ID", "17", 1); /* also that of its last element */
    setenv("SLURM_ARRAY_TASK_ID", "0", 1);
    expect_command("squeue -h -o %L -j 17_0");
    setenv("FLUX_URI", "local:///x", 1); /* in a job of the other */
    expect_command("flux job timeleft");
    clear();
    setenv("LSB_JOBID", "8", 1);
    setenv("LSB_JOBINDEX", "0", 1);
    expect_command("bjobs -noheader -o time_left 8");
    setenv("LSB_JOBINDEX", "3", 1);
    expect_command("bjobs -noheader -o time_left 8[3]");
    clear();
    setenv("PBS_JOBID", "12[3].server", 1);
    expect_command("qstat -f 12[3].server");
}
END_TEST

START_TEST(knows_by_itself)
{
    struct ens_scheduler s;

    clear();
    setenv("SLURM_JOB_ID", "17", 1);
    setenv("SLURM_JOB_END_TIME", "1795352400", 1);
    ens_scheduler_find(&s, NOW);
    ck_assert(s.left_s == 3600);
    setenv("SLURM_JOB_END_TIME", "1795348800", 1); /* of an older job */
    ens_scheduler_find(&s, NOW);
    ck_assert(isnan(s.left_s));
    setenv("SLURM_JOB_END_TIME", "soon", 1);
    ens_scheduler_find(&s, NOW);
    ck_assert(isnan(s.left_s));
    clear();
    setenv("PBS_JOBID", "12", 1);
    setenv("PBS_WALLTIME", "43200", 1);
    setenv("SLURM_JOB_END_TIME", "1795352400", 1);
    ens_scheduler_find(&s, NOW);
    ck_assert(isnan(s.left_s) && s.most_s == 43200);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("scheduler");
    TCase *t = tcase_create("all");
    SRunner *runner = srunner_create(s);
    int failed;

    tcase_add_loop_test(t, reads_answers, 0, (int)ENS_COUNT(answers));
    tcase_add_test(t, names_the_job);
    tcase_add_test(t, knows_by_itself);
    suite_add_tcase(s, t);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
