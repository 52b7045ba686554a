/* Copies of inputs on a node: the bytes of the files, one copy for all ranks
 * of a host, without a name; what comes from rank 0 is checked. */
#include "input_fixture.h"

#include "base/buf.h"
#include "study_fixture.h"
#include "transport/staging.h"

#include <stdlib.h>

#define RUN_ID  77u
#define SECONDS 20.0
#define N       3
#define ROWS    200000u
#define X_BYTES (2 * 8 * (size_t)ROWS)
#define PART    ((size_t)1000000)

struct rank { /* of a host */
    struct ens_stager *stager;
    int fd[N];
    struct ens_error err;
    int over;
    size_t n_wanted;
    uint32_t wanted[N];
};

static struct ens_study *study;
static struct ens_inputs inputs;
static struct ens_staged_file *file;
static unsigned char *x; /* content of X */
static uv_loop_t loop;
static char *tmpdir; /* as it was; NULL: not set */

static void setup(void)
{
    const char *text =
        "[study]\nkind = ruler\n"
        "[input X]\npath = x.bin\ndtype = <f8\nshape = 200000, 2\n"
        "[input part]\npath = X[2]\n"
        "[input Y]\npath = y.csv\n";
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err = {.status = 0};

    make_dir();
    tmpdir = getenv("TMPDIR") != NULL ? strdup(getenv("TMPDIR")) : NULL;
    ck_assert_int_eq(setenv("TMPDIR", dir, 1), 0);
    x = malloc(X_BYTES);
    ck_assert_ptr_nonnull(x);
    for (size_t i = 0; i < X_BYTES; i++)
        x[i] = (unsigned char)(i * 7 / 5);
    put("x.bin", x, X_BYTES);
    put_text("y.csv", "a,b\n1,2\n");
    ck_assert_msg(ens_study_parse(&study, "study.ini", text, strlen(text), dir,
                                  NULL, 0, &fix_all, &errors, &err) == ENS_OK,
                  "%s: %s", err.text, ens_buf_text(&errors));
    ens_buf_fini(&errors);
    ck_assert_msg(ens_inputs_open(&inputs, study, NULL, NULL, &err) == ENS_OK,
                  "%s", err.text);
    ck_assert_int_eq(ens_staged_files(&file, &inputs, &err), ENS_OK);
    ck_assert_int_eq(uv_loop_init(&loop), 0);
}

static void teardown(void)
{
    uv_run(&loop, UV_RUN_DEFAULT);
    ck_assert_int_eq(uv_loop_close(&loop), 0);
    free(file);
    free(x);
    ens_inputs_close(&inputs);
    ens_study_free(study);
    remove_dir();
    ck_assert_int_eq(
        tmpdir != NULL ? setenv("TMPDIR", tmpdir, 1) : unsetenv("TMPDIR"), 0);
    free(tmpdir);
}

static void on_want(void *arg, uint32_t input)
{
    struct rank *r = arg;

    ck_assert_uint_lt(r->n_wanted, N);
    r->wanted[r->n_wanted++] = input;
}

static void on_done(void *arg, const int *fd, size_t n,
                    const struct ens_error *err)
{
    struct rank *r = arg;

    ck_assert_int_eq(r->over, 0);
    r->over = 1;
    if (fd == NULL)
        r->err = *err;
    ck_assert(fd == NULL || n == N);
    for (size_t i = 0; fd != NULL && i < N; i++)
        r->fd[i] = fcntl(fd[i], F_DUPFD_CLOEXEC, 3);
}

/* sees: the inputs; NULL: all are to come from rank 0. */
static void begin(struct rank *r, uint32_t n, uint32_t index,
                  const struct ens_inputs *sees)
{
    const struct ens_stager_config c = {.n_ranks = n,
                                        .index = index,
                                        .run_id = RUN_ID,
                                        .study = study,
                                        .file = file,
                                        .inputs = sees,
                                        .arg = r,
                                        .want = on_want};
    struct ens_error err = {.status = 0};

    memset(r, 0, sizeof(*r));
    for (size_t i = 0; i < N; i++)
        r->fd[i] = -1;
    ck_assert_int_eq(ens_stager_new(&r->stager, &c, &err), ENS_OK);
    ck_assert_msg(ens_stager_begin(r->stager, &loop, on_done, r, &err) ==
                      ENS_OK,
                  "%s", err.text);
}

static void end(struct rank *r)
{
    for (size_t i = 0; i < N; i++)
        if (r->fd[i] >= 0)
            close(r->fd[i]);
    ens_stager_close(r->stager);
}

static int is_over(const struct rank *r)
{
    return r->over;
}

static int is_waiting(const struct rank *r)
{
    return r->over || r->n_wanted > 0;
}

static void turn(struct rank *r, int (*until)(const struct rank *r))
{
    uint64_t start = ens_clock_ns();

    while (!until(r)) {
        uv_run(&loop, UV_RUN_NOWAIT);
        ck_assert((double)(ens_clock_ns() - start) < SECONDS * 1e9);
    }
}

static void expect_content(int fd, int of)
{
    struct stat st, source;
    unsigned char *p;

    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_int_eq(fstat(of, &source), 0);
    ck_assert_uint_eq(st.st_nlink, 0);
    ck_assert_uint_ne(st.st_ino, source.st_ino);
    ck_assert_int_eq(st.st_size, source.st_size);
    p = malloc(2 * (size_t)st.st_size);
    ck_assert_ptr_nonnull(p);
    ck_assert_int_eq(ens_read_all(fd, p, (size_t)st.st_size, 0), 0);
    ck_assert_int_eq(ens_read_all(of, p + st.st_size, (size_t)st.st_size, 0),
                     0);
    ck_assert_mem_eq(p, p + st.st_size, (size_t)st.st_size);
    free(p);
    ck_assert_int_eq(write(fd, "x", 1), -1); /* for reading only */
}

static void expect_copies(const struct rank *r)
{
    struct stat a, b;

    ck_assert_msg(r->err.status == ENS_OK, "%s", r->err.text);
    for (size_t i = 0; i < N; i++)
        expect_content(r->fd[i], inputs.item[i].fd);
    ck_assert_int_eq(fstat(r->fd[0], &a), 0);
    ck_assert_int_eq(fstat(r->fd[1], &b), 0);
    ck_assert_uint_eq(a.st_ino, b.st_ino); /* of X, for its columns too */
}

START_TEST(copies_have_the_bytes_and_no_name)
{
    uint64_t done, all;
    struct rank r;

    begin(&r, 1, 0, &inputs);
    ens_stager_progress(r.stager, &done, &all);
    ck_assert_uint_eq(done, 0);
    ck_assert_uint_eq(all, X_BYTES + file[2].bytes);
    turn(&r, is_over);
    expect_copies(&r);
    ens_stager_progress(r.stager, &done, &all);
    ck_assert_uint_eq(done, all);
    ck_assert_uint_eq(r.n_wanted, 0);
    end(&r);
}
END_TEST

START_TEST(ranks_of_a_host_share_one_copy)
{
    struct rank r[4];
    struct stat a, b;

    /* the others may be first */
    for (uint32_t i = 4; i-- > 0;)
        begin(&r[i], 4, i, i == 0 ? &inputs : NULL);
    for (uint32_t i = 0; i < 4; i++) {
        turn(&r[i], is_over);
        expect_copies(&r[i]);
        ck_assert_int_eq(fstat(r[0].fd[2], &a), 0);
        ck_assert_int_eq(fstat(r[i].fd[2], &b), 0);
        ck_assert_uint_eq(a.st_ino, b.st_ino);
    }
    for (uint32_t i = 0; i < 4; i++)
        end(&r[i]);
}
END_TEST

/* As rank 0 does. */
static enum ens_status send_file(struct rank *r, uint32_t input,
                                 struct ens_error *err)
{
    struct ens_hasher *h = ens_hasher_new();
    struct ens_staged_part p = {.input = input};
    unsigned char *bytes = malloc(PART);
    enum ens_status s = ENS_OK;

    ck_assert(h != NULL && bytes != NULL);
    ens_hasher_begin(h);
    while (s == ENS_OK && !p.is_last) {
        int64_t n = ens_read_at(inputs.item[input].fd, bytes, PART, p.offset);

        ck_assert_int_ge(n, 0);
        p.n = (size_t)n;
        p.data = bytes;
        p.is_last = n == 0;
        ens_hasher_put(h, bytes, p.n);
        p.hash = ens_hasher_end(h);
        s = ens_stager_put(r->stager, &p, err);
        p.offset += p.n;
    }
    ens_hasher_free(h);
    free(bytes);
    return s;
}

START_TEST(files_that_are_not_seen_come_in_parts)
{
    uint64_t start = ens_clock_ns();
    struct ens_error err = {.status = 0};
    struct rank r;
    size_t n_sent = 0;

    begin(&r, 1, 0, NULL);
    while (!r.over) {
        uv_run(&loop, UV_RUN_NOWAIT);
        if (r.n_wanted > n_sent)
            ck_assert_msg(send_file(&r, r.wanted[n_sent++], &err) == ENS_OK,
                          "%s", err.text);
        ck_assert((double)(ens_clock_ns() - start) < SECONDS * 1e9);
    }
    expect_copies(&r);
    ck_assert_uint_eq(r.n_wanted, 2);
    ck_assert(r.wanted[0] == 0 && r.wanted[1] == 2);
    end(&r);
}
END_TEST

/* Another file under that path on this host. */
START_TEST(another_file_is_not_taken_for_it)
{
    struct rank r;

    if (_i == 0)
        file[0].sample++;
    else
        file[0].bytes = ++file[1].bytes;
    begin(&r, 1, 0, &inputs);
    turn(&r, is_waiting);
    ck_assert(!r.over && r.wanted[0] == 0);
    end(&r);
}
END_TEST

static const struct {
    struct ens_staged_part p;
    int late; /* it is found when all is read back */
} bad_parts[] = {
    {{.input = 2, .n = 8}, 0},                     /* not asked for */
    {{.input = 0, .offset = 8, .n = 8}, 0},        /* a hole */
    {{.input = 0, .n = X_BYTES + 1}, 0},           /* too long */
    {{.input = 0, .is_last = 1}, 0},               /* too short */
    {{.input = 0, .is_last = 1, .n = X_BYTES}, 0}, /* the last one is empty */
    {{.input = 0, .n = X_BYTES}, 1},               /* its hash is another */
};

START_TEST(parts_are_checked)
{
    struct ens_staged_part p = bad_parts[_i].p;
    struct ens_staged_part last = {
        .is_last = 1, .offset = X_BYTES, .hash = 12345};
    unsigned char *bytes = calloc(1, X_BYTES + 1);
    struct ens_error err = {.status = 0};
    struct rank r;

    ck_assert_ptr_nonnull(bytes);
    p.data = bytes;
    begin(&r, 1, 0, NULL);
    ck_assert_int_eq(ens_stager_put(r.stager, &p, &err), ENS_EPROTOCOL);
    turn(&r, is_waiting);
    ck_assert_int_eq(ens_stager_put(r.stager, &p, &err),
                     bad_parts[_i].late ? ENS_OK : ENS_EPROTOCOL);
    if (bad_parts[_i].late) {
        ck_assert_int_eq(ens_stager_put(r.stager, &last, &err), ENS_OK);
        turn(&r, is_over);
        ck_assert_int_eq(r.err.status, ENS_EIO);
        ck_assert_ptr_nonnull(strstr(r.err.text, "input X: its copy in "));
    }
    free(bytes);
    end(&r);
}
END_TEST

START_TEST(folder_that_is_not_there)
{
    struct rank r;

    ck_assert_int_eq(setenv("TMPDIR", "/nowhere/at/all", 1), 0);
    begin(&r, 1, 0, &inputs);
    turn(&r, is_over);
    ck_assert_int_eq(r.err.status, ENS_EIO);
    ck_assert_ptr_nonnull(strstr(r.err.text, "/nowhere/at/all on "));
    end(&r);
}
END_TEST

static const struct {
    struct ens_staged_file f[2];
    int ok;
} rows_of_files[] = {
    {{{1, 8, 0}, {2, 9, 1}}, 1}, {{{1, 8, 0}, {1, 8, 0}}, 1},
    {{{1, 8, 1}, {1, 8, 1}}, 0}, {{{1, 8, 0}, {1, 9, 0}}, 0},
    {{{1, 8, 0}, {1, 8, 7}}, 0}, {{{1, UINT64_MAX, 0}, {1, 8, 1}}, 0},
};

START_TEST(files_of_a_message_are_checked)
{
    ck_assert_int_eq(ens_staged_files_are_good(rows_of_files[_i].f, 2),
                     rows_of_files[_i].ok);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("staging");
    TCase *t = tcase_create("staging");
    SRunner *r = srunner_create(s);
    int failed;

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, copies_have_the_bytes_and_no_name);
    tcase_add_test(t, ranks_of_a_host_share_one_copy);
    tcase_add_test(t, files_that_are_not_seen_come_in_parts);
    tcase_add_loop_test(t, another_file_is_not_taken_for_it, 0, 2);
    tcase_add_loop_test(t, parts_are_checked, 0,
                        sizeof(bad_parts) / sizeof(*bad_parts));
    tcase_add_test(t, folder_that_is_not_there);
    tcase_add_loop_test(t, files_of_a_message_are_checked, 0,
                        sizeof(rows_of_files) / sizeof(*rows_of_files));
    suite_add_tcase(s, t);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
