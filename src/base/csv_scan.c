#include "base/csv_scan.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum state {
    BEFORE, /* of a field */
    PLAIN,  /* in a field without quotes */
    QUOTED, /* in quotes */
    QUOTE,  /* just behind a quote in quotes: its end, or half of "" */
    AFTER   /* behind the closing quote */
};

enum { STOPS_PLAIN = 1, STOPS_QUOTED = 2 };

void ens_csv_scan_init(struct ens_csv_scan *c, char delimiter,
                       ens_csv_field_fn *field, ens_csv_record_fn *record,
                       void *arg)
{
    memset(c, 0, offsetof(struct ens_csv_scan, text));
    c->field = field;
    c->record = record;
    c->arg = arg;
    c->delimiter = delimiter;
    c->line = c->record_line = 1;
    c->special[(unsigned char)delimiter] |= STOPS_PLAIN;
    if (delimiter == ' ')
        c->special['\t'] |= STOPS_PLAIN;
    c->special['"'] |= STOPS_QUOTED;
    c->special['\r'] = c->special['\n'] = STOPS_PLAIN | STOPS_QUOTED;
    c->special[0] = STOPS_PLAIN | STOPS_QUOTED;
}

static int is_blank(const struct ens_csv_scan *c, char b)
{
    return b == ' ' || (b == '\t' && c->delimiter != '\t');
}

static int is_delimiter(const struct ens_csv_scan *c, char b)
{
    return b == c->delimiter || (c->delimiter == ' ' && b == '\t');
}

static enum ens_status append(struct ens_csv_scan *c, const char *p, size_t n,
                              struct ens_error *err)
{
    if (n > sizeof(c->text) - c->n)
        return ens_fail(err, ENS_EINPUT,
                        "line %" PRIu64 ": a field of more than %d bytes%s",
                        c->quoted ? c->quote_line : c->line,
                        ENS_CSV_FIELD_BYTES,
                        c->quoted ? "; is a quote not closed?" : "");
    memcpy(c->text + c->n, p, n);
    c->n += n;
    return ENS_OK;
}

static enum ens_status end_field(struct ens_csv_scan *c, struct ens_error *err)
{
    const char *s = c->text;
    size_t n = c->n;

    /* in front there are none: a field begins with what is not a blank */
    while (!c->quoted && n > 0 && is_blank(c, s[n - 1]))
        n--;
    c->n = 0;
    c->quoted = 0;
    c->state = BEFORE;
    c->n_fields++;
    return c->field(c->arg, s, n, err);
}

static enum ens_status end_record(struct ens_csv_scan *c, struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    int nothing = c->state == BEFORE && c->n_fields == 0;
    /* blanks at the end of a line separate nothing when blanks separate */
    int open = c->state != BEFORE || c->delimiter != ' ';

    if (!nothing && open)
        s = end_field(c, err);
    if (s == ENS_OK && !nothing)
        s = c->record(c->arg, err);
    c->n_fields = 0;
    return s;
}

static enum ens_status end_line(struct ens_csv_scan *c, char b,
                                struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    int second = b == '\n' && c->after_cr;

    c->after_cr = b == '\r';
    if (second) /* the LF of a CRLF */
        return c->state == QUOTED ? append(c, &b, 1, err) : ENS_OK;
    s = c->state == QUOTED ? append(c, &b, 1, err) : end_record(c, err);
    c->line++;
    if (c->state != QUOTED)
        c->record_line = c->line;
    return s;
}

static enum ens_status step_before(struct ens_csv_scan *c, char b,
                                   struct ens_error *err)
{
    if (is_blank(c, b))
        return ENS_OK;
    if (is_delimiter(c, b))
        return end_field(c, err);
    if (b != '"') {
        c->state = PLAIN;
        return append(c, &b, 1, err);
    }
    c->state = QUOTED;
    c->quoted = 1;
    c->quote_line = c->line;
    return ENS_OK;
}

static enum ens_status step_after(struct ens_csv_scan *c, char b,
                                  struct ens_error *err)
{
    if (c->state == QUOTE && b == '"') {
        c->state = QUOTED;
        return append(c, &b, 1, err);
    }
    c->state = AFTER;
    if (is_delimiter(c, b))
        return end_field(c, err);
    if (is_blank(c, b))
        return ENS_OK;
    return ens_fail(err, ENS_EINPUT,
                    "line %" PRIu64 ": text behind a closing "
                    "quote; expected a delimiter",
                    c->line);
}

/* One byte that is not in the middle of a field. */
static enum ens_status step(struct ens_csv_scan *c, char b,
                            struct ens_error *err)
{
    if (b == '\0')
        return ens_fail(err, ENS_EINPUT,
                        "line %" PRIu64 ": a NUL byte; "
                        "expected text",
                        c->line);
    if (b == '\n' || b == '\r')
        return end_line(c, b, err);
    c->after_cr = 0;
    switch ((enum state)c->state) {
    case BEFORE:
        return step_before(c, b, err);
    case PLAIN:
        return end_field(c, err); /* only a delimiter comes here */
    case QUOTED:
        c->state = QUOTE;
        return ENS_OK;
    case QUOTE:
    case AFTER:
        break;
    }
    return step_after(c, b, err);
}

#define ONES  UINT64_C(0x0101010101010101)
#define HIGHS UINT64_C(0x8080808080808080)

/* Where in p, from k on, the present field may end. Eight bytes at a time: one
 * that is `own`, or below 14 as LF, CR and NUL are, sets its high bit in x or
 * y (bits behind the first may be set without cause). */
static size_t find_stop(const struct ens_csv_scan *c, const char *p, size_t k,
                        size_t n, unsigned char stop)
{
    unsigned char own = c->state == QUOTED ? '"' : (unsigned char)c->delimiter;

    while (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && n - k >= 8) {
        uint64_t word, x, y;

        memcpy(&word, p + k, sizeof(word));
        x = word ^ ONES * own;
        x = (x - ONES) & ~x;
        y = (word - ONES * 14) & ~word;
        x = (x | y) & HIGHS;
        if (x == 0) {
            k += 8;
            continue;
        }
        k += (size_t)__builtin_ctzll(x) / 8;
        if (c->special[(unsigned char)p[k]] & stop)
            return k;
        k++;
    }
    while (k < n && !(c->special[(unsigned char)p[k]] & stop))
        k++;
    return k;
}

/* A field without quotes, with its delimiter, that is all in the block: handed
 * out from there. The bytes taken; 0 when it is not of that sort. */
static size_t take_field(struct ens_csv_scan *c, const char *p, size_t n,
                         enum ens_status *s, struct ens_error *err)
{
    size_t end;
    size_t k;

    if (p[0] == '"' || is_blank(c, p[0]) ||
        (c->special[(unsigned char)p[0]] & STOPS_PLAIN) != 0)
        return 0;
    end = find_stop(c, p, 1, n, STOPS_PLAIN);
    if (end == n || !is_delimiter(c, p[end]) || end > ENS_CSV_FIELD_BYTES)
        return 0;
    for (k = end; is_blank(c, p[k - 1]);)
        k--;
    c->after_cr = 0;
    c->n_fields++;
    *s = c->field(c->arg, p, k, err);
    return end + 1;
}

enum ens_status ens_csv_scan_feed(struct ens_csv_scan *c, const char *p,
                                  size_t n, struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    size_t i = 0;

    while (i < n && s == ENS_OK) {
        unsigned char stop = c->state == PLAIN    ? STOPS_PLAIN
                             : c->state == QUOTED ? STOPS_QUOTED
                                                  : 0;
        size_t taken =
            c->state == BEFORE ? take_field(c, p + i, n - i, &s, err) : 0;
        size_t k = stop == 0 ? i : find_stop(c, p, i, n, stop);

        if (taken > 0) {
            i += taken;
            continue;
        }
        if (k > i) {
            c->after_cr = 0;
            s = append(c, p + i, k - i, err);
            i = k;
        } else {
            s = step(c, p[i++], err);
        }
    }
    return s;
}

enum ens_status ens_csv_scan_finish(struct ens_csv_scan *c,
                                    struct ens_error *err)
{
    if (c->state == QUOTED)
        return ens_fail(err, ENS_EINPUT,
                        "line %" PRIu64 ": a quote that is "
                        "not closed",
                        c->quote_line);
    return end_record(c, err);
}

/* -- the delimiter ------------------------------------------------------- */

#define SNIFF_RECORDS 20

struct sniff {
    struct ens_csv_scan scan;
    uint64_t fields;
    uint64_t first; /* fields of the first record */
    size_t records;
    int uneven;
};

static enum ens_status count_field(void *arg, const char *s, size_t n,
                                   struct ens_error *err)
{
    struct sniff *f = arg;

    (void)s;
    (void)n;
    (void)err;
    f->fields++;
    return ENS_OK;
}

static enum ens_status count_record(void *arg, struct ens_error *err)
{
    struct sniff *f = arg;

    (void)err;
    if (f->records == 0)
        f->first = f->fields;
    else if (f->records < SNIFF_RECORDS && f->fields != f->first)
        f->uneven = 1;
    f->fields = 0;
    f->records++;
    return ENS_OK;
}

/* Fields of the first record; 0 when the records differ. */
static uint64_t try_delimiter(struct sniff *f, char delimiter, const char *p,
                              size_t n, int whole, int *uneven)
{
    f->fields = f->first = 0;
    f->records = 0;
    f->uneven = 0;
    ens_csv_scan_init(&f->scan, delimiter, count_field, count_record, f);
    if (ens_csv_scan_feed(&f->scan, p, n, NULL) != ENS_OK ||
        (whole && ens_csv_scan_finish(&f->scan, NULL) != ENS_OK))
        f->uneven = 1;
    *uneven = f->uneven;
    return f->records > 0 ? f->first : f->fields;
}

char ens_csv_sniff(const char *p, size_t n, int whole)
{
    const char order[] = {'\t', ';', '|', ',', ' '};
    struct sniff *f = malloc(sizeof(*f));
    char best = ',';
    uint64_t most = 1;

    for (size_t i = 0; f != NULL && i < sizeof(order); i++) {
        int uneven;
        uint64_t k = try_delimiter(f, order[i], p, n, whole, &uneven);

        if (k > 1 && !uneven) {
            best = order[i];
            break;
        }
        /* none fits: the error is best told in terms of the likeliest */
        if (k > most && order[i] != ' ') {
            most = k;
            best = order[i];
        }
    }
    free(f);
    return best;
}
