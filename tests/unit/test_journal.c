#include "store/journal.h"

#include "base/clock.h"
#include "journal_make.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

static struct folder dir;
static const struct ens_journal_options plain = {60, 0, NULL, NULL};

static void setup(void)
{
    folder_init(&dir);
}

static void teardown(void)
{
    folder_fini(&dir);
}

static void expect(uint64_t last)
{
    struct reading r;
    struct ens_error err = {0};

    ck_assert_msg(read_all(&dir, &r, &err) == ENS_OK, "%s", err.text);
    ck_assert_uint_eq(r.last, last);
}

START_TEST(closed_journal_reads_back)
{
    struct writer_run r;
    struct ens_journal_state st;
    struct reading got;
    struct stat file;
    char path[300];

    ck_assert_int_eq(run_begin(&r, &dir, ens_io_default(), &plain, 1), ENS_OK);
    for (int g = 0; g < 5; g++)
        ck_assert_int_eq(run_group(&r, 10 + g, 0), ENS_OK);
    ens_journal_state(r.journal, &st);
    ck_assert_uint_eq(st.groups, 5);
    run_append(&r, 3, 100); /* sealed by close */
    run_close(&r);
    ck_assert_int_eq(read_all(&dir, &got, NULL), ENS_OK);
    ck_assert_uint_eq(got.last, 63);
    ck_assert_uint_eq(got.commits, 6);
    ck_assert_uint_eq(got.heads, 1);
    snprintf(path, sizeof(path), "%s/journal/000001-01.ej", dir.path);
    ck_assert_int_eq(stat(path, &file), 0);
    ck_assert_int_lt(file.st_size, 8192); /* cut to size */
}
END_TEST

START_TEST(epochs_follow_one_another)
{
    struct writer_run r;
    uint64_t next = 1;

    for (int e = 0; e < 5; e++) {
        ck_assert_int_eq(run_begin(&r, &dir, ens_io_default(), &plain, next),
                         ENS_OK);
        for (int g = 0; g < 3; g++)
            ck_assert_int_eq(run_group(&r, 4, 1000), ENS_OK);
        next = r.next;
        if (e % 2 == 0)
            run_crash(&r);
        else
            run_close(&r);
    }
    expect(60);
}
END_TEST

START_TEST(records_are_counted)
{
    struct writer_run r;
    struct ens_journal_state st;
    struct ens_buf b = ENS_BUF_INIT;
    struct reading got;

    ck_assert_int_eq(run_begin(&r, &dir, ens_io_default(), &plain, 1), ENS_OK);
    ck_assert_int_eq(ens_journal_seal(r.journal, NULL, 0), 0); /* empty */
    ens_frame_write(&b, ENS_FRAME_RECORDS, 1, 1, 1, "12345", 5, r.epoch.run_id);
    ck_assert_int_eq(ens_journal_append(r.journal, b.data, b.len, 7), ENS_OK);
    ck_assert_int_eq(ens_journal_append_record(r.journal, "1234", 4), ENS_OK);
    ck_assert_uint_eq(ens_journal_open_records(r.journal), 8);
    ck_assert_uint_eq(ens_journal_pending(r.journal),
                      b.len + ens_frame_bytes(4));
    ck_assert_int_eq(ens_journal_seal(r.journal, NULL, 0), 1);
    ck_assert_uint_eq(ens_journal_open_records(r.journal), 0);
    ens_journal_wait(r.journal);
    ck_assert_uint_eq(ens_journal_pending(r.journal), 0);
    ens_journal_state(r.journal, &st);
    ck_assert_uint_eq(st.records, 8);
    ck_assert(!st.busy);
    run_close(&r);
    ck_assert_int_eq(read_all(&dir, &got, NULL), ENS_OK);
    ck_assert_uint_eq(got.commits, 1);
    ens_buf_fini(&b);
}
END_TEST

/* A disk as the test wants it. */
struct disk {
    struct ens_io io;
    struct ens_io *real;
    _Atomic int full;
    uint64_t room;    /* of a file; 0: endless */
    _Atomic int hold; /* syncs wait while set */
    _Atomic int n_syncs;
    int fd[64]; /* of the syncs, in order */
};

static ssize_t disk_pwrite(struct ens_io *io, int fd, const void *p, size_t n,
                           off_t at)
{
    struct disk *d = io->arg;

    if (d->full || (d->room > 0 && (uint64_t)at + n > d->room)) {
        errno = ENOSPC;
        return -1;
    }
    return d->real->pwrite(d->real, fd, p, n, at);
}

static int disk_sync(struct ens_io *io, int fd)
{
    struct disk *d = io->arg;

    while (d->hold)
        usleep(100);
    if (d->n_syncs < 64)
        d->fd[d->n_syncs] = fd;
    d->n_syncs++;
    return d->real->sync(d->real, fd);
}

static void disk_init(struct disk *d)
{
    memset(d, 0, sizeof(*d));
    d->real = ens_io_default();
    d->io.pwrite = disk_pwrite;
    d->io.sync = disk_sync;
    d->io.arg = d;
}

static void count_wake(void *arg)
{
    atomic_fetch_add((_Atomic int *)arg, 1);
}

START_TEST(full_disk_is_waited_for)
{
    struct writer_run r;
    struct ens_journal_state st;
    struct disk d;
    _Atomic int wakes = 0;
    struct ens_journal_options o = {60, 0, count_wake, &wakes};

    disk_init(&d);
    ck_assert_int_eq(run_begin(&r, &dir, &d.io, &o, 1), ENS_OK);
    ck_assert_int_eq(run_group(&r, 10, 0), ENS_OK);
    d.full = 1;
    run_append(&r, 100, 20000); /* beyond what is extended */
    ck_assert_int_eq(ens_journal_seal(r.journal, NULL, 0), 1);
    do
        ens_journal_state(r.journal, &st);
    while (!st.waiting_for_space);
    ck_assert(st.busy);
    ck_assert_uint_eq(st.groups, 1);
    d.full = 0;
    ens_journal_wait(r.journal);
    ens_journal_state(r.journal, &st);
    ck_assert_int_eq(st.error.status, ENS_OK);
    ck_assert(!st.waiting_for_space);
    ck_assert_uint_eq(st.groups, 2);
    run_close(&r);
    ck_assert_int_eq(wakes, 2);
    expect(110);
}
END_TEST

/* Room for groups, but not for what is written ahead of them: what is given
 * back then is nothing that was committed. */
START_TEST(nearly_full_disk_keeps_every_group)
{
    struct writer_run r;
    struct ens_journal_options o = {0.3, 0, NULL, NULL};
    struct disk d;

    disk_init(&d);
    d.room = 300000;
    ck_assert_int_eq(run_begin(&r, &dir, &d.io, &o, 1), ENS_OK);
    for (int g = 0; g < 5; g++)
        ck_assert_int_eq(run_group(&r, 10, 1000), ENS_OK);
    run_crash(&r);
    expect(50);
    ck_assert_int_eq(run_begin(&r, &dir, &d.io, &o, 51), ENS_OK);
    for (int g = 0; g < 5; g++)
        ck_assert_int_eq(run_group(&r, 10, 1000), ENS_OK);
    run_close(&r);
    expect(100);
}
END_TEST

START_TEST(disk_that_stays_full_ends_the_journal)
{
    struct writer_run r;
    struct ens_journal_state st;
    struct ens_error err = {0};
    struct disk d;
    struct ens_journal_options o = {0.3, 0, NULL, NULL};
    uint64_t end = 77;

    disk_init(&d);
    ck_assert_int_eq(run_begin(&r, &dir, &d.io, &o, 1), ENS_OK);
    ck_assert_int_eq(run_group(&r, 10, 0), ENS_OK);
    d.full = 1;
    ck_assert_int_eq(run_group(&r, 10, 0), ENS_ENOSPACE);
    ens_journal_state(r.journal, &st);
    ck_assert_ptr_nonnull(strstr(st.error.text, "000001-01.ej at byte"));
    d.full = 0;
    run_append(&r, 1, 0);
    ck_assert_int_eq(ens_journal_seal(r.journal, NULL, 0), 0); /* sticky */
    ck_assert_int_eq(ens_journal_close(r.journal, &end, &err), ENS_ENOSPACE);
    ck_assert_str_eq(err.text, st.error.text);
    ck_assert_uint_eq(end, 77);
    ens_epoch_abandon(&r.epoch);
    expect(10);
}
END_TEST

START_TEST(abandoning_does_not_wait_for_space)
{
    struct writer_run r;
    struct ens_journal_state st;
    struct disk d;
    struct ens_journal_options o = {3600, 0, NULL, NULL};
    uint64_t t;

    disk_init(&d);
    ck_assert_int_eq(run_begin(&r, &dir, &d.io, &o, 1), ENS_OK);
    d.full = 1;
    run_append(&r, 1, 0);
    ck_assert_int_eq(ens_journal_seal(r.journal, NULL, 0), 1);
    do
        ens_journal_state(r.journal, &st);
    while (!st.waiting_for_space);
    t = ens_clock_ns();
    ens_journal_abandon(r.journal);
    ck_assert_uint_lt(ens_clock_ns() - t, 5000000000u);
    ens_epoch_abandon(&r.epoch);
    expect(0);
}
END_TEST

START_TEST(others_are_synced_before_the_group)
{
    struct writer_run r;
    struct disk d;
    char path[300];
    int fd[2], before;

    disk_init(&d);
    ck_assert_int_eq(run_begin(&r, &dir, &d.io, &plain, 1), ENS_OK);
    ck_assert_int_eq(run_group(&r, 1, 0), ENS_OK);
    before = d.n_syncs;
    for (int i = 0; i < 2; i++) {
        snprintf(path, sizeof(path), "%s/artifacts/%d", dir.path, i);
        fd[i] = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        ck_assert_int_ge(fd[i], 0);
    }
    run_append(&r, 1, 0);
    ck_assert_int_eq(ens_journal_seal(r.journal, fd, 2), 1);
    ens_journal_wait(r.journal);
    ck_assert_int_eq(d.n_syncs, before + 3); /* of the journal: one */
    ck_assert_int_eq(d.fd[before], fd[0]);
    ck_assert_int_eq(d.fd[before + 1], fd[1]);
    ck_assert_int_eq(fcntl(fd[0], F_GETFD), -1); /* taken over and closed */
    ck_assert_int_eq(fcntl(fd[1], F_GETFD), -1);
    run_close(&r);
    expect(2);
}
END_TEST

START_TEST(owner_appends_while_the_thread_writes)
{
    struct writer_run r;
    struct ens_journal_state st;
    struct disk d;
    size_t one;

    disk_init(&d);
    ck_assert_int_eq(run_begin(&r, &dir, &d.io, &plain, 1), ENS_OK);
    d.hold = 1;
    run_append(&r, 1, 0);
    one = ens_journal_pending(r.journal);
    ck_assert_int_eq(ens_journal_seal(r.journal, NULL, 0), 1);
    run_append(&r, 2, 0);
    ck_assert_int_eq(ens_journal_seal(r.journal, NULL, 0), 0);
    ck_assert_uint_eq(ens_journal_pending(r.journal), 3 * one);
    ens_journal_state(r.journal, &st);
    ck_assert(st.busy);
    ck_assert_uint_eq(st.groups, 0);
    d.hold = 0;
    ens_journal_wait(r.journal);
    ck_assert_uint_eq(ens_journal_pending(r.journal), 2 * one);
    run_close(&r);
    expect(3);
}
END_TEST

START_TEST(slow_disk_is_slow)
{
    struct writer_run r;
    struct ens_journal_options o = {60, 1000000, NULL, NULL};
    struct ens_journal_state st;

    ck_assert_int_eq(run_begin(&r, &dir, ens_io_default(), &o, 1), ENS_OK);
    ck_assert_int_eq(run_group(&r, 5, 40000), ENS_OK);
    ens_journal_state(r.journal, &st);
    ck_assert_double_ge(st.last_commit_s, 0.2);
    run_close(&r);
    expect(5);
}
END_TEST

START_TEST(superseded_group_is_not_acknowledged)
{
    struct writer_run r;
    struct ens_journal_state st;
    char path[300];
    int fd;

    ck_assert_int_eq(run_begin(&r, &dir, ens_io_default(), &plain, 1), ENS_OK);
    ck_assert_int_eq(run_group(&r, 3, 0), ENS_OK);
    snprintf(path, sizeof(path), "%s/epochs/000002", dir.path);
    fd = open(path, O_WRONLY | O_CREAT, 0666);
    close(fd);
    ck_assert_int_eq(run_group(&r, 3, 0), ENS_ELOCKED);
    ens_journal_state(r.journal, &st);
    ck_assert_uint_eq(st.groups, 1);
    ens_journal_abandon(r.journal);
    ens_epoch_abandon(&r.epoch);
}
END_TEST

/* {ENSRUN_FAULT, whether the journal gets over it} */
static const struct {
    const char *spec;
    int survives;
} faults[] = {
    {"short", 1},
    {"eio@1", 0},
    {"eio@2", 0},
    {"eio@3", 0},
    {"eio@20", 0},
    {"eio@23", 0},
    {"syncfail@1", 0},
    {"syncfail@2", 0},
    {"syncfail@3", 0},
    {"syncfail@4", 0},
    {"syncfail@7", 0},
    {"enospc@20", 0},
    {"enospc@1000", 0},
    {"enospc@1060000", 0},
    {"enospc@1500001", 0},
    {"enospc@1060000+2", 1},
    {"short,enospc@1060000+3", 1},
    {"short,syncfail@6", 0},
    {"enospc@1500001+1", 1},
};

START_TEST(faults_lose_nothing_acknowledged)
{
    struct writer_run r;
    struct ens_journal_options o = {0.7, 0, NULL, NULL};
    struct ens_io *io;
    struct ens_error err = {0};
    struct reading got;
    enum ens_status s;

    ck_assert_int_eq(ens_fault_new(&io, faults[_i].spec, &err), ENS_OK);
    s = run_begin(&r, &dir, io, &o, 1);
    if (s == ENS_OK) {
        for (int g = 0; g < 12 && s == ENS_OK; g++)
            s = run_group(&r, 1 + g * 7, (size_t)g * 700);
        run_crash(&r);
    } else {
        ens_epoch_abandon(&r.epoch);
    }
    if (faults[_i].survives)
        ck_assert_int_eq(s, ENS_OK);
    else
        ck_assert(s == ENS_EIO || s == ENS_ENOSPACE);
    ck_assert_msg(read_all(&dir, &got, &err) == ENS_OK, "%s", err.text);
    ck_assert_uint_ge(got.last, r.acknowledged);
    ck_assert_uint_lt(got.last, r.next);
    ens_fault_free(io);
}
END_TEST

START_TEST(wrong_fault_is_refused)
{
    struct ens_io *io;
    struct ens_error err;

    ck_assert_int_eq(ens_fault_new(&io, "short,eio@", &err), ENS_EUSAGE);
    ck_assert_int_eq(ens_fault_new(&io, "enospc@5+x", &err), ENS_EUSAGE);
    ck_assert_int_eq(ens_fault_new(&io, "shorter", &err), ENS_EUSAGE);
}
END_TEST

/* Groups until it is killed; how many frames are acknowledged is in *seen. */
static void write_for_ever(uint64_t next, _Atomic uint64_t *seen)
{
    struct writer_run r;

    if (run_begin(&r, &dir, ens_io_default(), &plain, next) != ENS_OK)
        _exit(1);
    for (unsigned g = 0;; g++) {
        if (run_group(&r, 1 + (int)(g * 31 % 50), g * 977 % 3000) != ENS_OK)
            _exit(1);
        atomic_store(seen, r.acknowledged);
    }
}

START_TEST(killed_writer_loses_nothing_acknowledged)
{
    _Atomic uint64_t *seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t random = 12345, last = 0;

    ck_assert(seen != MAP_FAILED);
    for (int i = 0; i < 30; i++) {
        struct reading got;
        struct ens_error err = {0};
        pid_t child = fork();
        int status;

        if (child == 0)
            write_for_ever(last + 1, seen);
        if (i % 5 != 0) /* else: killed at some moment of its start */
            while (atomic_load(seen) == last &&
                   waitpid(child, &status, WNOHANG) == 0)
                ;
        random = random * 6364136223846793005u + 1442695040888963407u;
        usleep((useconds_t)(random >> 33) % 15000);
        kill(child, SIGKILL);
        waitpid(child, &status, 0);
        ck_assert_msg(read_all(&dir, &got, &err) == ENS_OK, "%s", err.text);
        ck_assert_uint_ge(got.last, atomic_load(seen));
        last = got.last;
        atomic_store(seen, last);
    }
    ck_assert_uint_gt(last, 100);
    munmap(seen, 4096);
}
END_TEST

/* What `status` does beside a running study. */
START_TEST(live_journal_can_be_read)
{
    struct writer_run r;
    struct ens_error err = {0};
    struct reading got;
    uint64_t last = 0;

    ck_assert_int_eq(run_begin(&r, &dir, ens_io_default(), &plain, 1), ENS_OK);
    for (int g = 0; g < 300; g++) {
        run_append(&r, 3, 500);
        ens_journal_seal(r.journal, NULL, 0);
        ck_assert_msg(read_all(&dir, &got, &err) == ENS_OK, "%s", err.text);
        ck_assert_uint_ge(got.last, last);
        last = got.last;
    }
    run_close(&r);
    expect(900);
}
END_TEST

START_TEST(throughput)
{
    struct writer_run r;
    unsigned char payload[16384] = {0};
    struct ens_buf frame = ENS_BUF_INIT;
    const int groups = 200, frames = 4;
    uint64_t t;

    ck_assert_int_eq(run_begin(&r, &dir, ens_io_default(), &plain, 1), ENS_OK);
    ens_frame_write(&frame, ENS_FRAME_RECORDS, 0, 0, 0, payload,
                    sizeof(payload), r.epoch.run_id);
    t = ens_clock_ns();
    for (int g = 0; g < groups; g++) {
        for (int i = 0; i < frames; i++)
            ens_journal_append(r.journal, frame.data, frame.len, 64);
        ens_journal_wait(r.journal);
        ck_assert_int_eq(ens_journal_seal(r.journal, NULL, 0), 1);
    }
    ens_journal_wait(r.journal);
    t = ens_clock_ns() - t;
    run_close(&r);
    printf("journal: %.0f us per commit of 64 KiB\n", (double)t / 1e3 / groups);
    ens_buf_fini(&frame);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("journal");
    TCase *t = tcase_create("journal");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, closed_journal_reads_back);
    tcase_add_test(t, epochs_follow_one_another);
    tcase_add_test(t, records_are_counted);
    tcase_add_test(t, full_disk_is_waited_for);
    tcase_add_test(t, nearly_full_disk_keeps_every_group);
    tcase_add_test(t, disk_that_stays_full_ends_the_journal);
    tcase_add_test(t, abandoning_does_not_wait_for_space);
    tcase_add_test(t, others_are_synced_before_the_group);
    tcase_add_test(t, owner_appends_while_the_thread_writes);
    tcase_add_test(t, slow_disk_is_slow);
    tcase_add_test(t, superseded_group_is_not_acknowledged);
    tcase_add_loop_test(t, faults_lose_nothing_acknowledged, 0,
                        sizeof(faults) / sizeof(faults[0]));
    tcase_add_test(t, wrong_fault_is_refused);
    tcase_add_test(t, killed_writer_loses_nothing_acknowledged);
    tcase_add_test(t, live_journal_can_be_read);
    tcase_add_test(t, throughput);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
