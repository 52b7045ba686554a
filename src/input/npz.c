#include "input/npz.h"

#include "base/buf.h"
#include "input/dtype.h"
#include "input/mapped.h"
#include "input/npy.h"

#include <inttypes.h>
#include <string.h>

#define END_BYTES     22u
#define END64_BYTES   56u
#define LOCATOR_BYTES 20u
#define ENTRY_BYTES   46u
#define HEAD_BYTES    30u
#define MOST_COMMENT  65535u
#define MAX_NAMES     200 /* bytes of names in an error */

struct entry { /* a member as the directory has it */
    const char *name;
    size_t n_name; /* without ".npy" */
    unsigned method;
    uint64_t packed, bytes, head;
};

struct zip {
    const unsigned char *p;
    uint64_t n;
    uint64_t at; /* of the directory's next entry */
    uint64_t n_entries;
};

static uint64_t number(const unsigned char *p, size_t bytes)
{
    uint64_t v = 0;

    for (size_t i = bytes; i-- > 0;)
        v = v << 8 | p[i];
    return v;
}

static int is_at(const struct zip *z, uint64_t at, uint64_t bytes,
                 const char magic[4])
{
    return at <= z->n && z->n - at >= bytes && memcmp(z->p + at, magic, 4) == 0;
}

static enum ens_status damaged(uint64_t byte, const char *what,
                               struct ens_error *err)
{
    return ens_fail(err, ENS_EINPUT, "byte %" PRIu64 ": damaged archive: %s",
                    byte, what);
}

static enum ens_status find_directory(struct zip *z, struct ens_error *err)
{
    uint64_t most = END_BYTES + MOST_COMMENT;
    uint64_t first = z->n > most ? z->n - most : 0;
    uint64_t at = z->n >= END_BYTES ? z->n - END_BYTES : 0;

    while (!is_at(z, at, END_BYTES, "PK\5\6")) {
        if (at <= first)
            return damaged(z->n, "it has no directory at its end; cut?", err);
        at--;
    }
    z->n_entries = number(z->p + at + 10, 2);
    z->at = number(z->p + at + 16, 4);
    if (at >= LOCATOR_BYTES &&
        is_at(z, at - LOCATOR_BYTES, LOCATOR_BYTES, "PK\6\7")) {
        uint64_t end = number(z->p + at - LOCATOR_BYTES + 8, 8);

        if (!is_at(z, end, END64_BYTES, "PK\6\6"))
            return damaged(at - LOCATOR_BYTES, "no end record there", err);
        z->n_entries = number(z->p + end + 32, 8);
        z->at = number(z->p + end + 48, 8);
    }
    return ENS_OK;
}

/* Extra field 1 holds the sizes that do not fit 32 bits, in this order. */
static void read_wide(const unsigned char *p, size_t n, struct entry *e)
{
    uint64_t *const value[] = {&e->bytes, &e->packed, &e->head};

    while (n >= 4) {
        size_t bytes = (size_t)number(p + 2, 2);
        size_t k = 4;

        if (bytes > n - 4)
            return;
        for (size_t i = 0; number(p, 2) == 1 && i < 3; i++)
            if (*value[i] == UINT32_MAX && k + 8 <= bytes + 4) {
                *value[i] = number(p + k, 8);
                k += 8;
            }
        p += bytes + 4;
        n -= bytes + 4;
    }
}

static enum ens_status next_entry(struct zip *z, struct entry *e,
                                  struct ens_error *err)
{
    const unsigned char *p;
    size_t n_name, n_extra, n_comment;

    if (!is_at(z, z->at, ENTRY_BYTES, "PK\1\2"))
        return damaged(z->at, "expected an entry of its directory", err);
    p = z->p + z->at;
    n_name = (size_t)number(p + 28, 2);
    n_extra = (size_t)number(p + 30, 2);
    n_comment = (size_t)number(p + 32, 2);
    if (z->n - z->at - ENTRY_BYTES < n_name + n_extra + n_comment)
        return damaged(z->at, "an entry beyond its end", err);
    e->method = (unsigned)number(p + 10, 2);
    e->packed = number(p + 20, 4);
    e->bytes = number(p + 24, 4);
    e->head = number(p + 42, 4);
    e->name = (const char *)p + ENTRY_BYTES;
    e->n_name = n_name;
    if (n_name > 4 && memcmp(e->name + n_name - 4, ".npy", 4) == 0)
        e->n_name -= 4;
    read_wide(p + ENTRY_BYTES + n_name, n_extra, e);
    z->at += ENTRY_BYTES + n_name + n_extra + n_comment;
    return ENS_OK;
}

static int is_named(const struct entry *e, const char *name)
{
    size_t n = strlen(name);

    if (n > 4 && strcmp(name + n - 4, ".npy") == 0)
        n -= 4;
    return e->n_name == n && memcmp(e->name, name, n) == 0;
}

static enum ens_status fail_choice(struct zip *z, const char *name,
                                   struct ens_error *err)
{
    struct ens_buf names = ENS_BUF_INIT;
    struct entry e;
    enum ens_status s = find_directory(z, err);

    for (uint64_t i = 0; s == ENS_OK && i < z->n_entries; i++) {
        s = next_entry(z, &e, err);
        if (s == ENS_OK && names.len < MAX_NAMES)
            ens_buf_printf(&names, "%s%.*s", i ? ", " : "",
                           (int)(e.n_name < 64 ? e.n_name : 64), e.name);
    }
    if (s == ENS_OK)
        s = name != NULL
                ? ens_fail(err, ENS_EINPUT, "no array '%s'; there are: %s",
                           name, ens_buf_text(&names))
                : ens_fail(err, ENS_EINPUT,
                           "%" PRIu64 " arrays; say `dataset` = one of: %s",
                           z->n_entries, ens_buf_text(&names));
    ens_buf_fini(&names);
    return s;
}

/* Where the member's own head says that its bytes begin. */
static enum ens_status locate(const struct zip *z, const struct entry *e,
                              struct ens_npz_member *to, struct ens_error *err)
{
    uint64_t offset;

    if (e->method != 0)
        return ens_fail(err, ENS_EINPUT,
                        "array '%.*s' is compressed; convert: python3 -c "
                        "\"import numpy as np; np.savez('out.npz', "
                        "**np.load('in.npz'))\"",
                        (int)(e->n_name < 64 ? e->n_name : 64), e->name);
    if (!is_at(z, e->head, HEAD_BYTES, "PK\3\4"))
        return damaged(e->head, "expected the head of a member", err);
    offset = e->head + HEAD_BYTES + number(z->p + e->head + 26, 2) +
             number(z->p + e->head + 28, 2);
    if (e->packed != e->bytes || offset > z->n || e->bytes > z->n - offset)
        return damaged(e->head, "a member beyond its end", err);
    *to = (struct ens_npz_member){offset, e->bytes};
    return ENS_OK;
}

enum ens_status ens_npz_find(struct ens_npz_member *to, const void *p,
                             uint64_t n, const char *name,
                             struct ens_error *err)
{
    struct zip z = {.p = p, .n = n};
    enum ens_status s = find_directory(&z, err);
    struct entry e;

    if (s == ENS_OK && name == NULL && z.n_entries != 1)
        return fail_choice(&z, name, err);
    for (uint64_t i = 0; s == ENS_OK && i < z.n_entries; i++) {
        s = next_entry(&z, &e, err);
        if (s == ENS_OK && (name == NULL || is_named(&e, name)))
            return locate(&z, &e, to, err);
    }
    return s == ENS_OK ? fail_choice(&z, name, err) : s;
}

/* -- as an input format -------------------------------------------------- */

static int probe(const struct ens_opening *o)
{
    return o->spec->options.dtype == NULL &&
           ens_format_has_extension(o->spec->path, "npz");
}

static enum ens_status open_npz(struct ens_mapped *m, struct ens_opening *o,
                                struct ens_error *err)
{
    const char *name = o->spec->options.dataset;
    struct ens_npz_member at;
    struct ens_npy npy;
    enum ens_status s = ens_mapped_map(m, o->size, err);

    if (s == ENS_OK)
        s = ens_npz_find(&at, m->base, o->size, name, err);
    if (s != ENS_OK) {
        o->key = name != NULL ? "dataset" : NULL;
        return s;
    }
    s = ens_npy_parse(&npy, (const char *)m->base + at.offset, (size_t)at.bytes,
                      at.bytes, err);
    if (s != ENS_OK)
        return ens_wrap(err, s, "the array at byte %" PRIu64, at.offset);
    ens_npy_view(&m->input.view, &npy, (const char *)m->base + at.offset);
    return ENS_OK;
}

const struct ens_format ens_format_npz = {"npz", probe, open_npz};
