#include "store/log.h"

#include "base/file.h"
#include "journal_make.h"
#include "store/commit.h"
#include "store/scan.h"

#include <fcntl.h>
#include <stddef.h>

#define N_CLOSED 5  /* frames in epoch 1: groups of 2 and 3 */
#define N_ALL    14 /* and in epoch 2, unclosed: 2, 3 and 4 */
#define N_SAFE   10 /* without the last group */

static struct folder dir;
static const struct ens_journal_options plain = {60, 0, NULL, NULL};

struct file {
    char path[300];
    unsigned char *bytes;
    size_t n;       /* as found: with its extension */
    size_t end;     /* of what was committed */
    size_t last_at; /* where the last group begins */
};
static struct file file[2];

static void load(struct file *f, int epoch, size_t end)
{
    struct ens_buf b = ENS_BUF_INIT;

    snprintf(f->path, sizeof(f->path), "%s/journal/%06d-01.ej", dir.path,
             epoch);
    ck_assert_int_eq(ens_file_read(&b, f->path, 1u << 26, NULL), ENS_OK);
    f->bytes = b.data;
    f->n = b.len;
    f->end = end;
}

static void store(const struct file *f, const void *p, size_t n)
{
    int fd = open(f->path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ens_write_all(fd, p, n), 0);
    close(fd);
}

static uint64_t bytes_of(const struct writer_run *r)
{
    struct ens_journal_state st;

    ens_journal_state(r->journal, &st);
    return st.bytes;
}

/* Epoch 1 closed, epoch 2 crashed; the files are loaded. last_extra: bytes
 * of each frame of the last group. */
static void make(size_t last_extra)
{
    struct writer_run r;
    uint64_t end1, end2, last_at;

    ck_assert_int_eq(run_begin(&r, &dir, ens_io_default(), &plain, 1), ENS_OK);
    ck_assert_int_eq(run_group(&r, 2, 0), ENS_OK);
    ck_assert_int_eq(run_group(&r, 3, 5), ENS_OK);
    end1 = bytes_of(&r);
    run_close(&r);
    ck_assert_int_eq(run_begin(&r, &dir, ens_io_default(), &plain, 6), ENS_OK);
    ck_assert_int_eq(run_group(&r, 2, 0), ENS_OK);
    ck_assert_int_eq(run_group(&r, 3, 1), ENS_OK);
    last_at = bytes_of(&r);
    ck_assert_int_eq(run_group(&r, 4, last_extra), ENS_OK);
    end2 = bytes_of(&r);
    run_crash(&r);
    load(&file[0], 1, end1);
    load(&file[1], 2, end2);
    file[1].last_at = last_at;
    ck_assert_uint_gt(file[1].n, file[1].end);
}

static void setup(void)
{
    folder_init(&dir);
}

static void teardown(void)
{
    free(file[0].bytes);
    free(file[1].bytes);
    memset(file, 0, sizeof(file));
    folder_fini(&dir);
}

/* Corruption must name the file and a byte. */
static void check_place(const struct file *f, const struct ens_error *err)
{
    ck_assert_msg(strstr(err->text, f->path) != NULL &&
                      strstr(err->text, "byte ") != NULL,
                  "%s", err->text);
}

static void expect(uint64_t last)
{
    struct reading r;
    struct ens_error err = {0};

    ck_assert_msg(read_all(&dir, &r, &err) == ENS_OK, "%s", err.text);
    ck_assert_uint_eq(r.last, last);
}

static void expect_corrupt(const struct file *f)
{
    struct reading r;
    struct ens_error err = {0};

    ck_assert_int_eq(read_all(&dir, &r, &err), ENS_ECORRUPT);
    check_place(f, &err);
}

/* A status read while the run goes on: what is mapped is the file as it was,
 * what is read from it may be more. */
START_TEST(scan_keeps_to_what_is_mapped)
{
    const struct file *f = &file[1];
    struct ens_segment_head head;
    uint64_t end = 0;
    int fd;

    make(0);
    ck_assert(ens_segment_head_read(&head, f->bytes, f->n));
    fd = open(f->path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    for (size_t size = f->last_at; size < f->end; size += 8) {
        ck_assert_int_eq(ens_scan_segment(fd, f->bytes, size, head.total_bytes,
                                          head.run_id, f->path, &end, NULL),
                         ENS_OK);
        ck_assert_uint_eq(end, f->last_at);
    }
    close(fd);
}
END_TEST

START_TEST(whole_journal_reads_back)
{
    make(9);
    expect(N_ALL);
    store(&file[1], file[1].bytes, file[1].end); /* without the extension */
    expect(N_ALL);
}
END_TEST

START_TEST(cut_of_the_last_segment_is_tail)
{
    struct reading r;
    struct ens_error err = {0};
    uint64_t last = 0;

    make(9);
    for (size_t n = 0; n <= file[1].end; n++) {
        store(&file[1], file[1].bytes, n);
        ck_assert_msg(read_all(&dir, &r, &err) == ENS_OK, "%s", err.text);
        ck_assert_uint_ge(r.last, last);
        ck_assert_uint_ge(r.last, N_CLOSED);
        ck_assert_uint_eq(r.last == N_ALL, n == file[1].end);
        last = r.last;
        if (n >= file[1].last_at)
            ck_assert_uint_ge(r.last, N_SAFE);
    }
}
END_TEST

START_TEST(cut_of_a_closed_segment_is_corruption)
{
    make(9);
    for (size_t n = 0; n < file[0].end; n++) {
        store(&file[0], file[0].bytes, n);
        expect_corrupt(&file[0]);
    }
    unlink(file[0].path);
    expect_corrupt(&file[1]); /* which names the missing one */
}
END_TEST

START_TEST(flip_in_a_closed_segment_is_corruption)
{
    struct file *f = &file[0];

    make(9);
    for (size_t bit = 0; bit < 8 * f->end; bit++) {
        f->bytes[bit / 8] ^= (unsigned char)(1u << (bit % 8));
        store(f, f->bytes, f->end);
        expect_corrupt(f);
        f->bytes[bit / 8] ^= (unsigned char)(1u << (bit % 8));
    }
}
END_TEST

START_TEST(flip_in_the_last_segment_is_seen)
{
    struct file *f = &file[1];
    size_t n;

    make(9);
    n = f->end + 4096;
    for (size_t bit = 0; bit < 8 * f->end; bit++) {
        f->bytes[bit / 8] ^= (unsigned char)(1u << (bit % 8));
        store(f, f->bytes, n);
        if (bit / 8 < f->last_at)
            expect_corrupt(f); /* later commits are there */
        else
            expect(N_SAFE);
        f->bytes[bit / 8] ^= (unsigned char)(1u << (bit % 8));
    }
}
END_TEST

START_TEST(flip_behind_the_end_means_nothing)
{
    struct file *f = &file[1];

    make(9);
    for (size_t at = f->end; at < f->end + 2000; at++) {
        f->bytes[at] ^= 0x45;
        store(f, f->bytes, f->end + 4096);
        expect(N_ALL);
    }
}
END_TEST

/* Pages reach a disk in any order; those of the last group may be missing in
 * any subset, its COMMIT there or not. */
START_TEST(missing_pages_of_the_last_group_are_tail)
{
    struct file *f = &file[1];
    unsigned char *p;
    size_t first, n_pages;

    make(5000);
    first = f->last_at / 4096;
    n_pages = (f->end - 1) / 4096 - first + 1;
    ck_assert_uint_ge(n_pages, 5);
    ck_assert_uint_le(n_pages, 8);
    p = malloc(f->n);
    for (unsigned set = 1; set < 1u << n_pages; set++) {
        memcpy(p, f->bytes, f->n);
        for (size_t i = 0; i < n_pages; i++) {
            size_t from = (first + i) * 4096, to = from + 4096;

            if (!(set >> i & 1))
                continue;
            if (from < f->last_at)
                from = f->last_at; /* the rest was synced before */
            memset(p + from, 0, to - from);
        }
        store(f, p, f->end + 4096);
        expect(N_SAFE);
    }
    free(p);
}
END_TEST

/* A third epoch fixes where the second ended: a group that the dying owner of
 * the second still wrote does not come back. */
START_TEST(later_segment_fixes_the_end)
{
    struct writer_run r;
    struct file *f = &file[1];

    make(9);
    store(f, f->bytes, f->last_at);
    ck_assert_int_eq(run_begin(&r, &dir, ens_io_default(), &plain, N_SAFE + 1),
                     ENS_OK);
    ck_assert_int_eq(run_group(&r, 2, 0), ENS_OK);
    run_crash(&r);
    store(f, f->bytes, f->n); /* a whole valid group more */
    expect(N_SAFE + 2);
    store(f, f->bytes, f->last_at - 1); /* but not a byte less */
    expect_corrupt(f);
}
END_TEST

START_TEST(segment_without_a_head_has_no_groups)
{
    struct writer_run r;
    struct file third = {0};
    struct ens_log log;
    struct ens_error err = {0};
    size_t head;

    make(9);
    ck_assert_int_eq(run_begin(&r, &dir, ens_io_default(), &plain, N_ALL + 1),
                     ENS_OK);
    head = bytes_of(&r);
    run_crash(&r);
    load(&third, 3, head);
    for (size_t n = 0; n <= head; n++) {
        store(&third, third.bytes, n);
        expect(N_ALL);
        ck_assert_int_eq(ens_log_open(&log, dir.path, NULL, &err), ENS_OK);
        ck_assert_uint_eq(log.n, 3);
        ck_assert_uint_eq(log.segment[2].end, n < head ? 0 : head);
        ens_log_close(&log);
    }
    /* and the next epoch goes on from there */
    store(&third, third.bytes, head / 2);
    ck_assert_int_eq(run_begin(&r, &dir, ens_io_default(), &plain, N_ALL + 1),
                     ENS_OK);
    ck_assert_int_eq(run_group(&r, 2, 0), ENS_OK);
    run_close(&r);
    expect(N_ALL + 2);
    free(third.bytes);
}
END_TEST

START_TEST(missing_last_segment_is_corruption)
{
    struct writer_run r;
    struct ens_error err = {0};
    struct reading got;
    char path[300];

    make(9);
    ck_assert_int_eq(run_begin(&r, &dir, ens_io_default(), &plain, N_ALL + 1),
                     ENS_OK);
    ck_assert_int_eq(run_group(&r, 2, 0), ENS_OK);
    run_close(&r);
    snprintf(path, sizeof(path), "%s/journal/000003-01.ej", dir.path);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(read_all(&dir, &got, &err), ENS_ECORRUPT);
    ck_assert_ptr_nonnull(strstr(err.text, path));
}
END_TEST

START_TEST(trusted_end_is_not_scanned)
{
    struct ens_log log;
    struct ens_error err = {0};
    struct ens_segment_end end = {2, 0};
    struct reading r = {0};

    make(9);
    end.end = file[1].last_at;
    ck_assert_int_eq(ens_log_open(&log, dir.path, &end, &err), ENS_OK);
    ck_assert_uint_eq(log.segment[1].end, file[1].last_at);
    ck_assert_int_eq(ens_log_walk(&log, NULL, read_frame, &r, &err), ENS_OK);
    ck_assert_uint_eq(r.last, N_SAFE);
    ens_log_close(&log);
    end.end = file[1].n + 8;
    ck_assert_int_eq(ens_log_open(&log, dir.path, &end, &err), ENS_ECORRUPT);
    check_place(&file[1], &err);
}
END_TEST

struct places {
    struct ens_log_at at[64];
    uint64_t number[64];
    size_t n;
};

static enum ens_status note_place(void *arg, const struct ens_segment *segment,
                                  struct ens_log_at at,
                                  const struct ens_frame *f,
                                  struct ens_error *err)
{
    struct places *p = arg;

    (void)segment;
    (void)err;
    if (f->type == ENS_FRAME_ATTEMPT) {
        p->at[p->n] = at;
        p->number[p->n++] = ens_get64(f->payload);
    }
    return ENS_OK;
}

START_TEST(walk_begins_anywhere_and_stops_when_told)
{
    struct ens_log log;
    struct ens_error err = {0};
    struct places all = {0};
    struct reading r;
    struct ens_log_at wrong;

    make(9);
    ck_assert_int_eq(ens_log_open(&log, dir.path, NULL, &err), ENS_OK);
    ck_assert_int_eq(ens_log_walk(&log, NULL, note_place, &all, &err), ENS_OK);
    ck_assert_uint_eq(all.n, N_ALL);
    for (size_t i = 0; i < all.n; i++) {
        memset(&r, 0, sizeof(r));
        r.last = all.number[i] - 1;
        ck_assert_int_eq(ens_log_walk(&log, &all.at[i], read_frame, &r, &err),
                         ENS_OK);
        ck_assert_uint_eq(r.last, N_ALL);
    }
    wrong = all.at[3];
    wrong.offset += 8;
    ck_assert_int_eq(ens_log_walk(&log, &wrong, note_place, &all, &err),
                     ENS_ECORRUPT);
    wrong.segment = 2;
    ck_assert_int_eq(ens_log_walk(&log, &wrong, note_place, &all, &err),
                     ENS_OK);
    ens_log_close(&log);
    ens_log_close(&log);
}
END_TEST

START_TEST(head_of_another_epoch_is_corruption)
{
    make(9);
    store(&file[1], file[0].bytes, file[0].end);
    expect_corrupt(&file[1]);
}
END_TEST

START_TEST(folder_without_segments_is_empty)
{
    struct ens_log log;

    ck_assert_int_eq(ens_log_open(&log, dir.path, NULL, NULL), ENS_OK);
    ck_assert_uint_eq(log.n, 0);
    ck_assert_int_eq(ens_log_walk(&log, NULL, read_frame, NULL, NULL), ENS_OK);
    ens_log_close(&log);
}
END_TEST

START_TEST(many_ends_fit_a_head)
{
    enum { N = 5000 };
    struct ens_segment_end *ends = calloc(N, sizeof(*ends));
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_segment_head h;

    for (uint32_t i = 0; i < N; i++) {
        ends[i].epoch = i + 1;
        ends[i].end = 1000 + i;
    }
    ens_segment_head_write(&b, 77, N + 1, ends, N);
    ck_assert(ens_segment_head_read(&h, b.data, b.len));
    ck_assert_uint_eq(h.run_id, 77);
    ck_assert_uint_eq(h.epoch, N + 1);
    ck_assert_uint_eq(h.n, ENS_SEGMENT_MAX_ENDS);
    ck_assert_uint_eq(h.total_bytes, b.len);
    ck_assert_uint_eq(ens_segment_head_end(&h, h.n - 1).epoch, N);
    ck_assert_uint_eq(ens_segment_head_end(&h, 0).end, 1000 + N - h.n);
    ens_buf_fini(&b);
    free(ends);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("log");
    TCase *t = tcase_create("log");
    SRunner *r;
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, whole_journal_reads_back);
    tcase_add_test(t, scan_keeps_to_what_is_mapped);
    tcase_add_test(t, cut_of_the_last_segment_is_tail);
    tcase_add_test(t, cut_of_a_closed_segment_is_corruption);
    tcase_add_test(t, flip_in_a_closed_segment_is_corruption);
    tcase_add_test(t, flip_in_the_last_segment_is_seen);
    tcase_add_test(t, flip_behind_the_end_means_nothing);
    tcase_add_test(t, missing_pages_of_the_last_group_are_tail);
    tcase_add_test(t, later_segment_fixes_the_end);
    tcase_add_test(t, segment_without_a_head_has_no_groups);
    tcase_add_test(t, missing_last_segment_is_corruption);
    tcase_add_test(t, trusted_end_is_not_scanned);
    tcase_add_test(t, walk_begins_anywhere_and_stops_when_told);
    tcase_add_test(t, head_of_another_epoch_is_corruption);
    tcase_add_test(t, folder_without_segments_is_empty);
    tcase_add_test(t, many_ends_fit_a_head);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
