/* Taking a folder over from an owner that cannot be asked. */
#include "store/outwait.h"

#include "base/clock.h"
#include "base/file.h"
#include "journal_make.h"
#include "store/renew.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static struct folder dir;
static int beats, calls;

static void setup(void)
{
    struct ens_epoch e;

    folder_init(&dir);
    ck_assert_int_eq(ens_epoch_take(&e, dir.path, NULL), ENS_OK);
    ck_assert_int_eq(ens_epoch_close(&e, 0, NULL), ENS_OK);
    beats = calls = 0;
}

static void teardown(void)
{
    folder_fini(&dir);
}

/* Epoch 2 of an owner on another host. */
static void write_owner(int counter, const char *more)
{
    char path[300], text[300];

    snprintf(path, sizeof(path), "%s/epochs/000002", dir.path);
    snprintf(text, sizeof(text),
             "counter=%020d\nhost=far\nboot=other\npidns=pid:[1]\npid=999999\n"
             "start=5\nrun_id=0123456789abcdef\n%s",
             counter, more);
    ck_assert_int_eq(ens_file_replace(path, text, strlen(text), NULL), ENS_OK);
}

static int on_waiting(void *arg, const struct ens_epoch_info *owner,
                      double left_s)
{
    ck_assert_str_eq(owner->host, "far");
    ck_assert(left_s > 0);
    if (++calls == beats)
        write_owner(1, "");
    return arg != NULL;
}

static enum ens_status outwait(double wait_s, void *arg, uint32_t *still,
                               struct ens_error *err)
{
    const struct ens_outwait how = {wait_s, arg, on_waiting};

    memset(err, 0, sizeof(*err));
    return ens_epoch_outwait(dir.path, &how, still, err);
}

START_TEST(owner_that_stands_still_loses_the_folder)
{
    uint64_t start = ens_clock_ns();
    struct ens_epoch e;
    struct ens_error err;
    uint32_t still;

    write_owner(0, "");
    ck_assert_int_eq(outwait(0.3, NULL, &still, &err), ENS_OK);
    ck_assert_uint_ge(ens_clock_ns() - start, 300000000u);
    ck_assert_int_ge(calls, 1);
    ck_assert_uint_eq(still, 2);
    ck_assert_int_eq(ens_epoch_take(&e, dir.path, &err), ENS_ELOCKED);
    ck_assert_int_eq(ens_epoch_take_over(&e, dir.path, still, &err), ENS_OK);
    ck_assert_uint_eq(e.number, 3);
    ck_assert_int_eq(e.unproved, 1);
    /* the next one follows a known end */
    ck_assert_int_eq(ens_epoch_close(&e, 0, &err), ENS_OK);
    ck_assert_int_eq(ens_epoch_take(&e, dir.path, &err), ENS_OK);
    ck_assert_int_eq(e.unproved, 0);
    ens_epoch_abandon(&e);
}
END_TEST

START_TEST(owner_whose_heartbeat_moves_keeps_it)
{
    struct ens_error err;
    uint32_t still;

    write_owner(0, "");
    beats = 2;
    ck_assert_int_eq(outwait(30, NULL, &still, &err), ENS_ELOCKED);
    ck_assert_ptr_nonnull(strstr(err.text, "process 999999 on far"));
    ck_assert_uint_eq(still, 0);
}
END_TEST

START_TEST(nobody_is_waited_for_who_has_ended)
{
    struct ens_epoch e;
    struct ens_error err;
    uint32_t still;

    ck_assert_int_eq(outwait(30, NULL, &still, &err), ENS_OK); /* closed */
    write_owner(0, "closed=0\n");
    ck_assert_int_eq(outwait(30, NULL, &still, &err), ENS_OK);
    ck_assert_uint_eq(still, 0);
    ck_assert_int_eq(calls, 0);
    /* one that can be asked lives: take() says so at once */
    ck_assert_int_eq(ens_epoch_take(&e, dir.path, &err), ENS_OK);
    ck_assert_int_eq(outwait(30, NULL, &still, &err), ENS_OK);
    ck_assert_uint_eq(still, 0);
    ck_assert_int_eq(calls, 0);
    ens_epoch_abandon(&e);
}
END_TEST

START_TEST(waiting_can_be_given_up)
{
    struct ens_error err;
    uint32_t still;
    int stop;

    write_owner(0, "");
    ck_assert_int_eq(outwait(30, &stop, &still, &err), ENS_ESTOPPED);
    ck_assert_int_eq(calls, 1);
}
END_TEST

START_TEST(renewed_arrays_are_what_a_stale_owner_cannot_reach)
{
    char path[300], text[8] = "";
    struct stat before, after;
    struct ens_error err;
    int fd;

    snprintf(path, sizeof(path), "%s/arrays/y.0123456789abcdef.npy", dir.path);
    ck_assert_int_eq(ens_file_replace(path, "abcdef", 6, NULL), ENS_OK);
    fd = open(path, O_RDWR);
    ck_assert_int_eq(fstat(fd, &before), 0);
    ck_assert_msg(ens_arrays_renew(dir.path, &err) == ENS_OK, "%s", err.text);
    ck_assert_int_eq(pwrite(fd, "XXX", 3, 0), 3);
    close(fd);
    fd = open(path, O_RDONLY);
    ck_assert_int_eq(fstat(fd, &after), 0);
    ck_assert_uint_ne(before.st_ino, after.st_ino);
    ck_assert_int_eq(read(fd, text, 7), 6);
    ck_assert_str_eq(text, "abcdef");
    close(fd);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("outwait");
    TCase *t = tcase_create("outwait");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, owner_that_stands_still_loses_the_folder);
    tcase_add_test(t, owner_whose_heartbeat_moves_keeps_it);
    tcase_add_test(t, nobody_is_waited_for_who_has_ended);
    tcase_add_test(t, waiting_can_be_given_up);
    tcase_add_test(t, renewed_arrays_are_what_a_stale_owner_cannot_reach);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_ENV);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
