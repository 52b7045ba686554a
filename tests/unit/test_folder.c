/* run.json: what one run leaves another must notice. */
#include "run/folder.h"

#include "history.h"

static struct hist h;

static void setup(void)
{
    hist_init(&h, 1);
}

static void teardown(void)
{
    hist_fini(&h);
}

static void read_it(struct ens_folder *f, const struct ens_study *study)
{
    struct ens_error err = {0};

    hist_ok(ens_folder_read(f, h.dir, study, &err), &err);
}

static void write_it(uint64_t finished, const struct ens_study *study)
{
    struct ens_folder f;
    struct ens_error err = {0};

    read_it(&f, study);
    f.finished = finished;
    hist_ok(ens_folder_write(&f, h.dir, study, 1, &err), &err);
    ens_folder_fini(&f);
}

START_TEST(folder_that_another_run_took_is_noticed)
{
    struct ens_study *study = hist_study("1");
    struct ens_folder f;

    read_it(&f, study);
    ck_assert(!f.exists);
    ck_assert(!ens_folder_moved(&f, h.dir));
    write_it(1, study);
    ck_assert(ens_folder_moved(&f, h.dir));
    ens_folder_fini(&f);

    read_it(&f, study);
    ck_assert(f.exists);
    ck_assert(!ens_folder_moved(&f, h.dir));
    write_it(2, study);
    ck_assert(ens_folder_moved(&f, h.dir));
    ens_folder_fini(&f);
    ens_study_free(study);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("folder");
    TCase *t = tcase_create("folder");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, folder_that_another_run_took_is_noticed);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
