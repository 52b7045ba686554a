#include "learn/model/model.h"

#include "base/buf.h"
#include "base/bug.h"

#include <inttypes.h>
#include <string.h>

#define HEAD  32u
#define ALIGN 16u
#define MAGIC "ENSMODEL"

/* -- contents: written ------------------------------------------------------
 *
 * text study; u32 family, classes; their names;
 * u32 columns, each: text name, u32 levels, u8 is it text, its levels;
 * u32 layers, each: u32 partitions, u32 m, u8 is it cut, u32 propagated, those,
 *   u32 learners, each: text name, u64 cell, per partition u64 bytes of
 *   preprocessing and of the model; then u32 columns that go out, their names;
 * u32 meta; of weights: u32 how many, those, f64 intercept, f64 trim, u32
 *   link; of a learner: u64 bytes. A text is a u32 length and its bytes.
 */

static void put_text(struct ens_buf *b, const char *s)
{
    ens_buf_str(b, s);
}

static void put_columns(struct ens_buf *b, const struct ens_model *m)
{
    ens_buf_u32(b, m->n_columns);
    for (uint32_t j = 0; j < m->n_columns; j++) {
        const struct ens_model_column *c = &m->column[j];

        put_text(b, c->name);
        ens_buf_u32(b, c->n_levels);
        ens_buf_u8(b, c->level != NULL);
        for (uint32_t k = 0; c->level != NULL && k < c->n_levels; k++)
            put_text(b, c->level[k]);
    }
}

static void put_layer(struct ens_buf *b, const struct ens_model_layer *l)
{
    ens_buf_u32(b, l->n_partitions);
    ens_buf_u32(b, l->m);
    ens_buf_u8(b, l->is_cut != 0);
    ens_buf_u32(b, l->n_propagated);
    for (uint32_t k = 0; k < l->n_propagated; k++)
        ens_buf_u32(b, l->propagated[k]);
    ens_buf_u32(b, l->n_learners);
    for (uint32_t j = 0; j < l->n_learners; j++) {
        const struct ens_model_learner *e = &l->learner[j];

        put_text(b, e->name);
        ens_buf_u64(b, e->cell);
        for (uint32_t k = 0; k < l->n_partitions; k++) {
            ens_buf_u64(b, e->fit[k].prep.bytes);
            ens_buf_u64(b, e->fit[k].model.bytes);
        }
    }
    ens_buf_u32(b, l->n_out);
    for (uint32_t k = 0; k < l->n_out; k++)
        put_text(b, l->out[k]);
}

static void put_meta(struct ens_buf *b, const struct ens_model *m)
{
    ens_buf_u32(b, m->meta);
    if (m->meta == ENS_MODEL_LEARNER)
        ens_buf_u64(b, m->learner.bytes);
    if (m->meta != ENS_MODEL_WEIGHTS)
        return;
    ens_buf_u32(b, m->n_weights);
    for (uint32_t j = 0; j < m->n_weights; j++)
        ens_buf_f64(b, m->weights.weight[j]);
    ens_buf_f64(b, m->weights.intercept);
    ens_buf_f64(b, m->weights.trim);
    ens_buf_u32(b, m->weights.link);
}

static void put_contents(struct ens_buf *b, const struct ens_model *m)
{
    ens_buf_u32(b, (uint32_t)m->study_bytes);
    ens_buf_put(b, m->study, m->study_bytes);
    ens_buf_u32(b, m->family);
    ens_buf_u32(b, m->n_classes);
    for (uint32_t k = 0; k < m->n_classes; k++)
        put_text(b, m->class_[k]);
    put_columns(b, m);
    ens_buf_u32(b, m->n_layers);
    for (uint32_t i = 0; i < m->n_layers; i++)
        put_layer(b, &m->layer[i]);
    put_meta(b, m);
}

/* -- every blob, in order ---------------------------------------------------
 */

typedef void blob_fn(void *arg, struct ens_model_blob *blob);

static void each_blob(const struct ens_model *m, blob_fn *fn, void *arg,
                      struct ens_model_blob *learner)
{
    for (uint32_t i = 0; i < m->n_layers; i++)
        for (uint32_t j = 0; j < m->layer[i].n_learners; j++)
            for (uint32_t k = 0; k < m->layer[i].n_partitions; k++) {
                struct ens_model_fit *f = &m->layer[i].learner[j].fit[k];

                fn(arg, &f->prep);
                fn(arg, &f->model);
            }
    if (m->meta == ENS_MODEL_LEARNER)
        fn(arg, learner);
}

static uint64_t padded(uint64_t n)
{
    return n + (ALIGN - n % ALIGN) % ALIGN;
}

static void add_bytes(void *arg, struct ens_model_blob *blob)
{
    *(uint64_t *)arg += padded(blob->bytes);
}

/* -- writing ----------------------------------------------------------------
 */

static enum ens_status put(struct ens_model_writer *w, const void *p, size_t n,
                           struct ens_error *err)
{
    ens_hasher_put(w->hasher, p, n);
    w->at += n;
    return w->put(w->arg, p, n, err);
}

static enum ens_status put_head(struct ens_model_writer *w,
                                const struct ens_model *m,
                                struct ens_buf *contents, struct ens_error *err)
{
    struct ens_model_blob learner = m->learner;
    struct ens_buf b = ENS_BUF_INIT;
    uint64_t bytes = HEAD + 8 + padded(contents->len);
    enum ens_status s;

    each_blob(m, add_bytes, &bytes, &learner);
    ens_buf_put(&b, MAGIC, 8);
    ens_buf_u32(&b, ENS_MODEL_VERSION);
    ens_buf_u32(&b, 0);
    ens_buf_u64(&b, bytes);
    ens_buf_u64(&b, contents->len);
    ens_buf_align(contents, ALIGN);
    if (b.failed || contents->failed)
        s = ens_fail(err, ENS_ENOMEMORY, "model: out of memory");
    else
        s = put(w, b.data, b.len, err);
    if (s == ENS_OK)
        s = put(w, contents->data, contents->len, err);
    ens_buf_fini(&b);
    return s;
}

enum ens_status ens_model_begin(struct ens_model_writer *w,
                                const struct ens_model *m, ens_model_put_fn *fn,
                                void *arg, struct ens_error *err)
{
    struct ens_buf contents = ENS_BUF_INIT;
    enum ens_status s;

    *w = (struct ens_model_writer){.put = fn, .arg = arg};
    w->hasher = ens_hasher_new();
    if (w->hasher == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "model: out of memory");
    ens_hasher_begin(w->hasher);
    put_contents(&contents, m);
    s = put_head(w, m, &contents, err);
    ens_buf_fini(&contents);
    if (s != ENS_OK)
        ens_model_drop(w);
    return s;
}

void ens_model_next(struct ens_model_writer *w, uint64_t bytes)
{
    ENS_BUG_ON(w->left != 0);
    w->left = bytes;
}

enum ens_status ens_model_put(struct ens_model_writer *w, const void *p,
                              size_t n, struct ens_error *err)
{
    static const char zeros[ALIGN];
    enum ens_status s;

    ENS_BUG_ON(n > w->left);
    s = put(w, p, n, err);
    w->left -= n;
    if (s == ENS_OK && w->left == 0)
        s = put(w, zeros, (size_t)(padded(w->at) - w->at), err);
    return s;
}

enum ens_status ens_model_end(struct ens_model_writer *w, struct ens_error *err)
{
    struct ens_buf b = ENS_BUF_INIT;
    enum ens_status s;

    ENS_BUG_ON(w->left != 0);
    ens_buf_u64(&b, ens_hasher_end(w->hasher));
    s = b.failed ? ens_fail(err, ENS_ENOMEMORY, "model: out of memory")
                 : w->put(w->arg, b.data, b.len, err);
    ens_buf_fini(&b);
    ens_model_drop(w);
    return s;
}

void ens_model_drop(struct ens_model_writer *w)
{
    ens_hasher_free(w->hasher);
    w->hasher = NULL;
}

/* -- contents: read ---------------------------------------------------------
 */

struct reading {
    struct ens_cursor c;
    struct ens_arena *arena;
    int no_memory;
};

static size_t left(const struct reading *r)
{
    return (size_t)(r->c.end - r->c.p);
}

/* n items, of which each takes at least `least` bytes of contents: no damaged
 * count makes us ask for more memory than the file warrants. */
static void *make(struct reading *r, uint64_t n, size_t size, size_t least)
{
    void *p;

    if (n > left(r) / least) {
        r->c.bad = 1;
        return NULL;
    }
    p = ens_arena_alloc(r->arena, (size_t)n + 1, size);
    if (p == NULL)
        r->no_memory = r->c.bad = 1;
    return p;
}

static const char *get_text(struct reading *r)
{
    size_t n = 0;
    const char *s = ens_cursor_str(&r->c, &n), *copy = NULL;

    if (r->c.bad || memchr(s, '\0', n) != NULL) {
        r->c.bad = 1;
        return "";
    }
    copy = ens_arena_strndup(r->arena, s, n);
    if (copy == NULL)
        r->no_memory = r->c.bad = 1;
    return copy;
}

static const char *const *get_texts(struct reading *r, uint32_t n)
{
    const char **text = make(r, n, sizeof(*text), 4);

    for (uint32_t k = 0; k < n && !r->c.bad; k++)
        text[k] = get_text(r);
    return (const char *const *)text;
}

static void get_columns(struct reading *r, struct ens_model *m)
{
    struct ens_model_column *c;

    m->n_columns = ens_cursor_u32(&r->c);
    m->column = c = make(r, m->n_columns, sizeof(*c), 9);
    for (uint32_t j = 0; j < m->n_columns && !r->c.bad; j++) {
        c[j].name = get_text(r);
        c[j].n_levels = ens_cursor_u32(&r->c);
        if (ens_cursor_u8(&r->c))
            c[j].level = get_texts(r, c[j].n_levels);
        else
            r->c.bad |= c[j].n_levels != 0;
    }
}

static void get_learner(struct reading *r, const struct ens_model_layer *l,
                        struct ens_model_learner *e)
{
    e->name = get_text(r);
    e->cell = ens_cursor_u64(&r->c);
    e->fit = make(r, l->n_partitions, sizeof(*e->fit), 16);
    for (uint32_t k = 0; k < l->n_partitions && !r->c.bad; k++) {
        e->fit[k].prep.bytes = ens_cursor_u64(&r->c);
        e->fit[k].model.bytes = ens_cursor_u64(&r->c);
    }
}

static void get_layer(struct reading *r, struct ens_model_layer *l)
{
    uint32_t *propagated;

    l->n_partitions = ens_cursor_u32(&r->c);
    l->m = ens_cursor_u32(&r->c);
    l->is_cut = ens_cursor_u8(&r->c);
    l->n_propagated = ens_cursor_u32(&r->c);
    l->propagated = propagated = make(r, l->n_propagated, sizeof(uint32_t), 4);
    for (uint32_t k = 0; k < l->n_propagated && !r->c.bad; k++)
        propagated[k] = ens_cursor_u32(&r->c);
    l->n_learners = ens_cursor_u32(&r->c);
    r->c.bad |= l->n_partitions == 0 || l->n_learners == 0;
    l->learner = make(r, l->n_learners, sizeof(*l->learner), 16);
    for (uint32_t j = 0; j < l->n_learners && !r->c.bad; j++)
        get_learner(r, l, &l->learner[j]);
    l->n_out = ens_cursor_u32(&r->c);
    l->out = get_texts(r, l->n_out);
}

static void get_meta(struct reading *r, struct ens_model *m)
{
    uint32_t meta = ens_cursor_u32(&r->c), link;

    r->c.bad |= meta > ENS_MODEL_LEARNER;
    m->meta = (enum ens_model_meta)meta;
    if (r->c.bad)
        return;
    if (m->meta == ENS_MODEL_LEARNER)
        m->learner.bytes = ens_cursor_u64(&r->c);
    if (m->meta != ENS_MODEL_WEIGHTS)
        return;
    m->n_weights = ens_cursor_u32(&r->c);
    m->weights.weight = make(r, m->n_weights, sizeof(double), 8);
    for (uint32_t j = 0; j < m->n_weights && !r->c.bad; j++)
        m->weights.weight[j] = ens_cursor_f64(&r->c);
    m->weights.intercept = ens_cursor_f64(&r->c);
    m->weights.trim = ens_cursor_f64(&r->c);
    link = ens_cursor_u32(&r->c);
    r->c.bad |= link > ENS_META_LOGIT;
    m->weights.link = (enum ens_meta_link)link;
}

static void get_contents(struct reading *r, struct ens_model *m)
{
    struct ens_model_layer *layer;
    uint32_t family;

    m->study_bytes = ens_cursor_u32(&r->c);
    m->study = ens_cursor_bytes(&r->c, m->study_bytes);
    family = ens_cursor_u32(&r->c);
    r->c.bad |= family > ENS_OUTCOME_POISSON;
    m->family = (enum ens_outcome_family)family;
    m->n_classes = ens_cursor_u32(&r->c);
    m->class_ = get_texts(r, m->n_classes);
    get_columns(r, m);
    m->n_layers = ens_cursor_u32(&r->c);
    r->c.bad |= m->n_layers == 0 || m->n_layers > ENS_MODEL_LAYERS;
    m->layer = layer = make(r, m->n_layers, sizeof(*layer), 12);
    for (uint32_t i = 0; i < m->n_layers && !r->c.bad; i++)
        get_layer(r, &layer[i]);
    if (!r->c.bad)
        get_meta(r, m);
    r->c.bad |= left(r) != 0;
}

/* -- does it fit together ---------------------------------------------------
 */

static uint64_t n_fits(const struct ens_model_layer *l)
{
    uint64_t n = 0;

    for (uint32_t j = 0; j < l->n_learners; j++)
        for (uint32_t k = 0; k < l->n_partitions; k++)
            n += l->learner[j].fit[k].model.bytes > 0;
    return n;
}

static int fits_layer(const struct ens_model *m,
                      const struct ens_model_layer *l)
{
    uint32_t all = m->family == ENS_OUTCOME_MULTINOMIAL ? m->n_classes : 1;

    for (uint32_t k = 0; k < l->n_propagated; k++)
        if (l->propagated[k] >= m->n_columns ||
            m->column[l->propagated[k]].level != NULL)
            return 0;
    return l->m == (l->is_cut ? 1 : all) && (!l->is_cut || m->n_classes > 0) &&
           n_fits(l) > 0 && l->n_out == l->n_propagated + l->m * n_fits(l);
}

static int fits(const struct ens_model *m)
{
    int classes = m->family == ENS_OUTCOME_BINOMIAL ||
                  m->family == ENS_OUTCOME_MULTINOMIAL;

    if (classes ? m->n_classes < 2 : m->n_classes != 0)
        return 0;
    if (m->family == ENS_OUTCOME_BINOMIAL && m->n_classes != 2)
        return 0;
    for (uint32_t i = 0; i < m->n_layers; i++)
        if (!fits_layer(m, &m->layer[i]))
            return 0;
    return m->n_columns > 0 &&
           (m->meta != ENS_MODEL_WEIGHTS ||
            m->n_weights == n_fits(&m->layer[m->n_layers - 1]));
}

/* -- reading ----------------------------------------------------------------
 */

struct placing {
    const unsigned char *p, *end;
    int bad;
};

static void place(void *arg, struct ens_model_blob *blob)
{
    struct placing *t = arg;
    uint64_t room = (uint64_t)(t->end - t->p);

    if (t->bad || blob->bytes > room || padded(blob->bytes) > room) {
        t->bad = 1;
        return;
    }
    blob->data = blob->bytes > 0 ? t->p : NULL;
    t->p += padded(blob->bytes);
}

static enum ens_status check_head(const unsigned char *p, size_t n,
                                  uint64_t *contents, struct ens_error *err)
{
    struct ens_cursor c = ens_cursor(p, n), end;
    uint32_t version;
    uint64_t bytes;

    if (n < HEAD + 8 || memcmp(p, MAGIC, 8) != 0)
        return ens_fail(err, ENS_ECORRUPT, "not a model of ensrun");
    (void)ens_cursor_bytes(&c, 8);
    version = ens_cursor_u32(&c);
    (void)ens_cursor_u32(&c);
    bytes = ens_cursor_u64(&c);
    *contents = ens_cursor_u64(&c);
    if (version != ENS_MODEL_VERSION)
        return ens_fail(err, ENS_ECORRUPT,
                        "a model of version %u; this program reads version %u",
                        version, ENS_MODEL_VERSION);
    if (bytes != n)
        return ens_fail(err, ENS_ECORRUPT,
                        "model of %" PRIu64 " bytes; there are %zu", bytes, n);
    end = ens_cursor(p + n - 8, 8);
    if (ens_hash64(p, n - 8) != ens_cursor_u64(&end))
        return ens_fail(err, ENS_ECORRUPT,
                        "damaged model: its checksum is another");
    if (*contents > n - HEAD - 8)
        return ens_fail(err, ENS_ECORRUPT, "damaged model");
    return ENS_OK;
}

enum ens_status ens_model_read(struct ens_model *m, const void *p, size_t n,
                               struct ens_arena *arena, struct ens_error *err)
{
    const unsigned char *bytes = p;
    struct ens_model found = {0};
    struct reading r = {.arena = arena};
    struct placing t = {0};
    uint64_t contents = 0;
    enum ens_status s = check_head(bytes, n, &contents, err);

    if (s != ENS_OK)
        return s;
    r.c = ens_cursor(bytes + HEAD, (size_t)contents);
    get_contents(&r, &found);
    if (r.no_memory)
        return ens_fail(err, ENS_ENOMEMORY, "model: out of memory");
    if (r.c.bad || !fits(&found) || padded(contents) > n - HEAD - 8)
        return ens_fail(err, ENS_ECORRUPT, "damaged model");
    t.p = bytes + HEAD + padded(contents);
    t.end = bytes + n - 8;
    each_blob(&found, place, &t, &found.learner);
    if (t.bad || t.p != t.end)
        return ens_fail(err, ENS_ECORRUPT, "damaged model");
    *m = found;
    return ENS_OK;
}
