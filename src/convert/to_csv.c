/* CSV: a header, a line per row, numbers with as many digits as they need to
 * read back the same, what is missing empty. */
#include "convert/element.h"
#include "convert/packer.h"
#include "convert/source.h"
#include "convert/writer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ROWS 1024 /* between looks at the output */

struct csv {
    struct ens_packer *pack;
    const struct ens_column *column;
    uint64_t n;
    char delimiter;
    const char *missing;
};

/* Blanks outside of quotes do not count when it is read. */
static int needs_quotes(const char *p, size_t n, char delimiter)
{
    if (n == 0 || p[0] == ' ' || p[0] == '\t' || p[n - 1] == ' ' ||
        p[n - 1] == '\t')
        return 1;
    for (size_t i = 0; i < n; i++)
        if (p[i] == delimiter || p[i] == '"' || p[i] == '\n' || p[i] == '\r')
            return 1;
    return 0;
}

static void put_text(const struct csv *c, const char *p)
{
    size_t n = strlen(p);
    const char *quote;

    if (!needs_quotes(p, n, c->delimiter)) {
        ens_packer_put(c->pack, p, n);
        return;
    }
    ens_packer_put(c->pack, "\"", 1);
    while ((quote = memchr(p, '"', n)) != NULL) {
        size_t k = (size_t)(quote - p) + 1;

        ens_packer_put(c->pack, p, k);
        ens_packer_put(c->pack, "\"", 1);
        p += k;
        n -= k;
    }
    ens_packer_put(c->pack, p, n);
    ens_packer_put(c->pack, "\"", 1);
}

static void put_missing(const struct csv *c)
{
    if (*c->missing == '\0' && c->n > 1)
        return;
    put_text(c, c->missing); /* a lone one is not a blank line: "" */
}

static void put_value(const struct csv *c, const struct ens_column *column,
                      uint64_t row)
{
    const struct ens_view *v = &column->view;

    if (column->levels != NULL) {
        const char *p = (const char *)v->data + (int64_t)row * v->strides[0];
        struct ens_element e = ens_element_load(p, v->dtype, v->swapped);

        if (e.as.signed_ < 0 || e.as.signed_ >= column->n_levels)
            put_missing(c);
        else
            put_text(c, column->levels[e.as.signed_]);
    } else {
        char *to = ens_packer_room(c->pack, ENS_ELEMENT_BYTES);
        size_t n = ens_element_print(to, v, row);

        ens_packer_used(c->pack, n);
        if (n == 0)
            put_missing(c);
    }
}

/* -- names ------------------------------------------------------------------
 */

/* --names a,b,c in place of the input's. */
static enum ens_status put_names(const struct csv *c, const char *names,
                                 struct ens_error *err)
{
    uint64_t n = 1;
    char name[1025];

    for (const char *p = names; (p = strchr(p, ',')) != NULL; p++)
        n++;
    if (n != c->n)
        return ens_fail(err, ENS_EUSAGE,
                        "--names has %" PRIu64 " names; there are %" PRIu64
                        " columns",
                        n, c->n);
    for (const char *p = names; n > 0; n--) {
        size_t k = strcspn(p, ",");

        if (k == 0 || k >= sizeof(name))
            return ens_fail(err, ENS_EUSAGE,
                            "--names: a name of %zu bytes; expected 1 to 1024",
                            k);
        memcpy(name, p, k);
        name[k] = '\0';
        put_text(c, name);
        ens_packer_put(c->pack, n > 1 ? &c->delimiter : "\n", 1);
        p += k + 1;
    }
    return ENS_OK;
}

static enum ens_status put_header(const struct csv *c,
                                  const struct ens_convert_options *o,
                                  struct ens_error *err)
{
    if (o->no_header)
        return ENS_OK;
    if (o->names != NULL)
        return put_names(c, o->names, err);
    for (uint64_t i = 0; i < c->n; i++) {
        char name[32];

        snprintf(name, sizeof(name), "V%" PRIu64, i + 1);
        if (i > 0)
            ens_packer_put(c->pack, &c->delimiter, 1);
        put_text(c, *c->column[i].name != '\0' ? c->column[i].name : name);
    }
    ens_packer_put(c->pack, "\n", 1);
    return ENS_OK;
}

/* -- rows -------------------------------------------------------------------
 */

static enum ens_status put_rows(const struct csv *c, struct ens_writing *w,
                                struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    uint64_t step = ROWS / c->n + 1;

    for (uint64_t i = 0; i < w->in->n_rows && s == ENS_OK; i++) {
        for (uint64_t k = 0; k < c->n; k++) {
            if (k > 0)
                ens_packer_put(c->pack, &c->delimiter, 1);
            put_value(c, &c->column[k], i);
        }
        ens_packer_put(c->pack, "\n", 1);
        if ((i + 1) % step == 0 || i + 1 == w->in->n_rows)
            s = ens_writing_done(w, (i % step + 1) * c->n, err);
    }
    return s;
}

static int ends_in(const char *path, const char *end)
{
    size_t n = strlen(path);
    size_t k = strlen(end);

    return n >= k && strcmp(path + n - k, end) == 0;
}

static enum ens_packing packing_of(const char *path)
{
    return ends_in(path, ".gz")    ? ENS_PACKED_GZIP
           : ends_in(path, ".zst") ? ENS_PACKED_ZSTD
                                   : ENS_PACKED_NOT;
}

static enum ens_status check(const struct csv *c, const struct ens_writing *w,
                             struct ens_error *err)
{
    const struct ens_convert_options *o = w->options;

    if (o->delimiter == '"' || o->delimiter == '\n' || o->delimiter == '\r')
        return ens_fail(err, ENS_EUSAGE, "--to-delimiter: not that character");
    for (uint64_t i = 0; i < c->n; i++)
        if (ens_dtype_is_complex(c->column[i].view.dtype))
            return ens_fail(err, ENS_EINPUT,
                            "complex numbers (%s), which a table of text does "
                            "not hold; write .npy",
                            ens_dtype_code(c->column[i].view.dtype));
    return ENS_OK;
}

static enum ens_status write_table(struct csv *c, struct ens_writing *w,
                                   struct ens_error *err)
{
    const struct ens_convert_options *o = w->options;
    enum ens_status s = check(c, w, err);

    if (s != ENS_OK)
        return s;
    c->pack = ens_packer_new(packing_of(o->path), w->out);
    if (c->pack == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s = put_header(c, o, err);
    if (s == ENS_OK)
        s = put_rows(c, w, err);
    if (s == ENS_OK)
        s = ens_packer_finish(c->pack, err);
    ens_packer_free(c->pack);
    return s;
}

static enum ens_status write_csv(struct ens_writing *w, struct ens_error *err)
{
    const struct ens_convert_options *o = w->options;
    struct ens_arena arena = ENS_ARENA_INIT;
    struct csv c = {.missing = o->missing != NULL ? o->missing : ""};
    enum ens_status s = ens_source_columns(w, &arena, &c.column, &c.n, err);

    c.delimiter = ',';
    if (ends_in(o->path, ".tsv") || ends_in(o->path, ".tsv.gz") ||
        ends_in(o->path, ".tsv.zst"))
        c.delimiter = '\t';
    if (o->delimiter != 0)
        c.delimiter = o->delimiter;
    if (s == ENS_OK)
        s = write_table(&c, w, err);
    ens_arena_fini(&arena);
    return s;
}

const struct ens_writer ens_writer_csv = {
    .name = "csv",
    .help = "a table as text; .tsv by tabs; .gz and .zst packed",
    .extensions = "csv tsv csv.gz tsv.gz csv.zst tsv.zst",
    .is_text = 1,
    .takes = ENS_TO_DELIMITER | ENS_TO_HEADER | ENS_TO_MISSING | ENS_TO_NAMES |
             ENS_TO_FLATTEN,
    .write = write_csv,
};
