#include "input/csv.h"

#include "base/bug.h"
#include "base/hash.h"

#include <check.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* -- the scanner ---------------------------------------------------------- */

static enum ens_status show_field(void *arg, const char *s, size_t n,
                                  struct ens_error *err)
{
    (void)err;
    ens_buf_puts(arg, "[");
    ens_buf_put(arg, s, n);
    ens_buf_puts(arg, "]");
    return ENS_OK;
}

static enum ens_status show_record(void *arg, struct ens_error *err)
{
    (void)err;
    ens_buf_puts(arg, "/");
    return ENS_OK;
}

static enum ens_status scan(struct ens_buf *to, char delimiter, const char *p,
                            size_t n, size_t block, struct ens_error *err)
{
    static struct ens_csv_scan c;
    enum ens_status s = ENS_OK;

    ens_csv_scan_init(&c, delimiter, show_field, show_record, to);
    for (size_t i = 0; i < n && s == ENS_OK; i += block)
        s = ens_csv_scan_feed(&c, p + i, n - i < block ? n - i : block, err);
    return s == ENS_OK ? ens_csv_scan_finish(&c, err) : s;
}

static const struct {
    char delimiter;
    const char *text;
    const char *seen; /* or the error */
} scans[] = {
    {',', "a,b\n1,2\n", "[a][b]/[1][2]/"},
    {',', "a,b\n1,2", "[a][b]/[1][2]/"},
    {',', "a,b\r\n1,2\r\n", "[a][b]/[1][2]/"},
    {',', "a,b\r1,2\r", "[a][b]/[1][2]/"},
    {',', "\n\na\n  \n\r\n1\n\n", "[a]/[1]/"},
    {',', " a , b\t\n", "[a][b]/"},
    {',', "a,,\n,,\n", "[a][][]/[][][]/"},
    {',', "\"a\",\"b \"\"c\"\" , d\"\n", "[a][b \"c\" , d]/"},
    {',', " \"a\" ,b\n", "[a][b]/"},
    {',', "\"a\nb\",c\n", "[a\nb][c]/"},
    {',', "\"a\r\nb\"\r\nc\r\n", "[a\r\nb]/[c]/"},
    {',', "\"\"\n\"\"", "[]/[]/"},
    {',', "a\"b,c\n", "[a\"b][c]/"},
    {';', "a,b;c\n", "[a,b][c]/"},
    {'\t', "a\t\tb\n", "[a][][b]/"},
    {' ', "  a  b \t c \n1 2 3\n", "[a][b][c]/[1][2][3]/"},
    {' ', "\"a b\"  c\n", "[a b][c]/"},
    {',', "a\n\"b,c\nd\n", "line 2: a quote that is not closed"},
    {',', "a\n\n\"b\"c\n", "line 3: text behind a closing quote"},
    {',', "a\r\n\"b\r\nc\"\r\n\"d\"x", "line 4: text behind a closing quote"},
    {',', "", ""},
    {',', "  ", ""},
};

/* Blocks end anywhere: the same records whatever their size. */
START_TEST(records_and_fields)
{
    const char *text = scans[_i].text;
    size_t n = strlen(text);

    for (size_t block = 1; block <= n + 1; block++) {
        struct ens_buf b = ENS_BUF_INIT;
        struct ens_error err = {.status = 0};
        enum ens_status s = scan(&b, scans[_i].delimiter, text, n, block, &err);

        if (s == ENS_OK)
            ck_assert_str_eq(ens_buf_text(&b), scans[_i].seen);
        else
            ck_assert_msg(strstr(err.text, scans[_i].seen) == err.text, "%s",
                          err.text);
        ens_buf_fini(&b);
    }
}
END_TEST

START_TEST(long_fields_and_nul_are_refused)
{
    size_t n = ENS_CSV_FIELD_BYTES + 2;
    char *p = malloc(n);
    struct ens_error err = {.status = 0};
    struct ens_buf b = ENS_BUF_INIT;

    memset(p, 'x', n);
    ck_assert_int_eq(scan(&b, ',', p, n, n, &err), ENS_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "line 1: a field of more than"));
    p[0] = '\n';
    p[1] = '"';
    ck_assert_int_eq(scan(&b, ',', p, n, 7, &err), ENS_EINPUT);
    ck_assert_ptr_nonnull(strstr(err.text, "line 2: a quote"));
    ck_assert_int_eq(scan(&b, ',', "a\nb\0c", 5, 5, &err), ENS_EINPUT);
    ck_assert_str_eq(err.text, "line 2: a NUL byte; expected text");
    free(p);
    ens_buf_fini(&b);
}
END_TEST

static const struct {
    const char *text;
    char delimiter;
} sniffs[] = {
    {"a,b\n1,2\n", ','},
    {"a;b\n1,5;2,5\n", ';'},
    {"a\tb c\n1\t2\n", '\t'},
    {"a|b\n1|2\n", '|'},
    {"a b\n1 2\n", ' '},
    {"\"a;x\",\"b;y\"\n1,2\n", ','},
    {"a\n1\n", ','},
    {"", ','},
    {"a,b\n1,2\n3\n", ','}, /* uneven: the error is told with commas */
    {"first name,x\n1,2\n", ','},
};

START_TEST(delimiter_is_found)
{
    const char *t = sniffs[_i].text;

    ck_assert_int_eq(ens_csv_sniff(t, strlen(t), 1), sniffs[_i].delimiter);
}
END_TEST

static const struct {
    const char *text;
    enum ens_csv_value value;
} kinds[] = {
    {"", ENS_CSV_MISSING},     {"NA", ENS_CSV_MISSING},
    {"nan", ENS_CSV_MISSING},  {"-NaN", ENS_CSV_MISSING},
    {"0", ENS_CSV_INT},        {"-12", ENS_CSV_INT},
    {"+7", ENS_CSV_INT},       {"9223372036854775807", ENS_CSV_INT},
    {"007", ENS_CSV_INT},      {"9223372036854775808", ENS_CSV_REAL},
    {"1.", ENS_CSV_REAL},      {".5", ENS_CSV_REAL},
    {"-1.5e-3", ENS_CSV_REAL}, {"1E5", ENS_CSV_REAL},
    {"inf", ENS_CSV_REAL},     {"-Infinity", ENS_CSV_REAL},
    {"true", ENS_CSV_BOOL},    {"FALSE", ENS_CSV_BOOL},
    {".", ENS_CSV_TEXT},       {"-", ENS_CSV_TEXT},
    {"1e", ENS_CSV_TEXT},      {"1e+", ENS_CSV_TEXT},
    {"1.2.3", ENS_CSV_TEXT},   {"0x10", ENS_CSV_TEXT},
    {"1 2", ENS_CSV_TEXT},     {"na", ENS_CSV_TEXT},
    {"e5", ENS_CSV_TEXT},      {"T", ENS_CSV_TEXT},
    {"1,5", ENS_CSV_TEXT},
};

START_TEST(values_are_told_apart)
{
    struct ens_csv_options o = {.header = -1};
    const char *s = kinds[_i].text;

    ck_assert_msg(ens_csv_classify(&o, s, strlen(s)) == kinds[_i].value, "%s",
                  s);
}
END_TEST

START_TEST(missing_is_what_the_study_says)
{
    const char *const words[] = {"-99", "none"};
    struct ens_csv_options o = {0, -1, 2, words};

    ck_assert_int_eq(ens_csv_classify(&o, "-99", 3), ENS_CSV_MISSING);
    ck_assert_int_eq(ens_csv_classify(&o, "none", 4), ENS_CSV_MISSING);
    ck_assert_int_eq(ens_csv_classify(&o, "", 0), ENS_CSV_MISSING);
    ck_assert_int_eq(ens_csv_classify(&o, "NA", 2), ENS_CSV_TEXT);
}
END_TEST

/* -- both passes ---------------------------------------------------------- */

struct form { /* a converted table, mapped */
    struct ens_table_head head;
    struct ens_arena arena;
    char *base;
    size_t bytes;
};

static int file_of(const char *text, size_t n)
{
    int fd = memfd_create("test", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, n), (ssize_t)n);
    return fd;
}

static enum ens_status make(struct form *f, const char *text, size_t n,
                            const struct ens_csv_options *o,
                            struct ens_error *err)
{
    struct ens_csv csv;
    struct stat st;
    int fd = file_of(text, n);
    int out = file_of("", 0);
    enum ens_status s = ens_csv_learn(&csv, fd, n, o, NULL, NULL, err);

    memset(f, 0, sizeof(*f));
    if (s == ENS_OK) {
        s = ens_csv_write(&csv, fd, n, out, NULL, NULL, err);
        ens_csv_fini(&csv);
    }
    if (s == ENS_OK) {
        ck_assert_int_eq(fstat(out, &st), 0);
        f->bytes = (size_t)st.st_size;
        f->base = mmap(NULL, f->bytes, PROT_READ, MAP_SHARED, out, 0);
        ck_assert(f->base != MAP_FAILED);
        s = ens_columnar_parse(&f->head, f->base, f->bytes, &f->arena, err);
    }
    close(fd);
    close(out);
    return s;
}

static void drop(struct form *f)
{
    if (f->base != NULL)
        munmap(f->base, f->bytes);
    ens_arena_fini(&f->arena);
}

static void value_text(char *to, const struct form *f, uint64_t row,
                       uint64_t column)
{
    const struct ens_table_column *c = &f->head.column[column];
    const char *p = f->base + c->offset + (size_t)8 * row;
    double d;
    int64_t i;
    int32_t code;

    if (c->dtype == ENS_DT_I32) {
        const char *level = f->base + c->levels_at;

        memcpy(&code, p - (size_t)4 * row, 4);
        for (int32_t k = 0; k < code; k++)
            level += strlen(level) + 1;
        snprintf(to, 40, "%s", code < 0 ? "-" : level);
        return;
    }
    memcpy(&d, p, 8);
    memcpy(&i, p, 8);
    if (c->dtype == ENS_DT_I64)
        snprintf(to, 40, "%" PRId64, i);
    else
        snprintf(to, 40, "%.17g", d);
}

/* "a:i b:d1 / 1 2.5 / ...": names, types, missing counts, values */
static void table_text(struct ens_buf *b, const struct form *f)
{
    char v[40];

    for (uint64_t j = 0; j < f->head.n_columns; j++) {
        const struct ens_table_column *c = &f->head.column[j];

        ens_buf_printf(b, "%s:%c", c->name,
                       c->dtype == ENS_DT_I64   ? 'i'
                       : c->dtype == ENS_DT_I32 ? 't'
                                                : 'd');
        if (c->dtype == ENS_DT_I32)
            ens_buf_printf(b, "[%u]", c->n_levels);
        if (c->n_missing > 0)
            ens_buf_printf(b, "%" PRIu64, c->n_missing);
        ens_buf_puts(b, " ");
    }
    for (uint64_t i = 0; i < f->head.n_rows; i++) {
        ens_buf_puts(b, "/");
        for (uint64_t j = 0; j < f->head.n_columns; j++) {
            value_text(v, f, i, j);
            ens_buf_printf(b, " %s", v);
        }
    }
}

static const struct {
    const char *text;
    int header;
    const char *table; /* or the error */
} tables[] = {
    {"a,b\n1,2.5\n-3,1e3\n", -1, "a:i b:d / 1 2.5/ -3 1000"},
    {"a,b\n1,NA\n,2\n", -1, "a:d1 b:d1 / 1 nan/ nan 2"},
    {"a;b\n1;2\n", -1, "a:i b:i / 1 2"},
    {"\xef\xbb\xbf\"a b\",c\r\n\"1\",\" 2\"\r\n", -1, "a b:i c:i / 1 2"},
    {"a,b\ntrue,1\nFALSE,0\n", -1, "a:i b:i / 1 1/ 0 0"},
    {"a\ntrue\nNA\nfalse\n", -1, "a:d1 / 1/ nan/ 0"},
    {"a,b\ntrue,1\nNA,0\n", -1, "a:d1 b:i / 1 1/ nan 0"},
    {"a\n9223372036854775807\n-9223372036854775808\n", -1,
     "a:i / 9223372036854775807/ -9223372036854775808"},
    {"a\n9223372036854775808\n", -1, "a:d / 9.2233720368547758e+18"},
    {"a,b\n,NA\n,\n", -1, "a:d2 b:d2 / nan nan/ nan nan"},
    {"a,b\ninf,-inf\n", -1, "a:d b:d / inf -inf"},
    {"a\n0.1\n-0\n", -1, "a:d / 0.10000000000000001/ -0"},
    {"1,2\n3,4\n", 0, "V1:i V2:i / 1 2/ 3 4"},
    {"1990,1991\n3,4\n", 1, "1990:i 1991:i / 3 4"},
    {"\"\",x\n1,2\n", -1, "V1:i x:i / 1 2"},
    {"a,b\n", -1, "a:d b:d "},
    {"1990,1991\n3,4\n", -1, "line 1: expected the names of the columns"},
    {"a,b,a\n1,2,3\n", -1, "line 1: columns 1 and 3 are both named 'a'"},
    {"a,b\n1,2\n3\n", -1, "line 3: 1 fields; the first line has 2"},
    {"a,b\n1,2\n3,4,5\n", -1, "line 3: more than 2 fields"},
    {"a,b\n1,2\n3,x y\n", -1, "a:i b:t[2] / 1 2/ 3 x y"},
    {"s,x\nb,1\na,2\nNA,3\nb,4\n,5\n", -1,
     "s:t[2]2 x:i / b 1/ a 2/ - 3/ b 4/ - 5"},
    {"s,t\nb,true\na,1\n10,x\n9,2\nB,2\n", -1,
     "s:t[5] t:t[4] / b true/ a 1/ 10 x/ 9 2/ B 2"},
    {"s\n\"\xc3\xa9, \"\"x\"\"\"\nz\n", -1, "s:t[2] / \xc3\xa9, \"x\"/ z"},
    {"x,s\n1,a\xff\n", -1,
     "line 2, column 2 (s): 'a' is not UTF-8; convert: iconv"},
    {"a;b\n1;2,5\n1;x\n", -1, "a:i b:t[2] / 1 2,5/ 1 x"},
    {"a;b\n1;2,5\n", -1,
     "line 2, column 2 (b): '2,5' is not a number; decimal "
     "commas"},
    {"a\n1\ntrue\n", -1, "line 3, column 1 (a): 'true' in a column of numbers"},
    {"a\ntrue\n2\n", -1, "line 3, column 1 (a): '2' in a column of true"},
    {"a,\"b\n1,2\n", -1, "line 1: a quote that is not closed"},
    {"a,\x01\n1,2\n", -1, "line 1: column 2: name '?'; expected printable"},
    {"a,\xff\n1,2\n", -1, "line 1: column 2: name '?'; expected"},
    {"a\n1234567890123456789012345678901234567\xe2\x82\xac\xe2\x82\xac\xff\n",
     -1,
     "line 2, column 1 (a): "
     "'1234567890123456789012345678901234567\xe2\x82\xac...' is not"},
    {"a\n123456789012345678901234567890123456789\xc3\xa9\xff\n", -1,
     "line 2, column 1 (a): '123456789012345678901234567890123456789...' is "
     "not"},
    {"\n \n", -1, "no line with names of columns"},
};

START_TEST(tables_and_errors)
{
    struct ens_csv_options o = {.header = tables[_i].header};
    struct ens_error err = {.status = 0};
    struct ens_buf b = ENS_BUF_INIT;
    struct form f;

    if (make(&f, tables[_i].text, strlen(tables[_i].text), &o, &err) == ENS_OK)
        table_text(&b, &f);
    else
        ens_buf_puts(&b, err.text);
    ck_assert_msg(strncmp(ens_buf_text(&b), tables[_i].table,
                          strlen(tables[_i].table)) == 0,
                  "%s\ninstead of\n%s", ens_buf_text(&b), tables[_i].table);
    ens_buf_fini(&b);
    drop(&f);
}
END_TEST

/* Several blocks of reading and several of writing, with quotes and missing
 * values at every place relative to their ends. */
START_TEST(large_table_by_blocks)
{
    enum { ROWS = 200000 };
    struct ens_csv_options o = {.header = -1};
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err = {.status = 0};
    struct ens_hash128 digest;
    struct form f;

    ens_buf_puts(&b, "i,\"x\",m\r\n");
    for (int i = 0; i < ROWS; i++)
        ens_buf_printf(&b, "%d,\"%d.5\",%s\r\n", i, i * 3,
                       i % 7 == 0 ? "NA" : "1");
    ck_assert_msg(make(&f, (char *)b.data, b.len, &o, &err) == ENS_OK, "%s",
                  err.text);
    digest = ens_hash128(b.data, b.len);
    ck_assert(f.head.digest.low == digest.low &&
              f.head.digest.high == digest.high);
    ck_assert_uint_eq(f.head.n_rows, ROWS);
    ck_assert_uint_eq(f.head.column[2].n_missing, (ROWS + 6) / 7);
    for (int i = 0; i < ROWS; i++) {
        int64_t id;
        double x;
        double m;

        memcpy(&id, f.base + f.head.column[0].offset + 8 * i, 8);
        memcpy(&x, f.base + f.head.column[1].offset + 8 * i, 8);
        memcpy(&m, f.base + f.head.column[2].offset + 8 * i, 8);
        ck_assert(id == i && x == i * 3 + 0.5);
        ck_assert(i % 7 == 0 ? isnan(m) : m == 1);
    }
    ens_buf_fini(&b);
    drop(&f);
}
END_TEST

START_TEST(changed_between_the_passes)
{
    static const char *const before = "a,b\n1,2\n3,4\n";
    static const char *const after[] = {"a,b\n1,2\n3,5\n", "a,b\n1,2\n3,x\n",
                                        "a,b\n1,2\n3,  \n", "a,b\n1,2,3,4\n",
                                        "a\n1\n2\n3\n4\n\n"};
    struct ens_csv_options o = {.header = -1};
    struct ens_error err = {.status = 0};
    size_t n = strlen(before);

    for (size_t i = 0; i < ENS_COUNT(after); i++) {
        struct ens_csv csv;
        int fd = file_of(before, n);
        int out = file_of("", 0);

        ck_assert_int_eq(ens_csv_learn(&csv, fd, n, &o, NULL, NULL, NULL),
                         ENS_OK);
        ck_assert_int_eq(pwrite(fd, after[i], n, 0), (ssize_t)n);
        ck_assert_int_eq(ens_csv_write(&csv, fd, n, out, NULL, NULL, &err),
                         ENS_EINPUT);
        ck_assert_ptr_nonnull(strstr(err.text, "the file changed"));
        ens_csv_fini(&csv);
        close(fd);
        close(out);
    }
}
END_TEST

/* Whatever byte of the header is wrong, the file is refused. */
/* More than a gathered block, so that codes are rewritten in several parts,
 * and more levels than the first hash table has room for. */
START_TEST(many_rows_of_text_get_sorted_levels)
{
    struct ens_csv_options o = {.header = -1};
    struct ens_error err = {.status = 0};
    struct ens_buf b = ENS_BUF_INIT;
    struct form f;
    char v[40];
    char want[40];

    ens_buf_puts(&b, "s,x\n");
    for (unsigned i = 0; i < 150001; i++)
        ens_buf_printf(&b, "t%u,%u\n", (i * 7919u) % 5003u, i);
    ck_assert_msg(make(&f, ens_buf_text(&b), b.len, &o, &err) == ENS_OK, "%s",
                  err.text);
    ck_assert_uint_eq(f.head.column[0].n_levels, 5003);
    for (unsigned i = 0; i < 150001; i += i < 149000 ? 997 : 1) {
        value_text(v, &f, i, 0);
        snprintf(want, sizeof(want), "t%u", (i * 7919u) % 5003u);
        ck_assert_str_eq(v, want);
        value_text(v, &f, i, 1);
        snprintf(want, sizeof(want), "%u", i);
        ck_assert_str_eq(v, want);
    }
    for (const char *s = f.base + f.head.column[0].levels_at, *next;
         s + strlen(s) + 1 < f.base + f.bytes; s = next) {
        next = s + strlen(s) + 1;
        ck_assert_int_lt(strcmp(s, next), 0);
    }
    drop(&f);
    ens_buf_fini(&b);
}
END_TEST

START_TEST(damaged_columnar_headers)
{
    struct ens_csv_options o = {.header = -1};
    const char *text = "a,b\n1,2\n3,4\n";
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_table_head h;
    struct form f;
    char *copy;

    ck_assert_int_eq(make(&f, text, strlen(text), &o, NULL), ENS_OK);
    copy = malloc(f.bytes);
    for (size_t i = 0; i < f.head.header_bytes; i++) {
        memcpy(copy, f.base, f.bytes);
        copy[i] ^= 1;
        ck_assert_int_eq(ens_columnar_parse(&h, copy, f.bytes, &arena, NULL),
                         ENS_EINPUT);
    }
    memcpy(copy, f.base, f.bytes);
    for (size_t n = 0; n < f.bytes; n++)
        ck_assert_int_eq(ens_columnar_parse(&h, copy, n, &arena, NULL),
                         ENS_EINPUT);
    ck_assert_int_eq(ens_columnar_parse(&h, copy, f.bytes, &arena, NULL),
                     ENS_OK);
    free(copy);
    ens_arena_fini(&arena);
    drop(&f);
}
END_TEST

int main(void)
{
    Suite *s = suite_create("csv");
    TCase *t = tcase_create("csv");
    SRunner *r;
    int failed;

    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, records_and_fields, 0, ENS_COUNT(scans));
    tcase_add_test(t, long_fields_and_nul_are_refused);
    tcase_add_loop_test(t, delimiter_is_found, 0, ENS_COUNT(sniffs));
    tcase_add_loop_test(t, values_are_told_apart, 0, ENS_COUNT(kinds));
    tcase_add_test(t, missing_is_what_the_study_says);
    tcase_add_loop_test(t, tables_and_errors, 0, ENS_COUNT(tables));
    tcase_add_test(t, large_table_by_blocks);
    tcase_add_test(t, changed_between_the_passes);
    tcase_add_test(t, many_rows_of_text_get_sorted_levels);
    tcase_add_test(t, damaged_columnar_headers);
    suite_add_tcase(s, t);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
