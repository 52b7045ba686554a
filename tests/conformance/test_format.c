/* What every input format must do, looped over their table, with the same
 * three rows of two columns in each. A new format needs its line in
 * `samples`. */
#include "base/bug.h"
#include "input/mapped.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define MAX_BYTES 1024

static const struct ens_format *const formats[] = {
#define ENS_FORMAT(name) &ens_format_##name,
#include "input/formats.def"
#undef ENS_FORMAT
};
#define N_FORMATS ((int)ENS_COUNT(formats))

static const double values[6] = {1, 2.5, 3, 4.5, 5, 6.5}; /* row by row */

struct bytes {
    unsigned char p[MAX_BYTES];
    size_t n;
};

static char dir[64];

static enum ens_status open_bytes(struct ens_mapped *m, const char *name,
                                  const struct bytes *b, struct ens_error *err)
{
    struct ens_input_spec spec = {.name = "X"};
    const char *key;
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", dir, name);
    f = fopen(path, "wb");
    ck_assert(f != NULL);
    ck_assert_uint_eq(fwrite(b->p, 1, b->n, f), b->n);
    ck_assert_int_eq(fclose(f), 0);
    spec.path = path;
    spec.options.header = -1; /* not said */
    if (strcmp(name, "raw") == 0) {
        spec.options.dtype = "<f8";
        spec.options.has_shape = 1;
        spec.options.n_shape = 2;
        spec.options.shape[0] = 3;
        spec.options.shape[1] = 2;
    }
    return ens_mapped_open(m, &spec, -1, NULL, NULL, &key, err);
}

/* -- samples --------------------------------------------------------------- */

static void make_raw(struct bytes *b)
{
    b->n = sizeof(values);
    memcpy(b->p, values, sizeof(values));
}

static void make_npy(struct bytes *b)
{
    memset(b->p, ' ', 128);
    memcpy(b->p, "\x93NUMPY\x01\x00\x76\x00", 10);
    memcpy(b->p + 10,
           "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }", 59);
    b->p[127] = '\n';
    memcpy(b->p + 128, values, sizeof(values));
    b->n = 128 + sizeof(values);
}

static void make_csv(struct bytes *b)
{
    b->n = (size_t)snprintf((char *)b->p, MAX_BYTES,
                            "a,b\n1.0,2.5\n3.0,4.5\n5.0,6.5\n");
}

/* What a CSV becomes in the cache. */
static void make_columnar(struct bytes *b)
{
    struct ens_mapped m;
    struct ens_error err = {0};
    int64_t n;

    make_csv(b);
    ck_assert_msg(open_bytes(&m, "csv", b, &err) == ENS_OK, "%s", err.text);
    n = ens_read_at(m.fd, b->p, MAX_BYTES, 0);
    ck_assert(n > 0 && n < MAX_BYTES);
    b->n = (size_t)n;
    ens_mapped_close(&m);
}

static void put(struct bytes *b, uint64_t v, size_t n)
{
    for (size_t i = 0; i < n; i++, v >>= 8)
        b->p[b->n++] = (unsigned char)v;
}

/* The part that the two headers of a stored member share. */
static void put_member(struct bytes *b, uint32_t crc, uint32_t bytes)
{
    put(b, 20, 2); /* version needed */
    put(b, 0, 8);  /* flags, stored, time and date */
    put(b, crc, 4);
    put(b, bytes, 4);
    put(b, bytes, 4);
    put(b, 5, 2); /* length of the name */
    put(b, 0, 2);
}

/* An archive of one stored member, X.npy. */
static void make_npz(struct bytes *b)
{
    struct bytes npy;
    uint32_t crc;
    size_t directory;

    make_npy(&npy);
    crc = (uint32_t)crc32(0, npy.p, (uInt)npy.n);
    b->n = 0;
    put(b, 0x04034b50, 4);
    put_member(b, crc, (uint32_t)npy.n);
    memcpy(b->p + b->n, "X.npy", 5);
    b->n += 5;
    memcpy(b->p + b->n, npy.p, npy.n);
    b->n += npy.n;
    directory = b->n;
    put(b, 0x02014b50, 4);
    put(b, 20, 2);
    put_member(b, crc, (uint32_t)npy.n);
    put(b, 0, 14); /* no comment, disk 0, no attributes, at offset 0 */
    memcpy(b->p + b->n, "X.npy", 5);
    b->n += 5;
    put(b, 0x06054b50, 4);
    put(b, 0, 4);
    put(b, 1, 2);
    put(b, 1, 2);
    put(b, b->n - 12 - directory, 4);
    put(b, directory, 4);
    put(b, 0, 2);
}

static void make_mtx(struct bytes *b)
{
    b->n = (size_t)snprintf((char *)b->p, MAX_BYTES,
                            "%%%%MatrixMarket matrix array real general\n"
                            "3 2\n1\n3\n5\n2.5\n4.5\n6.5\n");
}

static const struct sample {
    const char *format;
    void (*make)(struct bytes *b);
    int is_text;      /* a shorter file may be a whole one */
    int keeps_digest; /* of the user's file, which this one was made from */
    size_t magic;     /* a file with less of it is another format's */
    size_t from_end;  /* where a value's last bits, or last digit, are */
    const char *file; /* its name */
} samples[] = {
    {"npy", make_npy, 0, 0, 0, 8, "npy"},
    {"npz", make_npz, 0, 0, 0, 8 + 51 + 22, "x.npz"},
    {"MatrixMarket", make_mtx, 1, 0, 14, 2, "MatrixMarket"},
    {"columnar", make_columnar, 0, 1, 8, 8, "columnar"},
    {"raw", make_raw, 0, 0, 0, 8, "raw"},
    {"csv", make_csv, 1, 0, 0, 2, "csv"},
};

static const struct sample *sample_of(int i)
{
    for (size_t k = 0; k < ENS_COUNT(samples); k++)
        if (strcmp(samples[k].format, formats[i]->name) == 0)
            return &samples[k];
    ck_abort_msg("format %s has no sample", formats[i]->name);
    return NULL;
}

/* -- tests ----------------------------------------------------------------- */

static int remove_entry(const char *path, const struct stat *st, int flag,
                        struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void setup(void)
{
    snprintf(dir, sizeof(dir), "/tmp/ensrun-formats-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    setenv("ENSRUN_CACHE", dir, 1);
}

static void teardown(void)
{
    nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

START_TEST(same_values_whatever_the_format)
{
    const struct sample *s = sample_of(_i);
    struct ens_error err = {0};
    struct ens_mapped m;
    struct bytes b;

    s->make(&b);
    for (int turn = 0; turn < 2; turn++) { /* also from the cache */
        ck_assert_msg(open_bytes(&m, s->file, &b, &err) == ENS_OK, "%s",
                      err.text);
        ck_assert_uint_eq(m.input.n_rows, 3);
        ck_assert_uint_eq(m.input.n_columns, 2);
        for (size_t j = 0; j < 2; j++) {
            double got[3];

            ens_view_f64(&m.input.columns[j].view, 0, 3, got);
            for (size_t i = 0; i < 3; i++)
                ck_assert_double_eq(got[i], values[2 * i + j]);
        }
        ens_mapped_close(&m);
    }
}
END_TEST

START_TEST(digest_is_of_the_content)
{
    const struct sample *s = sample_of(_i);
    const atomic_int stop = 0;
    struct ens_hash128 digest[3];
    struct ens_mapped m;
    struct bytes b;

    s->make(&b);
    for (int k = 0; k < 3; k++) {
        if (k == 2) /* another digit, or another last bits */
            b.p[b.n - s->from_end] ^= 1;
        ck_assert_int_eq(open_bytes(&m, s->file, &b, NULL), ENS_OK);
        ck_assert_int_eq(ens_mapped_digest(&m, &stop, &digest[k], NULL),
                         ENS_OK);
        ens_mapped_close(&m);
    }
    ck_assert_mem_eq(&digest[0], &digest[1], sizeof(*digest));
    ck_assert_int_eq(memcmp(&digest[0], &digest[2], sizeof(*digest)) == 0,
                     s->keeps_digest);
}
END_TEST

START_TEST(cut_short_is_refused_with_its_name)
{
    const struct sample *s = sample_of(_i);
    struct bytes whole, b;

    s->make(&whole);
    for (size_t n = s->magic; n < whole.n; n++) {
        struct ens_error err = {0};
        struct ens_mapped m;

        b = whole;
        b.n = n;
        if (open_bytes(&m, s->file, &b, &err) == ENS_OK) {
            ck_assert_msg(s->is_text, "%zu bytes", n);
            ck_assert_uint_le(m.input.n_rows, 3);
            ens_mapped_close(&m);
            continue;
        }
        ck_assert_int_eq(err.status, ENS_EINPUT);
        ck_assert_msg(strstr(err.text, s->format) != NULL, "%s", err.text);
    }
}
END_TEST

START_TEST(any_byte_may_be_wrong)
{
    const struct sample *s = sample_of(_i);
    struct bytes whole, b;

    s->make(&whole);
    for (size_t at = 0; at < whole.n; at++) {
        struct ens_error err = {0};
        struct ens_mapped m;

        b = whole;
        b.p[at] ^= 0xff;
        if (open_bytes(&m, s->file, &b, &err) == ENS_OK)
            ens_mapped_close(&m);
        else
            ck_assert_msg(err.status == ENS_EINPUT && err.text[0] != '\0',
                          "byte %zu: %s", at, err.text);
    }
}
END_TEST

int main(void)
{
    Suite *s = suite_create("formats");
    TCase *t = tcase_create("each");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, same_values_whatever_the_format, 0, N_FORMATS);
    tcase_add_loop_test(t, digest_is_of_the_content, 0, N_FORMATS);
    tcase_add_loop_test(t, cut_short_is_refused_with_its_name, 0, N_FORMATS);
    tcase_add_loop_test(t, any_byte_may_be_wrong, 0, N_FORMATS);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? 0 : 1;
}
