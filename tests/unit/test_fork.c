/* Deaths under the fork transport: whose, told with what, and nobody left. */
#include "../crew.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

static void start_crew(struct crew *c, struct fake_study *study,
                       unsigned replicates, const char *lines, uint32_t n)
{
    fake_study_init(study, replicates, lines, NULL);
    crew_init(c, study, &ens_transport_fork, n);
}

static void end_crew(struct crew *c, struct fake_study *study)
{
    crew_fini(c);
    fake_study_fini(study);
}

/* -- workers -------------------------------------------------------------- */

static const struct {
    const char *lines;
    int signal;
} ends[] = {
    {"[fake]\nmode = crash\n[how]\nat = 40\n", SIGSEGV},
    {"[fake]\nmode = abort\n[how]\nat = 40\n", SIGABRT},
};

START_TEST(crash_names_the_task_and_loses_no_other)
{
    struct fake_study study;
    struct crew c;

    start_crew(&c, &study, 60, ends[_i].lines, 1);
    c.is_done = crew_has_death;
    crew_open(&c, 0);
    crew_turn(&c);
    ck_assert_int_eq(c.death[0].phase, ENS_PHASE_RUNNING);
    ck_assert_uint_eq(c.death[0].place, 39);
    ck_assert_uint_eq(c.death[0].stage, study.plan.stage[0].id);
    ck_assert_int_eq(c.death[0].asked, 0);
    ck_assert_int_eq(c.death[0].zygote_lost, 0);
    ck_assert(WIFSIGNALED(c.death[0].wait_status));
    ck_assert_int_eq(WTERMSIG(c.death[0].wait_status), ends[_i].signal);
    end_crew(&c, &study);
}
END_TEST

static void kill_hung_worker(struct crew *c)
{
    const struct ens_slot *s = c->ops->slot(c->t, 0);

    if (atomic_load(&s->phase) != ENS_PHASE_RUNNING || c->step > 0 ||
        atomic_load(&s->place) != 7 || c->n_done < 7)
        return;
    c->step = 1;
    ck_assert_int_gt(atomic_load(&s->pid), 0);
    kill(atomic_load(&s->pid), SIGKILL);
}

START_TEST(worker_killed_from_outside_is_told_from_one_we_killed)
{
    struct fake_study study;
    struct crew c;

    start_crew(&c, &study, 60, "[fake]\nmode = hang\n[how]\nat = 8\n", 1);
    c.chunk = 7; /* so that the seven before it were flushed */
    c.is_done = crew_has_death;
    c.on_tick = kill_hung_worker;
    crew_open(&c, 0);
    crew_turn(&c);
    ck_assert_uint_eq(c.n_done, 7);
    ck_assert_int_eq(WTERMSIG(c.death[0].wait_status), SIGKILL);
    ck_assert_int_eq(c.death[0].asked, 0);
    ck_assert_uint_eq(c.death[0].place, 7);
    end_crew(&c, &study);
}
END_TEST

static void kill_by_transport(struct crew *c)
{
    const struct ens_slot *s = c->ops->slot(c->t, 0);

    if (atomic_load(&s->phase) != ENS_PHASE_RUNNING || c->step > 0)
        return;
    c->step = 1;
    c->ops->kill(c->t, 0);
    ck_assert_uint_eq(c->n_deaths, 0); /* never from inside a call */
}

START_TEST(kill_ends_a_hung_task)
{
    struct fake_study study;
    struct crew c;

    start_crew(&c, &study, 60, "[fake]\nmode = hang\n", 1);
    c.is_done = crew_has_death;
    c.on_tick = kill_by_transport;
    crew_open(&c, 0);
    crew_turn(&c);
    ck_assert_int_eq(WTERMSIG(c.death[0].wait_status), SIGKILL);
    ck_assert_int_eq(c.death[0].asked, 1);
    ck_assert_uint_eq(c.death[0].place, 0);
    end_crew(&c, &study);
}
END_TEST

static int four_deaths(const struct crew *c)
{
    return c->n_deaths >= 4;
}

START_TEST(worker_that_dies_is_replaced)
{
    struct fake_study study;
    struct crew c;

    start_crew(&c, &study, 400, "[fake]\nmode = crash\n", 2);
    c.restart = 1;
    c.chunk = 1;
    c.is_done = four_deaths;
    crew_open(&c, 0);
    crew_turn(&c);
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < i; k++)
            ck_assert(c.dead_slot[i] != c.dead_slot[k] ||
                      c.death[i].incarnation != c.death[k].incarnation);
    end_crew(&c, &study);
}
END_TEST

START_TEST(worker_that_dies_in_open_says_so)
{
    struct fake_study study;
    struct crew c;

    start_crew(&c, &study, 4, "[how]\nopen = die\n", 1);
    c.is_done = crew_has_death;
    crew_open(&c, 0);
    crew_turn(&c);
    ck_assert_int_eq(c.death[0].phase, ENS_PHASE_OPENING);
    ck_assert_int_eq(WEXITSTATUS(c.death[0].wait_status), 7);
    end_crew(&c, &study);
}
END_TEST

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
START_TEST(memory_limit_ends_a_task_as_crashed)
{
    struct fake_study study;
    struct crew c;

    start_crew(&c, &study, 1, "[fake]\nmode = nomem\n", 1);
    crew_open(&c, (uint64_t)64 << 20);
    crew_turn(&c);
    ck_assert_uint_eq(c.n_deaths, 0);
    ck_assert_str_eq(c.error, "memory limit");
    ck_assert_uint_eq(c.status[0], 1u + ENS_TASK_CRASHED);
    end_crew(&c, &study);
}
END_TEST

/* Earlier tasks may have taken the memory: a new worker has to tell. */
START_TEST(memory_limit_is_told_by_a_new_worker)
{
    struct fake_study study;
    struct crew c;

    start_crew(&c, &study, 20, "[fake]\nmode = ok, nomem\n", 1);
    c.is_done = crew_has_death;
    crew_open(&c, (uint64_t)64 << 20);
    crew_turn(&c);
    ck_assert_int_eq(c.death[0].phase, ENS_PHASE_IDLE);
    ck_assert_int_eq(c.death[0].wait_status, 0);
    ck_assert_uint_eq(c.n_done, 20);
    for (uint64_t p = 0; p < 40; p++)
        ck_assert_uint_eq(c.status[p], p < 20 ? 1u + ENS_TASK_OK : 0u);
    end_crew(&c, &study);
}
END_TEST
#endif

START_TEST(tasks_see_a_clean_environment)
{
    struct fake_study study;
    struct crew c;

    ck_assert_int_eq(setenv("OMPI_FAKE", "1", 1), 0);
    start_crew(&c, &study, 5, "[fake]\nmode = env\n", 1);
    crew_open(&c, 0);
    crew_turn(&c);
    for (uint64_t p = 0; p < 5; p++)
        ck_assert_uint_eq(c.status[p], 1 + ENS_TASK_OK);
    ck_assert_int_eq(unsetenv("OMPI_FAKE"), 0);
    end_crew(&c, &study);
}
END_TEST

START_TEST(study_that_a_zygote_cannot_open_breaks_the_run)
{
    struct fake_study study;
    char path[64];
    struct crew c;

    snprintf(path, sizeof(path), "/tmp/ensrun-test-%d.npy", (int)getpid());
    fake_npy(path, 100000);
    fake_study_init(&study, 5, "[fake]\nmode = touch\n", path);
    ck_assert_int_eq(truncate(path, 64), 0);
    crew_init(&c, &study, &ens_transport_fork, 1);
    c.is_done = crew_is_broken;
    crew_open(&c, 0);
    crew_turn(&c);
    ck_assert_int_eq(c.broken.status, ENS_EINPUT);
    end_crew(&c, &study);
    unlink(path);
}
END_TEST

/* -- the zygote ------------------------------------------------------------ */

static int32_t zygote_pid(const struct crew *c)
{
    int32_t pid[1];

    return c->ops->pids(c->t, pid, 1) == 1 ? pid[0] : 0;
}

static int both_run(const struct crew *c)
{
    return atomic_load(&c->ops->slot(c->t, 0)->phase) == ENS_PHASE_RUNNING &&
           atomic_load(&c->ops->slot(c->t, 1)->phase) == ENS_PHASE_RUNNING;
}

static int32_t family[8]; /* the zygote that is killed, and its workers */

/* A worker may run before the word of its pid has come. */
static void kill_zygote_once(struct crew *c)
{
    if (c->step > 0 || !both_run(c) || c->ops->pids(c->t, family, 8) < 3)
        return;
    c->step = 1;
    kill((pid_t)family[0], SIGKILL);
}

static int two_deaths_and_ready(const struct crew *c)
{
    return c->n_deaths == 2 && c->n_ready == 4;
}

START_TEST(lost_zygote_blames_nobody_and_is_replaced)
{
    struct fake_study study;
    struct crew c;

    start_crew(&c, &study, 60, "[fake]\nmode = spawnhang\n", 2);
    c.chunk = 10;
    c.is_done = two_deaths_and_ready;
    c.restart = 1;
    c.on_tick = kill_zygote_once;
    crew_open(&c, 0);
    crew_turn(&c);
    for (size_t i = 0; i < 2; i++) {
        ck_assert_int_eq(c.death[i].zygote_lost, 1);
        ck_assert_int_eq(c.death[i].asked, 0);
    }
    for (size_t i = 0; i < 3; i++)
        ck_assert(crew_is_gone(family[i]));
    end_crew(&c, &study);
}
END_TEST

static void kill_zygote_again(struct crew *c)
{
    const struct ens_slot *s = c->ops->slot(c->t, 0);
    int32_t pid = zygote_pid(c);

    if (pid == 0 || pid == c->step ||
        atomic_load(&s->phase) != ENS_PHASE_RUNNING)
        return;
    c->step = pid;
    kill((pid_t)pid, SIGKILL);
}

START_TEST(zygote_lost_too_often_breaks_the_run)
{
    struct fake_study study;
    struct crew c;

    start_crew(&c, &study, 60, "[fake]\nmode = hang\n", 1);
    c.restart = 1;
    c.is_done = crew_is_broken;
    c.on_tick = kill_zygote_again;
    c.chunk = 1;
    crew_open(&c, 0);
    crew_turn(&c);
    ck_assert_uint_eq(c.n_deaths, 4);
    ck_assert_int_eq(c.broken.status, ENS_EPROCESS);
    ck_assert_msg(strstr(c.broken.text, "signal 9") != NULL, "%s",
                  c.broken.text);
    end_crew(&c, &study);
}
END_TEST

/* -- the supervisor -------------------------------------------------------- */

struct shared { /* with the supervisor's process */
    _Atomic uint32_t n;
    int32_t pid[64];
    char dir[64];
};

/* All processes whose chain of parents leads to root. */
static size_t descendants(int32_t root, int32_t *pid, size_t max)
{
    char command[128], line[32];
    size_t n = 0;

    for (size_t next = 0; next <= n && n < max; next++) {
        FILE *f;

        snprintf(command, sizeof(command), "ps -o pid= --ppid %d",
                 next == 0 ? root : pid[next - 1]);
        f = popen(command, "r");
        ck_assert(f != NULL);
        while (n < max && fgets(line, sizeof(line), f) != NULL)
            pid[n++] = (int32_t)strtol(line, NULL, 10);
        pclose(f);
    }
    return n;
}

static void be_supervisor(struct shared *sh)
{
    struct fake_study study;
    struct crew c;

    start_crew(&c, &study, 60, "[fake]\nmode = spawnhang\n", 2);
    c.chunk = 10;
    memcpy(sh->dir, study.dir, sizeof(sh->dir));
    crew_open(&c, 0);
    for (;;) {
        uv_run(&c.loop, UV_RUN_ONCE);
        if (c.n_ready == 2)
            atomic_store(&sh->n, 1);
    }
}

START_TEST(nothing_outlives_its_supervisor)
{
    struct shared *sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t start = ens_clock_ns();
    size_t n = 0, left;
    char command[96];
    pid_t pid;

    ck_assert(sh != MAP_FAILED);
    pid = fork();
    if (pid == 0)
        be_supervisor(sh);
    while (atomic_load(&sh->n) == 0 &&
           (double)(ens_clock_ns() - start) < CREW_SECONDS * 1e9)
        usleep(1000);
    do /* zygote, two workers, a child of each */
        n = descendants((int32_t)pid, sh->pid, 64);
    while (n < 5 && (double)(ens_clock_ns() - start) < CREW_SECONDS * 1e9);
    ck_assert_uint_ge(n, 5);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    start = ens_clock_ns();
    do {
        left = 0;
        for (size_t i = 0; i < n; i++)
            left += !crew_is_gone(sh->pid[i]);
    } while (left > 0 && ens_clock_ns() - start < 1000000000u);
    ck_assert_uint_eq(left, 0);
    snprintf(command, sizeof(command), "rm -rf %s", sh->dir);
    ck_assert_int_eq(system(command), 0);
    munmap(sh, sizeof(*sh));
}
END_TEST

/* -- cost ------------------------------------------------------------------ */

static double cpu_seconds(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           1e-6 * (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

START_TEST(flushes_are_batched)
{
    struct fake_study study;
    struct crew c;
    double cpu;

    start_crew(&c, &study, 1000, "[fake]\nmode = sleep\n", 2);
    c.chunk = 20;
    crew_open(&c, 0);
    while (c.n_ready < 2)
        uv_run(&c.loop, UV_RUN_ONCE);
    cpu = cpu_seconds();
    crew_turn(&c);
    cpu = cpu_seconds() - cpu;
    printf("fork: supervisor used %.2f %% of the workers' time for 1 ms tasks, "
           "%u frames\n",
           100 * cpu / 1.0, c.n_frames);
    ck_assert_uint_le(c.n_frames, 400); /* 1000 tasks of about 1.1 ms */
    end_crew(&c, &study);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *s;
    TCase *t;
    SRunner *r;
    int failed;

    if (argc == 3 && strcmp(argv[1], "--zygote") == 0)
        return ens_zygote_main(3, &fake_table);
    s = suite_create("fork");
    t = tcase_create("fork");
    r = srunner_create(s);
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, crash_names_the_task_and_loses_no_other, 0,
                        (int)ENS_COUNT(ends));
    tcase_add_test(t, worker_killed_from_outside_is_told_from_one_we_killed);
    tcase_add_test(t, kill_ends_a_hung_task);
    tcase_add_test(t, worker_that_dies_is_replaced);
    tcase_add_test(t, worker_that_dies_in_open_says_so);
    /* a sanitizer's malloc ends the process instead */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    tcase_add_test(t, memory_limit_ends_a_task_as_crashed);
    tcase_add_test(t, memory_limit_is_told_by_a_new_worker);
#endif
    tcase_add_test(t, tasks_see_a_clean_environment);
    tcase_add_test(t, study_that_a_zygote_cannot_open_breaks_the_run);
    tcase_add_test(t, lost_zygote_blames_nobody_and_is_replaced);
    tcase_add_test(t, zygote_lost_too_often_breaks_the_run);
    tcase_add_test(t, nothing_outlives_its_supervisor);
    tcase_add_test(t, flushes_are_batched);
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
