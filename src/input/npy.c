#include "input/npy.h"

#include "base/bug.h"
#include "base/number.h"
#include "input/dtype.h"
#include "input/format.h"
#include "input/mapped.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

struct text { /* the dict: where we are in it, and where it is in the file */
    const char *p;
    const char *end;
    const char *start;
    size_t offset; /* of start in the file */
};

static size_t at(const struct text *t)
{
    return t->offset + (size_t)(t->p - t->start);
}

static void skip_blanks(struct text *t)
{
    while (t->p < t->end && (*t->p == ' ' || *t->p == '\n' || *t->p == '\t'))
        t->p++;
}

static int next_is(struct text *t, char c)
{
    skip_blanks(t);
    return t->p < t->end && *t->p == c;
}

static enum ens_status expect(struct text *t, char c, struct ens_error *err)
{
    if (!next_is(t, c))
        return ens_fail(err, ENS_EINPUT,
                        "byte %zu: bad npy header: expected "
                        "'%c'",
                        at(t), c);
    t->p++;
    return ENS_OK;
}

/* A quoted text without escapes; lends it. */
static enum ens_status read_quoted(struct text *t, const char **s, size_t *n,
                                   struct ens_error *err)
{
    const char *close;

    if (!next_is(t, '\'') && !next_is(t, '"'))
        return ens_fail(err, ENS_EINPUT,
                        "byte %zu: bad npy header: expected a "
                        "quoted text",
                        at(t));
    close = memchr(t->p + 1, *t->p, (size_t)(t->end - t->p - 1));
    if (close == NULL)
        return ens_fail(err, ENS_EINPUT,
                        "byte %zu: bad npy header: a quote "
                        "that is not closed",
                        at(t));
    *s = t->p + 1;
    *n = (size_t)(close - *s);
    t->p = close + 1;
    return ENS_OK;
}

/* Types that numpy has and we do not, by the first letter of their code. */
static const struct {
    char letter;
    const char *what;
} refused[] = {
    {'O', "Python objects"},
    {'S', "bytes"},
    {'a', "bytes"},
    {'U', "text"},
    {'V', "raw records"},
    {'M', "dates"},
    {'m', "time spans"},
    {'f', "long doubles"},
    {'c', "long double complex numbers"},
};

#define CONVERT                                                                \
    "convert: python3 -c \"import numpy as np; np.save('out.npy', "            \
    "np.load('in.npy', allow_pickle=True).astype('f8'))\""

static enum ens_status refuse_type(const char *s, size_t n,
                                   struct ens_error *err)
{
    size_t skip = n > 0 && strchr("<>=|", s[0]) != NULL ? 1 : 0;
    int shown = n > 40 ? 40 : (int)n;

    for (size_t i = 0; n > skip && i < ENS_COUNT(refused); i++)
        if (s[skip] == refused[i].letter)
            return ens_fail(err, ENS_EINPUT,
                            "dtype '%.*s' holds %s, not numbers of a type that "
                            "is read; " CONVERT,
                            shown, s, refused[i].what);
    return ens_fail(err, ENS_EINPUT,
                    "unknown dtype '%.*s'; expected one of "
                    "f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8 b1 c8 c16",
                    shown, s);
}

static enum ens_status read_descr(struct text *t, struct ens_npy *npy,
                                  struct ens_error *err)
{
    const char *s;
    size_t n;
    enum ens_status status;

    if (next_is(t, '[') || next_is(t, '('))
        return ens_fail(err, ENS_EINPUT,
                        "a structured dtype (records with named fields) is not "
                        "read; convert: python3 -c \"import numpy as np; "
                        "a=np.load('in.npy'); np.savetxt('out.csv', a, "
                        "delimiter=',', header=','.join(a.dtype.names), "
                        "comments='')\"");
    status = read_quoted(t, &s, &n, err);
    if (status != ENS_OK)
        return status;
    if (memchr(s, '\0', n) != NULL)
        return ens_fail(err, ENS_EINPUT, "byte %zu: NUL in the npy header",
                        t->offset + (size_t)(s - t->start));
    if (ens_dtype_parse(s, n, &npy->dtype, &npy->swapped) != 0)
        return refuse_type(s, n, err);
    return ENS_OK;
}

static int take_word(struct text *t, const char *word)
{
    size_t n = strlen(word);

    skip_blanks(t);
    if ((size_t)(t->end - t->p) < n || memcmp(t->p, word, n) != 0)
        return 0;
    t->p += n;
    return 1;
}

static enum ens_status read_order(struct text *t, struct ens_npy *npy,
                                  struct ens_error *err)
{
    if (take_word(t, "True"))
        npy->fortran = 1;
    else if (take_word(t, "False"))
        npy->fortran = 0;
    else
        return ens_fail(err, ENS_EINPUT,
                        "byte %zu: bad npy header: "
                        "fortran_order is neither True nor False",
                        at(t));
    return ENS_OK;
}

static enum ens_status read_dimension(struct text *t, uint64_t *n,
                                      struct ens_error *err)
{
    const char *s;

    skip_blanks(t);
    s = t->p;
    if (next_is(t, '-'))
        return ens_fail(err, ENS_EINPUT,
                        "byte %zu: negative number in the "
                        "shape",
                        at(t));
    while (t->p < t->end && *t->p >= '0' && *t->p <= '9')
        t->p++;
    if (t->p == s)
        return ens_fail(err, ENS_EINPUT,
                        "byte %zu: bad npy header: expected a "
                        "number of the shape",
                        at(t));
    if (ens_number_parse_u64(s, (size_t)(t->p - s), n) != 0 || *n > INT64_MAX)
        return ens_fail(err, ENS_EINPUT,
                        "byte %zu: a number of the shape does "
                        "not fit 63 bits",
                        t->offset + (size_t)(s - t->start));
    if (t->p < t->end && *t->p == 'L') /* a long of Python 2 */
        t->p++;
    return ENS_OK;
}

static enum ens_status read_shape(struct text *t, struct ens_npy *npy,
                                  struct ens_error *err)
{
    enum ens_status s = expect(t, '(', err);

    npy->ndim = 0;
    while (s == ENS_OK && !next_is(t, ')')) {
        if (npy->ndim == ENS_MAX_NDIM)
            return ens_fail(err, ENS_EINPUT,
                            "byte %zu: more than %d "
                            "dimensions",
                            at(t), ENS_MAX_NDIM);
        s = read_dimension(t, &npy->shape[npy->ndim++], err);
        if (s != ENS_OK || next_is(t, ')'))
            break;
        s = expect(t, ',', err);
    }
    return s != ENS_OK ? s : expect(t, ')', err);
}

static const struct {
    const char *key;
    enum ens_status (*read)(struct text *t, struct ens_npy *npy,
                            struct ens_error *err);
} keys[] = {
    {"descr", read_descr},
    {"fortran_order", read_order},
    {"shape", read_shape},
};

static enum ens_status read_entry(struct text *t, struct ens_npy *npy,
                                  unsigned *seen, struct ens_error *err)
{
    const char *key;
    size_t n;
    size_t where = at(t);
    enum ens_status s = read_quoted(t, &key, &n, err);

    if (s == ENS_OK)
        s = expect(t, ':', err);
    if (s != ENS_OK)
        return s;
    for (size_t i = 0; i < ENS_COUNT(keys); i++) {
        if (strlen(keys[i].key) != n || memcmp(keys[i].key, key, n) != 0)
            continue;
        if ((*seen & 1u << i) != 0)
            return ens_fail(err, ENS_EINPUT,
                            "byte %zu: bad npy header: %s "
                            "twice",
                            where, keys[i].key);
        *seen |= 1u << i;
        return keys[i].read(t, npy, err);
    }
    return ens_fail(err, ENS_EINPUT, "byte %zu: bad npy header: unknown key",
                    where);
}

static enum ens_status read_dict(struct text *t, struct ens_npy *npy,
                                 struct ens_error *err)
{
    unsigned seen = 0;
    enum ens_status s = expect(t, '{', err);

    while (s == ENS_OK && !next_is(t, '}')) {
        s = read_entry(t, npy, &seen, err);
        if (s != ENS_OK || next_is(t, '}'))
            break;
        s = expect(t, ',', err);
    }
    if (s == ENS_OK)
        s = expect(t, '}', err);
    if (s != ENS_OK)
        return s;
    for (size_t i = 0; i < ENS_COUNT(keys); i++)
        if ((seen & 1u << i) == 0)
            return ens_fail(err, ENS_EINPUT, "bad npy header: no %s",
                            keys[i].key);
    skip_blanks(t);
    if (t->p != t->end)
        return ens_fail(err, ENS_EINPUT,
                        "byte %zu: bad npy header: text after "
                        "the dict",
                        at(t));
    return ENS_OK;
}

/* Where the dict is: bytes start .. start + length of the file. */
static enum ens_status find_dict(const unsigned char *p, size_t n,
                                 uint64_t file_size, size_t *start,
                                 size_t *length, struct ens_error *err)
{
    uint64_t bytes;

    if (n < sizeof(magic) || memcmp(p, magic, sizeof(magic)) != 0)
        return ens_fail(err, ENS_EINPUT,
                        "byte 0: not a .npy file: expected "
                        "the magic \\x93NUMPY");
    if (n < 10)
        return ens_fail(err, ENS_EINPUT,
                        "truncated: %zu bytes, a .npy header "
                        "has at least 10",
                        n);
    if (p[6] < 1 || p[6] > 3 || p[7] != 0)
        return ens_fail(err, ENS_EINPUT,
                        "byte 6: .npy version %d.%d; expected "
                        "1.0, 2.0 or 3.0",
                        p[6], p[7]);
    *start = p[6] == 1 ? 10 : 12;
    if (n < *start)
        return ens_fail(err, ENS_EINPUT,
                        "truncated: %zu bytes, the header of "
                        "version %d.0 has at least 12",
                        n, p[6]);
    bytes = (uint64_t)p[8] | (uint64_t)p[9] << 8;
    if (p[6] > 1)
        bytes |= (uint64_t)p[10] << 16 | (uint64_t)p[11] << 24;
    if (bytes > file_size - *start)
        return ens_fail(err, ENS_EINPUT,
                        "byte 8: header of %" PRIu64 " bytes, "
                        "but the file has only %" PRIu64 " behind it",
                        bytes, file_size - *start);
    if (bytes > ENS_NPY_MAX_HEADER)
        return ens_fail(err, ENS_EINPUT,
                        "byte 8: header of %" PRIu64 " bytes; "
                        "expected at most %d",
                        bytes, ENS_NPY_MAX_HEADER);
    *length = (size_t)bytes;
    ENS_BUG_ON(*start + *length > n);
    return ENS_OK;
}

/* "(3, 4)" */
static void shape_text(char *to, size_t cap, const struct ens_npy *npy)
{
    size_t n = 0;

    for (uint32_t i = 0; i < npy->ndim && n < cap; i++)
        n += (size_t)snprintf(to + n, cap - n, "%s%" PRIu64, i == 0 ? "" : ", ",
                              npy->shape[i]);
    if (npy->ndim == 0)
        to[0] = '\0';
}

static enum ens_status check_size(const struct ens_npy *npy, uint64_t file_size,
                                  struct ens_error *err)
{
    char shape[256];
    uint64_t have = file_size - npy->data_offset;

    if (have == npy->data_bytes)
        return ENS_OK;
    shape_text(shape, sizeof(shape), npy);
    return ens_fail(err, ENS_EINPUT,
                    "byte %" PRIu64 ": %s: shape (%s) of %s needs %" PRIu64
                    " bytes, the file has %" PRIu64 " from here on",
                    npy->data_offset,
                    have < npy->data_bytes ? "truncated" : "too long", shape,
                    ens_dtype_code(npy->dtype), npy->data_bytes, have);
}

enum ens_status ens_npy_parse(struct ens_npy *npy, const void *head, size_t n,
                              uint64_t file_size, struct ens_error *err)
{
    struct ens_npy r = {.ndim = 0};
    struct text t;
    size_t length = 0;
    enum ens_status s;

    s = find_dict(head, n, file_size, &t.offset, &length, err);
    if (s != ENS_OK)
        return s;
    t.start = t.p = (const char *)head + t.offset;
    t.end = t.start + length;
    s = read_dict(&t, &r, err);
    if (s != ENS_OK)
        return s;
    if (ens_dtype_array_bytes(r.dtype, r.ndim, r.shape, &r.data_bytes) != 0) {
        char shape[256];

        shape_text(shape, sizeof(shape), &r);
        return ens_fail(err, ENS_EINPUT,
                        "shape (%s) overflows: more than 2^63 "
                        "bytes",
                        shape);
    }
    r.data_offset = t.offset + length;
    s = check_size(&r, file_size, err);
    if (s == ENS_OK)
        *npy = r;
    return s;
}

static int probe(const struct ens_opening *o)
{
    return (o->n_head >= sizeof(magic) &&
            memcmp(o->head, magic, sizeof(magic)) == 0) ||
           (o->spec->options.dtype == NULL &&
            ens_format_has_extension(o->spec->path, "npy"));
}

void ens_npy_view(struct ens_view *v, const struct ens_npy *npy, const void *p)
{
    v->data = (const unsigned char *)p + npy->data_offset;
    v->dtype = npy->dtype;
    v->swapped = npy->swapped;
    v->ndim = npy->ndim;
    memcpy(v->shape, npy->shape, sizeof(v->shape));
    ens_dtype_strides(v, npy->fortran);
}

static enum ens_status open_npy(struct ens_mapped *m, struct ens_opening *o,
                                struct ens_error *err)
{
    const struct ens_input_options *options = &o->spec->options;
    struct ens_npy npy;
    enum ens_status s;

    if (options->dtype != NULL || options->has_shape) {
        o->key = options->dtype != NULL ? "dtype" : "shape";
        return ens_fail(err, ENS_EINPUT,
                        "%s is for raw binary files; a .npy "
                        "file has its own",
                        o->key);
    }
    s = ens_npy_parse(&npy, o->head, o->n_head, o->size, err);
    if (s == ENS_OK)
        s = ens_mapped_map(m, o->size, err);
    if (s != ENS_OK)
        return s;
    ens_npy_view(&m->input.view, &npy, m->base);
    return ENS_OK;
}

const struct ens_format ens_format_npy = {"npy", probe, open_npy};
