#include "transport/fork.h"

#include "base/bug.h"
#include "base/children.h"
#include "record/parcel.h"
#include "worker/order.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

/* -- frames ------------------------------------------------------------------
 */

/* Bytes of a dead worker's artifacts stay where they are. */
static void note_pack(struct ens_link *l, const struct ens_frame *f)
{
    struct ens_parcel part;

    if (ens_parcel_read(&part, f->payload, f->length, NULL) == ENS_OK &&
        part.offset + part.n > l->pack_end)
        l->pack_end = part.offset + part.n;
}

static void deliver(struct ens_link *l, const struct ens_frame *f,
                    const void *bytes)
{
    struct ens_transport *t = l->t;

    if (f->type == ENS_FRAME_PACK)
        note_pack(l, f);
    if (f->type == ENS_FRAME_READY)
        t->config.events.ready(t->config.events.arg, l->index);
    else
        t->config.events.frame(t->config.events.arg, l->index, f, bytes,
                               f->total_bytes);
}

/* A worker that sends garbage has been scribbled over: away with it. */
static void distrust(struct ens_link *l)
{
    l->eof = 1;
    l->have = 0;
    l->kill_wanted = 1;
    ens_zygote_pump(l->t);
}

/* Deliver the whole frames in l->data. */
static void parse(struct ens_link *l)
{
    struct ens_transport *t = l->t;
    struct ens_frame f;
    size_t at = 0;

    while (at < l->have && !t->closing) {
        enum ens_frame_result r =
            ens_frame_read(&f, l->data + at, l->have - at, t->config.run_id);

        if (r == ENS_FRAME_PARTIAL)
            break;
        if (r == ENS_FRAME_BAD || f.slot != t->config.first_slot + l->index ||
            f.incarnation != l->incarnation) {
            distrust(l);
            return;
        }
        deliver(l, &f, l->data + at);
        at += f.total_bytes;
    }
    l->have -= at;
    if (at > 0 && l->have > 0)
        memmove(l->data, l->data + at, l->have);
}

static void lend(uv_handle_t *h, size_t suggested, uv_buf_t *buf)
{
    struct ens_link *l = ((struct ens_pipe *)h->data)->link;

    (void)suggested;
    *buf = uv_buf_init((char *)l->data + l->have,
                       (unsigned)(ENS_LINK_BYTES - l->have));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    struct ens_pipe *p = stream->data;
    struct ens_link *l = p->link;

    (void)buf;
    if (n < 0) {
        l->eof = 1;
        uv_read_stop(stream);
        return;
    }
    l->have += (size_t)n;
    parse(l);
    if (l->eof && l->pipe == p)
        uv_read_stop(stream);
}

/* What a dead worker left in its socket. 1 = empty now. */
static int drain(struct ens_link *l)
{
    uv_os_fd_t fd;

    if (l->eof || l->pipe == NULL ||
        uv_fileno((const uv_handle_t *)&l->pipe->pipe, &fd) != 0)
        return 1;
    uv_read_stop((uv_stream_t *)&l->pipe->pipe);
    while (!l->eof && !l->t->closing) {
        ssize_t n;

        if (l->t->paused)
            return 0;
        n = read(fd, l->data + l->have, ENS_LINK_BYTES - l->have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return 1;
        l->have += (size_t)n;
        parse(l);
    }
    return 1;
}

/* -- links -------------------------------------------------------------------
 */

static void free_pipe(uv_handle_t *h)
{
    struct ens_pipe *p = h->data;
    struct ens_transport *t = p->link->t;

    free(p);
    ens_fork_released(t);
}

static void close_pipe(struct ens_link *l)
{
    if (l->pipe == NULL)
        return;
    uv_close((uv_handle_t *)&l->pipe->pipe, free_pipe);
    l->pipe = NULL;
}

static void finish(struct ens_link *l)
{
    struct ens_transport *t = l->t;

    if (!drain(l) || t->closing)
        return;
    close_pipe(l);
    l->state = ENS_LINK_EMPTY;
    l->reaped = 0;
    l->pid = 0;
    l->have = 0; /* what a killed writer left is half a frame */
    t->config.events.dead(t->config.events.arg, l->index, &l->death);
}

void ens_links_finish(struct ens_transport *t)
{
    for (uint32_t i = 0; i < t->config.n_slots; i++)
        if (t->link[i].reaped && !t->paused && !t->closing)
            finish(&t->link[i]);
}

void ens_link_reaped(struct ens_link *l, int wait_status, int zygote_lost)
{
    const struct ens_slot *s = &l->t->slots[l->index];

    l->reaped = 1;
    l->pid = 0;
    l->death.incarnation = l->incarnation;
    l->death.wait_status = wait_status;
    l->death.phase = (enum ens_phase)atomic_load(&s->phase);
    l->death.place = atomic_load(&s->place);
    l->death.stage = atomic_load(&s->stage);
    l->death.asked = l->asked;
    l->death.zygote_lost = zygote_lost;
}

static void on_later(uv_idle_t *idle)
{
    struct ens_transport *t = idle->data;

    uv_idle_stop(idle);
    ens_links_finish(t);
    if (t->broken == 1 && !t->closing) {
        t->broken = 2; /* told */
        t->config.events.broken(t->config.events.arg, &t->why);
    }
}

void ens_link_died(struct ens_link *l)
{
    ens_link_reaped(l, ens_status_exit(ENS_EPROCESS) << 8, 0);
    l->death.phase = ENS_PHASE_STARTING;
    uv_idle_start(&l->t->later, on_later);
}

/* -- orders ------------------------------------------------------------------
 */

struct write {
    uv_write_t req;
    char bytes[];
};

static void free_write(uv_write_t *req, int status)
{
    (void)status; /* a broken pipe: the death is on its way */
    free(req->data);
}

static void write_rest(struct ens_link *l, const char *p, size_t n)
{
    struct write *wr = malloc(sizeof(*wr) + n);
    uv_buf_t buf;

    ENS_BUG_ON(wr == NULL);
    memcpy(wr->bytes, p, n);
    wr->req.data = wr;
    buf = uv_buf_init(wr->bytes, (unsigned)n);
    if (uv_write(&wr->req, (uv_stream_t *)&l->pipe->pipe, &buf, 1,
                 free_write) != 0)
        free(wr);
}

/* A worker that was told to stop is not to blame for its end. */
static void note_stop(struct ens_link *l, const unsigned char *p, size_t n)
{
    struct ens_order o;
    size_t k;

    while ((k = ens_order_read(&o, p, n)) > 0) {
        if (o.type == ENS_ORDER_STOP)
            l->asked = 1;
        p += k;
        n -= k;
    }
}

static void fork_order(struct ens_transport *t, uint32_t slot, const void *p,
                       size_t n)
{
    struct ens_link *l = &t->link[slot];
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)p, (unsigned)n);
    int k;

    if (l->pipe == NULL || l->reaped || n == 0)
        return;
    note_stop(l, p, n);
    k = uv_try_write((uv_stream_t *)&l->pipe->pipe, &buf, 1);
    if (k < 0 && k != UV_EAGAIN)
        return; /* its death is on its way */
    if (k < 0)
        k = 0;
    if ((size_t)k < n)
        write_rest(l, (const char *)p + k, n - (size_t)k);
}

/* -- starting and ending ------------------------------------------------------
 */

static void fork_start(struct ens_transport *t, uint32_t slot)
{
    struct ens_link *l = &t->link[slot];

    ENS_BUG_ON(l->state != ENS_LINK_EMPTY);
    l->state = ENS_LINK_WANTED;
    l->incarnation++;
    l->asked = l->eof = l->kill_wanted = 0;
    l->have = 0;
    atomic_store(&t->slots[slot].phase, ENS_PHASE_STARTING);
    ens_zygote_pump(t);
}

int ens_link_connect(struct ens_link *l, int fd)
{
    struct ens_pipe *p = calloc(1, sizeof(*p));

    if (p == NULL)
        return -1;
    uv_pipe_init(l->t->config.loop, &p->pipe, 0);
    l->t->n_handles++;
    p->pipe.data = p;
    p->link = l;
    if (uv_pipe_open(&p->pipe, fd) != 0) {
        uv_close((uv_handle_t *)&p->pipe, free_pipe);
        return -1;
    }
    l->pipe = p;
    if (!l->t->paused)
        uv_read_start((uv_stream_t *)&p->pipe, lend, on_read);
    return 0;
}

static void fork_kill(struct ens_transport *t, uint32_t slot)
{
    struct ens_link *l = &t->link[slot];

    if (l->state == ENS_LINK_EMPTY || l->reaped)
        return;
    l->asked = 1;
    l->kill_wanted = 1;
    ens_zygote_pump(t);
}

static void fork_pause(struct ens_transport *t, int on)
{
    if (t->paused == on || t->closing)
        return;
    t->paused = on;
    for (uint32_t i = 0; i < t->config.n_slots; i++) {
        struct ens_link *l = &t->link[i];

        if (l->pipe == NULL || l->eof || l->reaped)
            continue;
        if (on)
            uv_read_stop((uv_stream_t *)&l->pipe->pipe);
        else
            uv_read_start((uv_stream_t *)&l->pipe->pipe, lend, on_read);
    }
    if (!on)
        uv_idle_start(&t->later, on_later);
}

static const struct ens_slot *fork_slot(const struct ens_transport *t,
                                        uint32_t slot)
{
    return &t->slots[slot];
}

static size_t fork_pids(const struct ens_transport *t, int32_t *pid, size_t max)
{
    size_t n = 0;

    if (t->zygote != NULL && n < max)
        pid[n++] = (int32_t)t->zygote->pid;
    for (uint32_t i = 0; i < t->config.n_slots && n < max; i++)
        if (t->link[i].pid > 0)
            pid[n++] = t->link[i].pid;
    return n;
}

static void fork_staged(const struct ens_transport *t, uint64_t *done_bytes,
                        uint64_t *all_bytes)
{
    *done_bytes = *all_bytes = 0;
    if (t->config.stager != NULL)
        ens_stager_progress(t->config.stager, done_bytes, all_bytes);
}

static void free_transport(struct ens_transport *t)
{
    if (t->slots != NULL)
        munmap(t->slots, t->config.n_slots * sizeof(*t->slots));
    if (t->slots_fd >= 0)
        close(t->slots_fd);
    if (t->study_fd >= 0)
        close(t->study_fd);
    for (size_t i = 0; i < t->n_inputs; i++)
        close(t->input_fd[i]);
    free(t->input_fd);
    ens_buf_fini(&t->before);
    for (uint32_t i = 0; t->link != NULL && i < t->config.n_slots; i++)
        free(t->link[i].data);
    free(t->link);
    free(t);
}

void ens_fork_released(struct ens_transport *t)
{
    if (--t->n_handles == 0)
        free_transport(t);
}

static void later_closed(uv_handle_t *h)
{
    ens_fork_released(h->data);
}

static void fork_close(struct ens_transport *t)
{
    if (t == NULL || t->closing)
        return;
    t->closing = 1;
    ens_stager_close(t->config.stager);
    ens_zygote_end(t);
    for (uint32_t i = 0; i < t->config.n_slots; i++)
        close_pipe(&t->link[i]);
    uv_close((uv_handle_t *)&t->later, later_closed);
}

/* -- opening ------------------------------------------------------------------
 */

static enum ens_status make_slots(struct ens_transport *t,
                                  struct ens_error *err)
{
    size_t bytes = t->config.n_slots * sizeof(*t->slots);
    void *p;

    t->slots_fd = memfd_create("ensrun-slots", MFD_CLOEXEC);
    if (t->slots_fd < 0 || ftruncate(t->slots_fd, (off_t)bytes) != 0)
        return ens_fail_errno(err, ENS_EPROCESS, "cannot make the slots");
    p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, t->slots_fd, 0);
    if (p == MAP_FAILED)
        return ens_fail_errno(err, ENS_EPROCESS, "cannot map the slots");
    t->slots = p;
    return ENS_OK;
}

static enum ens_status make_links(struct ens_transport *t,
                                  struct ens_error *err)
{
    t->link = calloc(t->config.n_slots, sizeof(*t->link));
    if (t->link == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    for (uint32_t i = 0; i < t->config.n_slots; i++) {
        t->link[i].t = t;
        t->link[i].index = i;
        t->link[i].data = malloc(ENS_LINK_BYTES);
        if (t->link[i].data == NULL)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    return ENS_OK;
}

static enum ens_status copy_study(struct ens_transport *t,
                                  struct ens_error *err)
{
    size_t n = t->config.study_bytes;
    size_t at = 0;

    t->study_fd = memfd_create("ensrun-study", MFD_CLOEXEC);
    while (t->study_fd >= 0 && at < n) {
        ssize_t k = write(t->study_fd, t->config.study_text + at, n - at);

        if (k < 0 && errno != EINTR)
            break;
        at += k > 0 ? (size_t)k : 0;
    }
    return t->study_fd >= 0 && at == n
               ? ENS_OK
               : ens_fail_errno(err, ENS_EPROCESS, "cannot copy the study");
}

/* Kept open, so that a later zygote maps the same file. */
static enum ens_status keep_input(struct ens_transport *t, int fd,
                                  struct ens_error *err)
{
    int *p = realloc(t->input_fd, (t->n_inputs + 1) * sizeof(*p));

    if (p == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    t->input_fd = p;
    p[t->n_inputs] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (p[t->n_inputs] < 0)
        return ens_fail_errno(err, ENS_EPROCESS, "cannot keep inputs open");
    t->n_inputs++;
    return ENS_OK;
}

static enum ens_status keep_inputs(struct ens_transport *t,
                                   struct ens_error *err)
{
    const struct ens_inputs *in = t->config.plan->inputs;
    size_t n = in != NULL ? in->n : 0;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; s == ENS_OK && i < n; i++)
        s = keep_input(t, in->item[i].fd, err);
    t->has_inputs = s == ENS_OK;
    return s;
}

/* The zygote waits for them: it also removes what a far supervisor that is
 * killed leaves. */
static void on_staged(void *arg, const int *fd, size_t n,
                      const struct ens_error *why)
{
    struct ens_transport *t = arg;
    struct ens_error err;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; fd != NULL && s == ENS_OK && i < n; i++)
        s = keep_input(t, fd[i], &err);
    if (fd != NULL && s == ENS_OK)
        s = ens_zygote_give_inputs(t, &err);
    if (fd != NULL && s == ENS_OK)
        return;
    t->broken = 2;
    t->config.events.broken(t->config.events.arg, fd == NULL ? why : &err);
}

static void note_child(void *arg, int32_t pid)
{
    ens_buf_put(arg, &pid, sizeof(pid));
}

static enum ens_status fork_open(struct ens_transport **out,
                                 const struct ens_transport_config *config,
                                 struct ens_error *err)
{
    struct ens_transport *t = calloc(1, sizeof(*t));
    enum ens_status s;

    if (t == NULL) {
        ens_stager_close(config->stager);
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    t->config = *config;
    t->slots_fd = t->study_fd = -1;
    ens_children_each(note_child, &t->before);
    s = t->before.failed ? ens_fail(err, ENS_ENOMEMORY, "out of memory")
                         : make_slots(t, err);
    if (s == ENS_OK)
        s = make_links(t, err);
    if (s == ENS_OK)
        s = copy_study(t, err);
    if (s != ENS_OK) {
        ens_stager_close(config->stager);
        free_transport(t);
        return s;
    }
    /* What a lost zygote leaves is handed up to us; a write to a worker that
     * has just died must not end us. */
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGPIPE, SIG_IGN);
    uv_idle_init(config->loop, &t->later);
    t->later.data = t;
    t->n_handles = 1;
    s = config->stager != NULL
            ? ens_stager_begin(config->stager, config->loop, on_staged, t, err)
            : keep_inputs(t, err);
    if (s == ENS_OK)
        s = ens_zygote_boot(t, err);
    if (s != ENS_OK)
        fork_close(t);
    else
        *out = t;
    return s;
}

const struct ens_transport_ops ens_transport_fork = {
    .name = "fork",
    .help = "workers forked from a zygote on this machine",
    .open = fork_open,
    .start = fork_start,
    .order = fork_order,
    .kill = fork_kill,
    .pause = fork_pause,
    .slot = fork_slot,
    .pids = fork_pids,
    .staged = fork_staged,
    .close = fork_close,
};
