#include "input/csv.h"

#include "base/decimal.h"
#include "base/number.h"
#include "input/csv_stream.h"
#include "input/levels.h"
#include "input/mapped.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BOM "\xef\xbb\xbf"

enum {
    SEEN_BOOL = 1,
    SEEN_NUMBER = 2,
    SEEN_REAL = 4,
    SEEN_NAME = 8,
    SEEN_TEXT = 16
};

struct seen { /* in a column */
    unsigned flags;
    const char *refused; /* the error, unless the column is one of text */
};

struct learn {
    struct ens_csv *csv;
    struct ens_csv_scan scan;
    struct ens_table_column *column; /* grows; moved to the arena at the end */
    struct seen *seen;
    size_t cap;
    uint64_t n_columns;
    uint64_t n_rows;
    uint64_t at;   /* field of the present record */
    int in_header; /* the record with the names */
    int is_first;  /* the record that fixes the number of columns */
};

/* -- values --------------------------------------------------------------- */

static int is_word(const char *s, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(s, word, n) == 0;
}

static int is_bool(const char *s, size_t n)
{
    return is_word(s, n, "true") || is_word(s, n, "false") ||
           is_word(s, n, "TRUE") || is_word(s, n, "FALSE") ||
           is_word(s, n, "True") || is_word(s, n, "False");
}

static int is_missing(const struct ens_csv_options *o, const char *s, size_t n)
{
    if (n == 0)
        return 1;
    for (size_t i = 0; i < o->n_missing; i++)
        if (is_word(s, n, o->missing[i]))
            return 1;
    return o->n_missing == 0 && is_word(s, n, "NA");
}

static size_t digits(const char *s, size_t n, size_t i)
{
    return i + ens_decimal_digits(s + i, n - i);
}

/* [+-] digits [. digits] [e [+-] digits], at least one digit before e: told
 * from its form, as a conversion would cost ten times as much. */
static int is_decimal(const char *s, size_t n, int *is_integer)
{
    size_t i = n > 0 && (s[0] == '+' || s[0] == '-') ? 1 : 0;
    size_t k = digits(s, n, i);
    size_t found = k - i;

    *is_integer = k == n && found > 0;
    if (k < n && s[k] == '.') {
        i = k + 1;
        k = digits(s, n, i);
        found += k - i;
    }
    if (found == 0)
        return 0;
    if (k < n && (s[k] | 32) == 'e') {
        i = k + 1;
        i += i < n && (s[i] == '+' || s[i] == '-') ? 1 : 0;
        k = digits(s, n, i);
        if (k == i)
            return 0;
    }
    return k == n;
}

const char *ens_csv_trim(const char *s, size_t *n)
{
    while (*n > 0 && (s[*n - 1] == ' ' || s[*n - 1] == '\t'))
        --*n;
    while (*n > 0 && (*s == ' ' || *s == '\t')) {
        s++;
        --*n;
    }
    return s;
}

enum ens_csv_value ens_csv_classify(const struct ens_csv_options *o,
                                    const char *s, size_t n)
{
    int is_integer;
    double d;
    int64_t i;

    s = ens_csv_trim(s, &n);
    if (is_missing(o, s, n))
        return ENS_CSV_MISSING;
    if (is_decimal(s, n, &is_integer)) {
        if (is_integer && ens_number_parse_i64(s, n, &i) == 0)
            return ENS_CSV_INT;
        /* longer than the reader of numbers takes */
        return n < 400 ? ENS_CSV_REAL : ENS_CSV_TEXT;
    }
    if (is_bool(s, n))
        return ENS_CSV_BOOL;
    if (ens_number_parse(s, n, &d) != 0)
        return ENS_CSV_TEXT;
    return d != d ? ENS_CSV_MISSING : ENS_CSV_REAL; /* nan, or inf */
}

/* -- names ---------------------------------------------------------------- */

static int is_name(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)s[i] < 32 || s[i] == 127)
            return 0;
    return n <= 1024 && ens_utf8_valid(s, n) == n;
}

static enum ens_status add_column(struct learn *l, struct ens_error *err)
{
    if (l->n_columns == ENS_MAX_COLUMNS)
        return ens_fail(err, ENS_EINPUT,
                        "line %" PRIu64 ": more than %u "
                        "columns",
                        l->scan.line, ENS_MAX_COLUMNS);
    if (l->n_columns == l->cap) {
        size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
        void *c = realloc(l->column, cap * sizeof(*l->column));
        void *f;

        if (c != NULL)
            l->column = c;
        f = realloc(l->seen, cap * sizeof(*l->seen));
        if (f != NULL)
            l->seen = f;
        if (c == NULL || f == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
        l->cap = cap;
    }
    memset(&l->column[l->n_columns], 0, sizeof(*l->column));
    memset(&l->seen[l->n_columns++], 0, sizeof(*l->seen));
    return ENS_OK;
}

/* A column's name; n 0: V and its number, as R does. */
static enum ens_status set_name(struct learn *l, const char *s, size_t n,
                                struct ens_error *err)
{
    uint64_t k = l->n_columns;
    struct ens_arena *a = &l->csv->arena;
    char shown[48];
    char *name;

    if (!is_name(s, n))
        return ens_fail(err, ENS_EINPUT,
                        "line %" PRIu64 ": column %" PRIu64 ": name '%s'; "
                        "expected printable UTF-8 of at most 1024 bytes",
                        l->scan.record_line, k, ens_csv_shown(shown, s, n));
    name = n > 0 ? ens_arena_strndup(a, s, n)
                 : ens_arena_printf(a, "V%" PRIu64, k);
    if (name == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    l->column[k - 1].name = name;
    return ENS_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct ens_table_column *const *x = a;
    const struct ens_table_column *const *y = b;
    int c = strcmp((*x)->name, (*y)->name);

    return c != 0 ? c : (*x > *y) - (*x < *y);
}

static enum ens_status check_names_differ(const struct learn *l,
                                          struct ens_error *err)
{
    const struct ens_table_column **p;
    enum ens_status s = ENS_OK;
    char shown[48];

    p = malloc((size_t)l->n_columns * sizeof(*p));
    if (p == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (uint64_t i = 0; i < l->n_columns; i++)
        p[i] = &l->column[i];
    qsort(p, (size_t)l->n_columns, sizeof(*p), by_name);
    for (uint64_t i = 1; i < l->n_columns && s == ENS_OK; i++)
        if (strcmp(p[i - 1]->name, p[i]->name) == 0)
            s = ens_fail(err, ENS_EINPUT,
                         "line %" PRIu64 ": columns %td and %td are both named "
                         "'%s'",
                         l->scan.record_line, p[i - 1] - l->column + 1,
                         p[i] - l->column + 1,
                         ens_csv_shown(shown, p[i]->name, strlen(p[i]->name)));
    free(p);
    return s;
}

/* -- records -------------------------------------------------------------- */

/* An error that holds unless the column turns out to be one of text. */
static enum ens_status refuse_later(struct learn *l, const char *s, size_t n,
                                    const char *what, struct ens_error *err)
{
    struct seen *seen = &l->seen[l->at];
    char shown[48];

    if (seen->refused == NULL)
        seen->refused = ens_arena_printf(
            &l->csv->arena,
            "line %" PRIu64 ", column %" PRIu64 " (%s): '%s' %s",
            l->scan.record_line, l->at + 1, l->column[l->at].name,
            ens_csv_shown(shown, s, n), what);
    return seen->refused != NULL
               ? ENS_OK
               : ens_fail(err, ENS_ENOMEMORY, "out of memory");
}

static int is_decimal_comma(const char *s, size_t n)
{
    const char *comma = memchr(s, ',', n);

    return comma != NULL && strspn(s, "0123456789,+-.eE") >= n &&
           memchr(comma + 1, ',', n - (size_t)(comma + 1 - s)) == NULL;
}

static enum ens_status learn_text(struct learn *l, const char *s, size_t n,
                                  struct ens_error *err)
{
    char shown[48];

    if (is_decimal_comma(s, n))
        return refuse_later(l, s, n,
                            "is not a number; decimal commas are not read "
                            "(for a missing value see the key `missing`)",
                            err);
    l->seen[l->at].flags |= SEEN_TEXT;
    if (ens_utf8_valid(s, n) == n)
        return ENS_OK;
    return ens_fail(err, ENS_EINPUT,
                    "line %" PRIu64 ", column %" PRIu64 " (%s): '%s' is not "
                    "UTF-8; convert: iconv -f LATIN1 -t UTF-8 FILE > out.csv",
                    l->scan.record_line, l->at + 1, l->column[l->at].name,
                    ens_csv_shown(shown, s, ens_utf8_valid(s, n)));
}

static enum ens_status learn_value(struct learn *l, const char *s, size_t n,
                                   struct ens_error *err)
{
    enum ens_csv_value v = ens_csv_classify(&l->csv->options, s, n);
    unsigned *seen = &l->seen[l->at].flags;

    switch (v) {
    case ENS_CSV_MISSING:
        l->column[l->at].n_missing++;
        return ENS_OK;
    case ENS_CSV_TEXT:
        return learn_text(l, s, n, err);
    case ENS_CSV_BOOL:
        *seen |= SEEN_BOOL;
        break;
    case ENS_CSV_INT:
        *seen |= SEEN_NUMBER;
        break;
    case ENS_CSV_REAL:
        *seen |= SEEN_NUMBER | SEEN_REAL;
        break;
    }
    if ((*seen & SEEN_BOOL) != 0 && (*seen & SEEN_NUMBER) != 0)
        return refuse_later(l, s, n,
                            v == ENS_CSV_BOOL ? "in a column of numbers"
                                              : "in a column of true and false",
                            err);
    return ENS_OK;
}

static enum ens_status learn_field(void *arg, const char *s, size_t n,
                                   struct ens_error *err)
{
    struct learn *l = arg;
    enum ens_status status = ENS_OK;

    if (l->in_header)
        s = ens_csv_trim(s, &n);
    if (l->is_first) {
        status = add_column(l, err);
        if (status == ENS_OK)
            status = set_name(l, s, l->in_header ? n : 0, err);
    } else if (l->at >= l->n_columns) {
        return ens_fail(err, ENS_EINPUT,
                        "line %" PRIu64 ": more than %" PRIu64 " fields; the "
                        "first line has %" PRIu64,
                        l->scan.record_line, l->n_columns, l->n_columns);
    }
    if (status != ENS_OK)
        return status;
    if (!l->in_header)
        status = learn_value(l, s, n, err);
    else if (ens_csv_classify(&l->csv->options, s, n) > ENS_CSV_REAL)
        l->seen[l->at].flags = SEEN_NAME;
    l->at++;
    return status;
}

static enum ens_status end_header(struct learn *l, struct ens_error *err)
{
    int named = 0;

    for (uint64_t i = 0; i < l->n_columns; i++) {
        named |= l->seen[i].flags != 0;
        l->seen[i].flags = 0;
    }
    if (!named && l->csv->options.header < 0)
        return ens_fail(err, ENS_EINPUT,
                        "line %" PRIu64 ": expected the names of the columns, "
                        "found numbers only; say `header = no` when there are "
                        "none, `header = yes` when these are they",
                        l->scan.record_line);
    return check_names_differ(l, err);
}

static enum ens_status learn_record(void *arg, struct ens_error *err)
{
    struct learn *l = arg;
    enum ens_status s = ENS_OK;

    if (l->at != l->n_columns)
        return ens_fail(err, ENS_EINPUT,
                        "line %" PRIu64 ": %" PRIu64 " fields; the first line "
                        "has %" PRIu64,
                        l->scan.record_line, l->at, l->n_columns);
    if (l->in_header)
        s = end_header(l, err);
    else
        l->n_rows++;
    l->in_header = l->is_first = 0;
    l->at = 0;
    return s;
}

/* -- the pass ------------------------------------------------------------- */

/* The head of what is packed in place of the file's. */
static enum ens_status unpack_head(const struct ens_csv *csv, char **head,
                                   int64_t *n, int *whole,
                                   struct ens_error *err)
{
    char *packed = *head;
    char *to = malloc(ENS_HEAD_BYTES);
    const char *what;
    size_t got = to == NULL
                     ? 0
                     : ens_inflate_head((enum ens_packing)csv->packing, packed,
                                        (size_t)*n, to, ENS_HEAD_BYTES);

    free(packed);
    *head = to;
    *n = (int64_t)got;
    *whole = *whole && got < ENS_HEAD_BYTES;
    if (to == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    what = got >= 6 && memcmp(to, "\x93NUMPY", 6) == 0 ? "a packed .npy file"
           : got >= 14 && memcmp(to, "%%MatrixMarket", 14) == 0
               ? "a packed MatrixMarket file"
               : NULL;
    if (what == NULL)
        return ENS_OK;
    free(to);
    return ens_fail(err, ENS_EINPUT,
                    "is %s, which cannot be mapped; unpack it: %s FILE", what,
                    csv->packing == ENS_PACKED_GZIP ? "gunzip -k" : "unzstd");
}

static enum ens_status look_at_head(struct ens_csv *csv, int fd, uint64_t size,
                                    struct ens_error *err)
{
    char *head = malloc(ENS_HEAD_BYTES);
    enum ens_status s;
    int64_t n;
    int whole;

    if (head == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    n = ens_read_at(fd, head, ENS_HEAD_BYTES, 0);
    if (n < 0) {
        free(head);
        return ens_fail_errno(err, ENS_EINPUT, "cannot read");
    }
    whole = (uint64_t)n >= size;
    csv->packing = (int)ens_packing_of(head, (size_t)n);
    if (csv->packing != ENS_PACKED_NOT) {
        s = unpack_head(csv, &head, &n, &whole, err);
        if (s != ENS_OK)
            return s;
    }
    if (n >= 3 && memcmp(head, BOM, 3) == 0)
        csv->skip = 3;
    csv->delimiter = csv->options.delimiter;
    if (csv->delimiter == 0)
        csv->delimiter = ens_csv_sniff(head + csv->skip,
                                       (size_t)n - (size_t)csv->skip, whole);
    free(head);
    return ENS_OK;
}

static enum ens_status keep_columns(struct learn *l, struct ens_error *err)
{
    struct ens_table_head *h = &l->csv->head;

    if (l->n_columns == 0)
        return ens_fail(err, ENS_EINPUT,
                        "no line with names of columns: "
                        "nothing but blanks");
    h->column = ens_arena_alloc(&l->csv->arena, (size_t)l->n_columns,
                                sizeof(*h->column));
    if (h->column == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    h->n_rows = l->n_rows;
    h->n_columns = l->n_columns;
    h->options_hash = ens_csv_options_hash(&l->csv->options);
    for (uint64_t i = 0; i < l->n_columns; i++) {
        unsigned seen = l->seen[i].flags;
        int integer =
            seen != 0 && (seen & SEEN_REAL) == 0 && l->column[i].n_missing == 0;

        if (l->seen[i].refused != NULL && (seen & SEEN_TEXT) == 0)
            return ens_fail(err, ENS_EINPUT, "%s", l->seen[i].refused);
        h->column[i] = l->column[i];
        h->column[i].dtype = (seen & SEEN_TEXT) != 0 ? ENS_DT_I32
                             : integer               ? ENS_DT_I64
                                                     : ENS_DT_F64;
    }
    return ENS_OK;
}

static enum ens_status learn(struct learn *l, struct ens_csv_stream *st,
                             struct ens_error *err)
{
    struct ens_csv *csv = l->csv;
    enum ens_status s;

    s = look_at_head(csv, st->fd, st->size, err);
    if (s != ENS_OK)
        return s;
    l->is_first = 1;
    l->in_header = csv->options.header != 0;
    ens_csv_scan_init(&l->scan, csv->delimiter, learn_field, learn_record, l);
    st->scan = &l->scan;
    st->skip = csv->skip;
    st->packing = (enum ens_packing)csv->packing;
    s = ens_csv_stream(st, err);
    if (s != ENS_OK)
        return s;
    csv->head.digest = st->digest;
    return keep_columns(l, err);
}

enum ens_status ens_csv_learn(struct ens_csv *csv, int fd, uint64_t size,
                              const struct ens_csv_options *o,
                              ens_csv_progress_fn *progress, void *arg,
                              struct ens_error *err)
{
    struct ens_csv_stream st = {.fd = fd,
                                .size = size,
                                .want_digest = 1,
                                .progress = progress,
                                .progress_arg = arg};
    struct learn *l = calloc(1, sizeof(*l));
    enum ens_status s;

    memset(csv, 0, sizeof(*csv));
    if (l == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    csv->options = *o;
    l->csv = csv;
    s = learn(l, &st, err);
    free(l->column);
    free(l->seen);
    free(l);
    if (s != ENS_OK)
        ens_csv_fini(csv);
    return s;
}

void ens_csv_fini(struct ens_csv *csv)
{
    ens_arena_fini(&csv->arena);
    memset(csv, 0, sizeof(*csv));
}
