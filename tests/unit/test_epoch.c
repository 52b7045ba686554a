#include "store/epoch.h"

#include "base/file.h"
#include "journal_make.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

static struct folder dir;

static void setup(void)
{
    folder_init(&dir);
}

static void teardown(void)
{
    folder_fini(&dir);
}

START_TEST(closed_epoch_is_followed)
{
    struct ens_epoch a, b;
    struct ens_epoch_info info;
    struct ens_error err = {0};
    struct stat st;
    char path[300];

    ck_assert_uint_eq(ens_epoch_newest(dir.path), 0);
    ck_assert_msg(ens_epoch_take(&a, dir.path, &err) == ENS_OK, "%s", err.text);
    ck_assert_uint_eq(a.number, 1);
    ck_assert_uint_ne(a.run_id, 0);
    snprintf(path, sizeof(path), "%s/journal", dir.path);
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(ens_epoch_read(&info, dir.path, 1, &err), ENS_OK);
    ck_assert(info.alive);
    ck_assert(!info.closed);
    ck_assert_int_eq(info.pid, getpid());
    ck_assert_uint_eq(info.run_id, a.run_id);
    ck_assert_int_eq(ens_epoch_beat(&a, &err), ENS_OK);
    ck_assert_int_eq(ens_epoch_close(&a, 12345, &err), ENS_OK);
    ck_assert_int_eq(ens_epoch_read(&info, dir.path, 1, &err), ENS_OK);
    ck_assert(info.closed && !info.alive);
    ck_assert_uint_eq(info.segment_end, 12345);
    ck_assert_int_eq(ens_epoch_take(&b, dir.path, &err), ENS_OK);
    ck_assert_uint_eq(b.number, 2);
    ck_assert_uint_ne(a.run_id, b.run_id);
    ck_assert_uint_eq(ens_epoch_newest(dir.path), 2);
    ens_epoch_abandon(&b);
    ens_epoch_abandon(&b);
}
END_TEST

/* What a merge left that was killed between the two names of its epoch. */
START_TEST(one_half_made_with_its_id_is_no_hindrance)
{
    struct ens_epoch e;
    struct ens_error err = {0};
    char path[300];
    int fd;

    ck_assert_int_eq(ens_epoch_take(&e, dir.path, &err), ENS_OK);
    ck_assert_int_eq(ens_epoch_close(&e, 0, &err), ENS_OK);
    snprintf(path, sizeof(path), "%s/epochs/.new-00000000000000ab", dir.path);
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_msg(ens_epoch_take_as(&e, dir.path, 0xab, &err) == ENS_OK, "%s",
                  err.text);
    ck_assert_uint_eq(e.run_id, 0xab);
    ck_assert_uint_eq(e.number, 2);
    ens_epoch_abandon(&e);
}
END_TEST

START_TEST(living_owner_is_named)
{
    struct ens_epoch a, b;
    struct ens_error err = {0};
    char host[256] = "", pid[32];

    ck_assert_int_eq(ens_epoch_take(&a, dir.path, &err), ENS_OK);
    ck_assert_int_eq(ens_epoch_take(&b, dir.path, &err), ENS_ELOCKED);
    gethostname(host, sizeof(host) - 1);
    snprintf(pid, sizeof(pid), "process %d ", (int)getpid());
    ck_assert_ptr_nonnull(strstr(err.text, host));
    ck_assert_ptr_nonnull(strstr(err.text, pid));
    ck_assert_ptr_nonnull(strstr(err.text, dir.path));
    ck_assert_uint_eq(ens_epoch_newest(dir.path), 1);
    ens_epoch_abandon(&a);
}
END_TEST

/* reap: whether its end was asked for; a zombie is as dead. */
static void take_in_child(int reap)
{
    struct ens_epoch e;
    struct ens_error err = {0};
    siginfo_t info;
    pid_t child = fork();

    if (child == 0)
        _exit(ens_epoch_take(&e, dir.path, NULL) == ENS_OK ? 0 : 1);
    ck_assert_int_eq(
        waitid(P_PID, (id_t)child, &info, WEXITED | (reap ? 0 : WNOWAIT)), 0);
    ck_assert_int_eq(info.si_status, 0);
    ck_assert_msg(ens_epoch_take(&e, dir.path, &err) == ENS_OK, "%s", err.text);
    ck_assert_uint_eq(e.number, 2);
    ens_epoch_abandon(&e);
    if (!reap)
        waitpid(child, NULL, 0);
}

START_TEST(dead_owner_is_followed)
{
    take_in_child(1);
}
END_TEST

START_TEST(zombie_owner_is_followed)
{
    take_in_child(0);
}
END_TEST

static void write_epoch(uint32_t number, const char *text)
{
    char path[300];

    snprintf(path, sizeof(path), "%s/epochs/%06u", dir.path, number);
    ck_assert_int_eq(ens_file_replace(path, text, strlen(text), NULL), ENS_OK);
}

START_TEST(owner_elsewhere_is_not_proved_dead)
{
    struct ens_epoch e;
    struct ens_error err = {0};

    ck_assert_int_eq(ens_epoch_take(&e, dir.path, &err), ENS_OK);
    ck_assert_int_eq(ens_epoch_close(&e, 0, &err), ENS_OK);
    write_epoch(2, "counter=00000000000000000000\nhost=far\nboot=other\n"
                   "pidns=pid:[1]\npid=999999\nstart=5\n"
                   "run_id=0123456789abcdef\n");
    ck_assert_int_eq(ens_epoch_take(&e, dir.path, &err), ENS_ELOCKED);
    ck_assert_ptr_nonnull(strstr(err.text, "process 999999 on far"));
    /* `closed` counts when its line has an end. */
    write_epoch(2, "counter=00000000000000000000\nhost=far\nboot=other\n"
                   "pidns=pid:[1]\npid=999999\nstart=5\n"
                   "run_id=0123456789abcdef\nclosed=12");
    ck_assert_int_eq(ens_epoch_take(&e, dir.path, &err), ENS_ELOCKED);
    write_epoch(2, "counter=00000000000000000000\nhost=far\nboot=other\n"
                   "pidns=pid:[1]\npid=999999\nstart=5\n"
                   "run_id=0123456789abcdef\nclosed=12\n");
    ck_assert_int_eq(ens_epoch_take(&e, dir.path, &err), ENS_OK);
    ck_assert_uint_eq(e.number, 3);
    ens_epoch_abandon(&e);
}
END_TEST

static const char *const broken[] = {
    "",
    "pid=1\n",
    "run_id=0123456789abcdef\n",
    "pid=x\nrun_id=0123456789abcdef\n",
    "pid=1\nrun_id=0123456789ABCDEF\n",
    "pid=1\nrun_id=0123456789abcdef\nclosed=\n"};

START_TEST(broken_epoch_file_is_refused)
{
    struct ens_epoch e;
    struct ens_error err = {0};

    ck_assert_int_eq(ens_epoch_take(&e, dir.path, &err), ENS_OK);
    ck_assert_int_eq(ens_epoch_close(&e, 0, &err), ENS_OK);
    write_epoch(2, broken[_i]);
    ck_assert_int_eq(ens_epoch_take(&e, dir.path, &err), ENS_ECORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, "epochs/000002"));
}
END_TEST

START_TEST(superseded_owner_notices)
{
    struct ens_epoch e;
    struct ens_error err = {0};

    ck_assert_int_eq(ens_epoch_take(&e, dir.path, &err), ENS_OK);
    ck_assert(!ens_epoch_superseded(&e));
    write_epoch(2, "x");
    ck_assert(ens_epoch_superseded(&e));
    ck_assert_int_eq(ens_epoch_beat(&e, &err), ENS_ELOCKED);
    ck_assert_int_eq(ens_epoch_close(&e, 1, &err), ENS_ELOCKED);
}
END_TEST

/* Twelve processes want the same folder at once; one gets it, and holds it
 * until all others have answered. */
START_TEST(exactly_one_taker_wins)
{
    enum { N = 12 };
    int go[2], answer[2], won = 0;
    pid_t child[N];
    char c;

    ck_assert_int_eq(pipe(go), 0);
    ck_assert_int_eq(pipe(answer), 0);
    for (int i = 0; i < N; i++) {
        child[i] = fork();
        if (child[i] == 0) {
            struct ens_epoch e;

            close(go[1]);
            if (read(go[0], &c, 1) != 0)
                _exit(2);
            c = ens_epoch_take(&e, dir.path, NULL) == ENS_OK ? 'w' : 'l';
            if (write(answer[1], &c, 1) != 1)
                _exit(2);
            pause();
            _exit(0);
        }
    }
    close(go[1]); /* end of file: all start */
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(read(answer[0], &c, 1), 1);
        won += c == 'w';
    }
    for (int i = 0; i < N; i++) {
        kill(child[i], SIGKILL);
        waitpid(child[i], NULL, 0);
    }
    close(go[0]);
    close(answer[0]);
    close(answer[1]);
    ck_assert_int_eq(won, 1);
    ck_assert_uint_eq(ens_epoch_newest(dir.path), 1);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("epoch");
    TCase *t = tcase_create("epoch");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, closed_epoch_is_followed);
    tcase_add_test(t, one_half_made_with_its_id_is_no_hindrance);
    tcase_add_test(t, living_owner_is_named);
    tcase_add_test(t, dead_owner_is_followed);
    tcase_add_test(t, zombie_owner_is_followed);
    tcase_add_test(t, owner_elsewhere_is_not_proved_dead);
    tcase_add_loop_test(t, broken_epoch_file_is_refused, 0,
                        sizeof(broken) / sizeof(broken[0]));
    tcase_add_test(t, superseded_owner_notices);
    tcase_add_test(t, exactly_one_taker_wins);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
