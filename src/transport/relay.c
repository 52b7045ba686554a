#include "transport/relay.h"

#include "record/little.h"

#include <string.h>

void ens_relay_put(struct ens_buf *b, enum ens_relay_type type, uint32_t slot,
                   const void *body, size_t n)
{
    ens_buf_u32(b, (uint32_t)type);
    ens_buf_u32(b, slot);
    ens_buf_u32(b, (uint32_t)n);
    ens_buf_u32(b, 0);
    ens_buf_put(b, body, n);
    ens_buf_align(b, 8);
}

size_t ens_relay_read(struct ens_relay_item *item, const void *p, size_t n)
{
    const unsigned char *at = p;
    size_t body, padded;

    if (n < ENS_RELAY_HEAD)
        return 0;
    body = ens_get32(at + 8);
    padded = (body + 7) & ~(size_t)7;
    if (ens_get32(at + 12) != 0 || padded > n - ENS_RELAY_HEAD)
        return 0;
    item->type = (enum ens_relay_type)ens_get32(at);
    item->slot = ens_get32(at + 4);
    item->body = at + ENS_RELAY_HEAD;
    item->n = body;
    return ENS_RELAY_HEAD + padded;
}

/* A text of at most cap - 1 bytes without a NUL in it. */
static void get_text(struct ens_cursor *c, char *to, size_t cap)
{
    size_t n = 0;
    const char *p = ens_cursor_str(c, &n);

    to[0] = '\0';
    if (p == NULL || n >= cap || memchr(p, '\0', n) != NULL) {
        c->bad = 1;
        return;
    }
    memcpy(to, p, n);
    to[n] = '\0';
}

static int is_done(const struct ens_cursor *c)
{
    return !c->bad && c->p == c->end ? 0 : -1;
}

static void put_body(struct ens_buf *b, enum ens_relay_type type, uint32_t slot,
                     struct ens_buf *body)
{
    ens_relay_put(b, type, slot, body->data, body->len);
    b->failed |= body->failed;
    ens_buf_fini(body);
}

/* -- hello ------------------------------------------------------------------
 */

void ens_relay_put_hello(struct ens_buf *b, const struct ens_relay_hello *h)
{
    struct ens_buf t = ENS_BUF_INIT;

    ens_buf_u32(&t, h->protocol);
    ens_buf_u32(&t, h->abi);
    ens_buf_str(&t, h->version);
    ens_buf_str(&t, h->host);
    ens_buf_str(&t, h->boot);
    ens_buf_str(&t, h->cpu);
    ens_buf_u32(&t, h->n_cores);
    ens_buf_u32(&t, h->cpus_per_task);
    put_body(b, ENS_RELAY_HELLO, 0, &t);
}

int ens_relay_get_hello(struct ens_relay_hello *h,
                        const struct ens_relay_item *item)
{
    struct ens_cursor c = ens_cursor(item->body, item->n);

    memset(h, 0, sizeof(*h));
    if (item->type != ENS_RELAY_HELLO)
        return -1;
    h->protocol = ens_cursor_u32(&c);
    h->abi = ens_cursor_u32(&c);
    get_text(&c, h->version, sizeof(h->version));
    get_text(&c, h->host, sizeof(h->host));
    if (c.bad || h->protocol != ENS_RELAY_PROTOCOL)
        return c.bad ? -1 : 0;
    get_text(&c, h->boot, sizeof(h->boot));
    get_text(&c, h->cpu, sizeof(h->cpu));
    h->n_cores = ens_cursor_u32(&c);
    h->cpus_per_task = ens_cursor_u32(&c);
    return is_done(&c);
}

/* -- setup ------------------------------------------------------------------
 */

#define STAGED_FILE_BYTES ((size_t)24)

void ens_relay_put_staged_file(struct ens_buf *b,
                               const struct ens_staged_file *f)
{
    ens_buf_u64(b, f->sample);
    ens_buf_u64(b, f->bytes);
    ens_buf_u64(b, f->first);
}

struct ens_staged_file ens_relay_staged_file(const struct ens_relay_setup *s,
                                             size_t i)
{
    struct ens_cursor c =
        ens_cursor(s->inputs + STAGED_FILE_BYTES * i, STAGED_FILE_BYTES);
    struct ens_staged_file f;

    f.sample = ens_cursor_u64(&c);
    f.bytes = ens_cursor_u64(&c);
    f.first = ens_cursor_u64(&c);
    return f;
}

void ens_relay_put_setup(struct ens_buf *b, const struct ens_relay_setup *s)
{
    struct ens_buf t = ENS_BUF_INIT;

    ens_buf_u32(&t, s->epoch);
    ens_buf_u32(&t, s->n_slots);
    ens_buf_u32(&t, s->first_slot);
    ens_buf_u32(&t, s->credits);
    ens_buf_u32(&t, s->n_staging);
    ens_buf_u32(&t, s->staging_index);
    ens_buf_u64(&t, s->run_id);
    ens_buf_u64(&t, s->memory_limit);
    ens_buf_u64(&t, s->plugins);
    ens_buf_f64(&t, s->timeout_s);
    ens_buf_f64(&t, s->dead_man_s);
    ens_buf_f64(&t, s->heartbeat_s);
    ens_buf_u64(&t, s->dir_dev);
    ens_buf_u64(&t, s->dir_ino);
    ens_buf_str(&t, s->host);
    ens_buf_str(&t, s->boot);
    ens_buf_str(&t, s->dir);
    ens_buf_u32(&t, (uint32_t)s->n_inputs);
    ens_buf_put(&t, s->inputs, STAGED_FILE_BYTES * s->n_inputs);
    ens_buf_put(&t, s->study_text, s->study_bytes);
    put_body(b, ENS_RELAY_SETUP, 0, &t);
}

int ens_relay_get_setup(struct ens_relay_setup *s,
                        const struct ens_relay_item *item)
{
    struct ens_cursor c = ens_cursor(item->body, item->n);

    memset(s, 0, sizeof(*s));
    s->epoch = ens_cursor_u32(&c);
    s->n_slots = ens_cursor_u32(&c);
    s->first_slot = ens_cursor_u32(&c);
    s->credits = ens_cursor_u32(&c);
    s->n_staging = ens_cursor_u32(&c);
    s->staging_index = ens_cursor_u32(&c);
    s->run_id = ens_cursor_u64(&c);
    s->memory_limit = ens_cursor_u64(&c);
    s->plugins = ens_cursor_u64(&c);
    s->timeout_s = ens_cursor_f64(&c);
    s->dead_man_s = ens_cursor_f64(&c);
    s->heartbeat_s = ens_cursor_f64(&c);
    s->dir_dev = ens_cursor_u64(&c);
    s->dir_ino = ens_cursor_u64(&c);
    get_text(&c, s->host, sizeof(s->host));
    get_text(&c, s->boot, sizeof(s->boot));
    get_text(&c, s->dir, sizeof(s->dir));
    s->n_inputs = ens_cursor_u32(&c);
    s->inputs = ens_cursor_bytes(&c, STAGED_FILE_BYTES * s->n_inputs);
    if (c.bad || s->n_slots == 0 || s->credits == 0 || s->dir[0] != '/' ||
        (uint64_t)s->first_slot + s->n_slots >= ENS_SLOT_COORDINATOR ||
        (s->n_staging > 0 && s->staging_index >= s->n_staging) ||
        !(s->timeout_s >= 0) || !(s->dead_man_s > 0) || !(s->heartbeat_s > 0))
        return -1;
    s->study_text = (const char *)c.p;
    s->study_bytes = (size_t)(c.end - c.p);
    return 0;
}

/* -- files ------------------------------------------------------------------
 */

void ens_relay_put_opened(struct ens_buf *b, const struct ens_relay_opened *o)
{
    struct ens_buf t = ENS_BUF_INIT;

    ens_buf_u32(&t, o->far);
    ens_buf_u64(&t, o->dev);
    ens_buf_u64(&t, o->ino);
    put_body(b, ENS_RELAY_OPENED, 0, &t);
}

int ens_relay_get_opened(struct ens_relay_opened *o,
                         const struct ens_relay_item *item)
{
    struct ens_cursor c = ens_cursor(item->body, item->n);

    o->far = ens_cursor_u32(&c);
    o->dev = ens_cursor_u64(&c);
    o->ino = ens_cursor_u64(&c);
    return is_done(&c);
}

void ens_relay_put_file(struct ens_buf *b, const struct ens_relay_file *f)
{
    struct ens_buf t = ENS_BUF_INIT;

    ens_buf_u64(&t, f->offset);
    ens_buf_str(&t, f->path);
    ens_buf_put(&t, f->data, f->n);
    put_body(b, ENS_RELAY_FILE, 0, &t);
}

/* It becomes a path: two names, neither of them begins with a dot. */
static int is_path(const char *path)
{
    const char *slash = strchr(path, '/');

    return (strncmp(path, "arrays/", 7) == 0 ||
            strncmp(path, "artifacts/", 10) == 0) &&
           strchr(slash + 1, '/') == NULL && slash[1] != '.' &&
           slash[1] != '\0';
}

int ens_relay_get_file(struct ens_relay_file *f,
                       const struct ens_relay_item *item)
{
    struct ens_cursor c = ens_cursor(item->body, item->n);

    f->offset = ens_cursor_u64(&c);
    get_text(&c, f->path, sizeof(f->path));
    if (c.bad || !is_path(f->path) || f->offset > INT64_MAX / 2)
        return -1;
    f->data = c.p;
    f->n = (size_t)(c.end - c.p);
    return 0;
}

#define PART_HEAD_BYTES ((size_t)24)

/* The head, then the data: they are not copied twice. */
void ens_relay_put_part(struct ens_buf *b, const struct ens_staged_part *p)
{
    ens_buf_u32(b, ENS_RELAY_PART);
    ens_buf_u32(b, 0);
    ens_buf_u32(b, (uint32_t)(PART_HEAD_BYTES + p->n));
    ens_buf_u32(b, 0);
    ens_buf_u32(b, p->input);
    ens_buf_u32(b, p->is_last);
    ens_buf_u64(b, p->offset);
    ens_buf_u64(b, p->hash);
    ens_buf_put(b, p->data, p->n);
    ens_buf_align(b, 8);
}

int ens_relay_get_part(struct ens_staged_part *p,
                       const struct ens_relay_item *item)
{
    struct ens_cursor c = ens_cursor(item->body, item->n);

    p->input = ens_cursor_u32(&c);
    p->is_last = ens_cursor_u32(&c);
    p->offset = ens_cursor_u64(&c);
    p->hash = ens_cursor_u64(&c);
    p->data = c.p;
    p->n = (size_t)(c.end - c.p);
    return c.bad ? -1 : 0;
}

/* -- the smaller ones ---------------------------------------------------------
 */

void ens_relay_put_u64(struct ens_buf *b, enum ens_relay_type type,
                       uint64_t value)
{
    struct ens_buf t = ENS_BUF_INIT;

    ens_buf_u64(&t, value);
    put_body(b, type, 0, &t);
}

int ens_relay_get_u64(uint64_t *value, const struct ens_relay_item *item)
{
    struct ens_cursor c = ens_cursor(item->body, item->n);

    *value = ens_cursor_u64(&c);
    return is_done(&c);
}

void ens_relay_put_death(struct ens_buf *b, uint32_t slot,
                         const struct ens_death *d)
{
    struct ens_buf t = ENS_BUF_INIT;

    ens_buf_u32(&t, d->incarnation);
    ens_buf_u32(&t, (uint32_t)d->wait_status);
    ens_buf_u32(&t, (uint32_t)d->phase);
    ens_buf_u32(&t, (uint32_t)(d->asked != 0) | (uint32_t)(d->zygote_lost != 0)
                                                    << 1);
    ens_buf_u64(&t, d->place);
    ens_buf_u64(&t, d->stage);
    put_body(b, ENS_RELAY_DEAD, slot, &t);
}

int ens_relay_get_death(struct ens_death *d, const struct ens_relay_item *item)
{
    struct ens_cursor c = ens_cursor(item->body, item->n);
    uint32_t phase, flags;

    memset(d, 0, sizeof(*d));
    d->incarnation = ens_cursor_u32(&c);
    d->wait_status = (int)ens_cursor_u32(&c);
    phase = ens_cursor_u32(&c);
    flags = ens_cursor_u32(&c);
    d->place = ens_cursor_u64(&c);
    d->stage = ens_cursor_u64(&c);
    /* a task may have scribbled over its slot */
    d->phase =
        phase <= ENS_PHASE_SENDING ? (enum ens_phase)phase : ENS_PHASE_STARTING;
    d->asked = flags & 1;
    d->zygote_lost = (flags & 2) != 0;
    return is_done(&c);
}

void ens_relay_put_cost(struct ens_buf *b, const struct ens_relay_cost *cost)
{
    struct ens_buf t = ENS_BUF_INIT;

    ens_buf_u64(&t, cost->busy_ns);
    ens_buf_u64(&t, cost->cpu_ns);
    ens_buf_u64(&t, cost->pss_bytes);
    ens_buf_u64(&t, cost->worker_bytes);
    put_body(b, ENS_RELAY_COST, 0, &t);
}

int ens_relay_get_cost(struct ens_relay_cost *cost,
                       const struct ens_relay_item *item)
{
    struct ens_cursor c = ens_cursor(item->body, item->n);

    cost->busy_ns = ens_cursor_u64(&c);
    cost->cpu_ns = ens_cursor_u64(&c);
    cost->pss_bytes = ens_cursor_u64(&c);
    cost->worker_bytes = ens_cursor_u64(&c);
    return is_done(&c);
}

void ens_relay_put_error(struct ens_buf *b, const struct ens_error *err)
{
    ens_relay_put(b, ENS_RELAY_BROKEN, 0, err, sizeof(*err));
}

int ens_relay_get_error(struct ens_error *err,
                        const struct ens_relay_item *item)
{
    if (item->n != sizeof(*err))
        return -1;
    memcpy(err, item->body, sizeof(*err));
    err->text[sizeof(err->text) - 1] = '\0';
    return err->status > ENS_OK && err->status <= ENS_ENOTFOUND ? 0 : -1;
}
