/* The real rank 0 under the load of many ranks that are played: a whole run
 * (dispatch, journal, commits) whose messages come not from MPI but from a
 * table of ranks, whose workers "run" a range by letting time pass. What MPI
 * takes is spent by spinning, as measured by wire.c.
 *
 *   rank0 PROGRAM STUDY RESULTS RANKS TASK_US JITTER RECV_NS SEND_NS NONE_NS
 *         TASKS WORKERS (of each rank)
 *
 * A played rank behaves as transport/supervisor.c does: credits, one message
 * for all that is ready, a look for orders 20, 60, 140 ... us after it sent.
 * Prints a line of KEY=VALUE; load.py runs it. */
#include "base/clock.h"
#include "base/number.h"
#include "kinds/kinds.h"
#include "record/schema.h"
#include "run/run.h"
#include "transport/ranks.h"
#include "worker/order.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LATENCY_NS 5000u /* of a message, one way */

struct span {
    uint64_t first, end_ns;
    uint32_t n;
    double s;
};

struct worker {
    uint32_t incarnation;
    int ready, has_schema; /* has to say so; has said it */
    struct span todo[4], done[4];
    uint32_t n_todo, n_done;
    uint64_t free_ns; /* it has no task from then on */
    uint64_t seq;
};

struct rank {
    uint32_t credits;
    int opened, gone;  /* to be said */
    uint32_t n_to_say; /* of its workers */
    int is_out;        /* in the queue of those who speak */
    uint64_t sent_ns;
};

static struct {
    int size, n_workers, n_helloed; /* n_workers: of each rank but 0 */
    struct rank *rank;
    struct worker *worker; /* by slot */
    struct ens_relay_setup setup;
    struct ens_stage stage;
    double task_s, jitter;
    uint64_t recv_ns, send_ns, none_ns, random;
    struct ens_schemas schemas;
    /* who ends a range next: a heap by end_ns of todo[0] */
    int *heap;
    int n_heap;
    int *out; /* ring of those who speak */
    uint64_t out_from, out_to;
    /* what is measured: between a tenth and half of the tasks, behind the
     * start and before ranges become shorter */
    uint64_t n_tasks, n_got, n_messages, n_sent, n_frames, n_ranges, n_turns;
    uint64_t n_full, n_of_turn; /* turns that left messages for the next */
    uint64_t played_ns;         /* of this thread, for the ranks */
    struct mark {
        uint64_t at_ns, cpu_ns, queued_ns, played_ns;
        uint64_t messages, sent, tasks, frames, ranges, turns, full;
        double busy_s, wait_s;
    } begin, end;
    double busy_s, wait_s;
} g;

static uint64_t thread_cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Time this thread wanted a core and had none: other programs' fault. */
static uint64_t queued_ns(void)
{
    static int fd = -1;
    char text[128] = "";
    const char *p;

    if (fd < 0)
        fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || pread(fd, text, sizeof(text) - 1, 0) <= 0)
        return 0;
    p = strchr(text, ' ');
    return p != NULL ? strtoull(p, NULL, 10) : 0;
}

/* The clock of ranks and measurements: it stands still while this thread waits
 * for a core, which shows as a leap. */
static uint64_t clock_ns(void)
{
    static uint64_t last, queued;
    uint64_t now = ens_clock_ns();

    if (now - last > 100000)
        queued = queued_ns();
    last = now;
    return now - queued;
}

static void spend(uint64_t ns)
{
    uint64_t end = ens_clock_ns() + ns;

    while (ns > 0 && ens_clock_ns() < end)
        ;
}

static double draw(void)
{
    g.random = g.random * 6364136223846793005u + 1442695040888963407u;
    return (double)(g.random >> 11) / 9007199254740992.0;
}

static void mark(struct mark *m)
{
    *m = (struct mark){clock_ns(),   thread_cpu_ns(), queued_ns(), g.played_ns,
                       g.n_messages, g.n_sent,        g.n_got,     g.n_frames,
                       g.n_ranges,   g.n_turns,       g.n_full,    g.busy_s,
                       g.wait_s};
}

/* -- the heap and the queue -------------------------------------------------
 */

static uint64_t key(int i)
{
    return g.worker[g.heap[i]].todo[0].end_ns;
}

static void swap(int a, int b)
{
    int t = g.heap[a];

    g.heap[a] = g.heap[b];
    g.heap[b] = t;
}

static void push(int slot)
{
    int i = g.n_heap++;

    g.heap[i] = slot;
    for (; i > 0 && key(i) < key((i - 1) / 2); i = (i - 1) / 2)
        swap(i, (i - 1) / 2);
}

static int pop(void)
{
    int top = g.heap[0];
    int i = 0;

    g.heap[0] = g.heap[--g.n_heap];
    for (;;) {
        int k = 2 * i + 1;

        if (k + 1 < g.n_heap && key(k + 1) < key(k))
            k++;
        if (k >= g.n_heap || key(i) <= key(k))
            return top;
        swap(i, k);
        i = k;
    }
}

static int rank_of(int slot)
{
    return slot / g.n_workers;
}

static void speak(int i)
{
    struct rank *r = &g.rank[i];

    if (r->is_out || (r->credits == 0 && !r->gone))
        return;
    r->is_out = 1;
    g.out[g.out_to++ % (uint64_t)g.size] = i;
}

/* -- what rank 0 says ---------------------------------------------------------
 */

/* When a supervisor that sent at `sent` next looks for what came at `at`. */
static uint64_t seen(uint64_t sent, uint64_t at)
{
    uint64_t t = sent, step = 20000;

    while (t < at) {
        if (step == 2000000) { /* all later polls are as far apart */
            t += (at - t + step - 1) / step * step;
            break;
        }
        t += step;
        step = 2 * step < 2000000 ? 2 * step : 2000000;
    }
    return t;
}

static void begin_range(int slot, const struct ens_order *o, uint64_t now)
{
    struct worker *r = &g.worker[slot];
    uint64_t at = seen(g.rank[rank_of(slot)].sent_ns, now + LATENCY_NS);
    uint64_t start = r->free_ns > at ? r->free_ns : at;
    double s = 0;

    for (uint32_t k = 0; k < o->n; k++)
        s += g.task_s * (1 + g.jitter * (2 * draw() - 1));
    if (r->free_ns > 0)
        g.wait_s += (double)(start - r->free_ns) / 1e9;
    g.n_ranges++;
    r->free_ns = start + (uint64_t)(s * 1e9);
    if (r->n_todo == 4)
        abort();
    r->todo[r->n_todo++] = (struct span){o->first, r->free_ns, o->n, s};
    if (r->n_todo == 1)
        push(slot);
}

static void obey_orders(const struct ens_relay_item *item, uint64_t now)
{
    const unsigned char *p = item->body;
    size_t left = item->n;
    struct ens_order o;
    size_t n;

    while ((n = ens_order_read(&o, p, left)) > 0) {
        struct ens_order_stage body;

        if (o.type == ENS_ORDER_STAGE && g.stage.n_runs == 0 &&
            ens_order_read_stage(&body, p + ENS_ORDER_BYTES, o.n, NULL) ==
                ENS_OK)
            g.stage = body.stage;
        if (o.type == ENS_ORDER_RANGE)
            begin_range((int)item->slot, &o, now);
        p += n;
        left -= n;
    }
}

static void obey(int i, const struct ens_relay_item *item, uint64_t now)
{
    struct rank *r = &g.rank[i];

    if (item->type == ENS_RELAY_SETUP) {
        ens_relay_get_setup(&g.setup, item);
        g.setup.study_text = NULL;
        r->credits = g.setup.credits;
        r->opened = 1;
    } else if (item->type == ENS_RELAY_START) {
        g.worker[item->slot].ready = 1;
        g.worker[item->slot].incarnation++;
        r->n_to_say++;
    } else if (item->type == ENS_RELAY_CREDIT) {
        r->credits += item->body[0];
    } else if (item->type == ENS_RELAY_END) {
        r->gone = 1;
    } else if (item->type == ENS_RELAY_ORDER) {
        obey_orders(item, now);
    }
    if (r->opened || r->gone || r->n_to_say > 0)
        speak(i);
}

static int play_send(int rank, enum ens_wire_tag tag, unsigned char *p,
                     size_t n, char *why, size_t cap)
{
    uint64_t start = clock_ns();
    const unsigned char *at = p;
    struct ens_relay_item item;
    size_t left = n, k;

    (void)tag;
    (void)why;
    (void)cap;
    while ((k = ens_relay_read(&item, at, left)) > 0) {
        obey(rank, &item, start);
        at += k;
        left -= k;
    }
    free(p);
    g.n_sent++;
    g.played_ns += clock_ns() - start;
    spend(g.send_ns);
    return 0;
}

/* -- what the ranks say -------------------------------------------------------
 */

static void put_frame(struct ens_buf *b, int slot, const struct span *span)
{
    static struct ens_packer packer;
    static struct ens_draft d;
    struct ens_buf frame = ENS_BUF_INIT;
    struct worker *r = &g.worker[slot];

    packer.stage = g.stage.id;
    packer.schema = g.schemas.item[0];
    for (uint32_t k = 0; k < span->n; k++) {
        ens_stage_task(&g.stage, span->first + k, &d.cell, &d.replicate);
        d.worker = (uint32_t)slot;
        d.seconds = g.task_s;
        ens_draft_begin(&d, g.schemas.item[0]);
        ens_draft_f64(&d, 0, (double)k);
        ens_packer_add(&packer, &d);
    }
    ens_packer_flush(&packer, &frame, (uint16_t)slot, r->incarnation, ++r->seq,
                     g.setup.run_id);
    ens_relay_put(b, ENS_RELAY_FRAME, (uint32_t)slot, frame.data, frame.len);
    ens_buf_fini(&frame);
    g.n_got += span->n;
    g.n_frames++;
}

static void put_schema(struct ens_buf *b, int slot)
{
    struct ens_buf text = ENS_BUF_INIT, frame = ENS_BUF_INIT;
    struct worker *r = &g.worker[slot];

    ens_schema_encode(g.schemas.item[0], &text);
    ens_frame_write(&frame, ENS_FRAME_SCHEMA, (uint16_t)slot, r->incarnation,
                    ++r->seq, text.data, text.len, g.setup.run_id);
    ens_relay_put(b, ENS_RELAY_FRAME, (uint32_t)slot, frame.data, frame.len);
    ens_buf_fini(&text);
    ens_buf_fini(&frame);
    r->has_schema = 1;
}

static void say_of(struct ens_buf *b, int slot)
{
    struct worker *w = &g.worker[slot];

    if (w->ready)
        ens_relay_put(b, ENS_RELAY_READY, (uint32_t)slot, NULL, 0);
    if (w->n_done > 0 && !w->has_schema)
        put_schema(b, slot);
    for (uint32_t k = 0; k < w->n_done; k++)
        put_frame(b, slot, &w->done[k]);
    w->ready = 0;
    w->n_done = 0;
}

static void say(int i, struct ens_buf *b)
{
    struct rank *r = &g.rank[i];
    const struct ens_relay_opened opened = {0, 0, 0};
    struct ens_relay_cost cost = {.cpu_ns = 1, .pss_bytes = 1};

    cost.busy_ns = (uint64_t)(g.busy_s * 1e9 / g.size);
    if (r->gone) {
        ens_relay_put(b, ENS_RELAY_GONE, 0, NULL, 0);
        return;
    }
    if (r->opened)
        ens_relay_put_opened(b, &opened);
    for (int k = 0; r->n_to_say > 0 && k < g.n_workers; k++)
        say_of(b, i * g.n_workers + k);
    r->opened = 0;
    r->n_to_say = 0;
    ens_relay_put_cost(b, &cost);
    r->credits--;
}

static void hello(struct ens_buf *b)
{
    struct ens_relay_hello h = {.protocol = ENS_RELAY_PROTOCOL,
                                .abi = ENS_ABI,
                                .host = "played",
                                .boot = "played",
                                .n_cores = 1};

    snprintf(h.version, sizeof(h.version), "%s", ens_version());
    ens_relay_put_hello(b, &h);
}

/* Ranges that have ended by now, and reached rank 0. */
static void advance(uint64_t now)
{
    while (g.n_heap > 0 && key(0) + LATENCY_NS <= now) {
        int slot = pop();
        int i = rank_of(slot);
        struct worker *w = &g.worker[slot];

        if (w->n_done == 4)
            abort();
        w->done[w->n_done++] = w->todo[0];
        g.busy_s += w->todo[0].s;
        g.rank[i].sent_ns = w->todo[0].end_ns;
        g.rank[i].n_to_say++;
        memmove(w->todo, w->todo + 1, --w->n_todo * sizeof(*w->todo));
        if (w->n_todo > 0)
            push(slot);
        speak(i);
    }
}

static int next_speaker(struct ens_buf *b)
{
    int i = 0;

    if (g.n_helloed < g.size - 1) {
        hello(b);
        return ++g.n_helloed;
    }
    advance(clock_ns());
    if (g.out_from == g.out_to)
        return 0;
    i = g.out[g.out_from++ % (uint64_t)g.size];
    g.rank[i].is_out = 0;
    say(i, b);
    return i;
}

static int play_receive(enum ens_wire_tag tag, struct ens_wire_message *m,
                        char *why, size_t cap)
{
    uint64_t start = clock_ns();
    uint64_t got = g.n_got;
    struct ens_buf b = ENS_BUF_INIT;
    int i = tag == ENS_WIRE_DATA ? next_speaker(&b) : 0;

    (void)why;
    (void)cap;
    g.played_ns += clock_ns() - start;
    if (tag == ENS_WIRE_DATA) { /* of on_tick in transport/mpi.c */
        int full = i != 0 && ++g.n_of_turn == 64;

        g.n_turns += i == 0;
        g.n_full += (uint64_t)full;
        if (i == 0 || full)
            g.n_of_turn = 0;
    }
    if (i == 0) {
        spend(g.none_ns);
        return 0;
    }
    g.n_messages++;
    if (got < g.n_tasks / 10 && g.n_got >= g.n_tasks / 10)
        mark(&g.begin);
    if (got < g.n_tasks / 2 && g.n_got >= g.n_tasks / 2)
        mark(&g.end);
    *m = (struct ens_wire_message){i, tag, b.data, b.len};
    spend(g.recv_ns);
    return 1;
}

static int play_open(int *rank, int *size, char *why, size_t cap)
{
    (void)why;
    (void)cap;
    *rank = 0;
    *size = g.size;
    return 0;
}

static size_t play_sending(void)
{
    return 0;
}

static void play_close(void)
{
}

static const struct ens_wire_ops play = {
    ENS_WIRE_VERSION, "played",     play_open, play_send,
    play_receive,     play_sending, play_close};

/* -- serve ----------------------------------------------------------------- */

static void print_serve(int code)
{
    double s = (double)(g.end.at_ns - g.begin.at_ns) / 1e9;
    double cpu_s = (double)(g.end.cpu_ns - g.begin.cpu_ns -
                            (g.end.played_ns - g.begin.played_ns)) /
                   1e9;
    double messages = (double)(g.end.messages - g.begin.messages);
    double ranges = (double)(g.end.ranges - g.begin.ranges);
    double played_s = (double)(g.end.played_ns - g.begin.played_ns) / 1e9;
    double queued_s = (double)(g.end.queued_ns - g.begin.queued_ns) / 1e9;

    printf(
        "exit=%d seconds=%.4f cpu_s=%.5f turns=%.0f full=%.0f messages=%.0f "
        "frames=%.0f tasks=%.0f sent=%.0f tasks_per_s=%.1f messages_per_s=%.1f "
        "tasks_per_range=%.2f cpu_us_per_message=%.3f utilisation=%.4f "
        "played=%.4f queued=%.4f wait_us=%.1f efficiency=%.4f\n",
        code, s, cpu_s, (double)(g.end.turns - g.begin.turns),
        (double)(g.end.full - g.begin.full), messages,
        (double)(g.end.frames - g.begin.frames),
        (double)(g.end.tasks - g.begin.tasks),
        (double)(g.end.sent - g.begin.sent),
        (double)(g.end.tasks - g.begin.tasks) / s, messages / s,
        (double)(g.end.tasks - g.begin.tasks) / ranges, cpu_s / messages * 1e6,
        cpu_s / (s - played_s), played_s / s, queued_s / (s + queued_s),
        (g.end.wait_s - g.begin.wait_s) / ranges * 1e6,
        (g.end.busy_s - g.begin.busy_s) / (s * g.n_workers * (g.size - 1)));
}

static double number(const char *text)
{
    double v = 0;

    if (ens_number_parse(text, strlen(text), &v) != 0) {
        fprintf(stderr, "%s: not a number\n", text);
        exit(2);
    }
    return v;
}

static int serve(char **arg)
{
    struct ens_launched launched = {ENS_LAUNCHER_MPI, 0, 0};
    struct ens_field field = {
        .name = "value1", .type = ENS_F64, .unit = "", .help = ""};
    struct ens_run_report report;
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_error err = {0};
    struct ens_run_options o = {.program = arg[0],
                                .study = arg[1],
                                .results = arg[2],
                                .kinds = &ens_kinds,
                                .workers = (uint32_t)number(arg[10]),
                                .transport = "mpi"};
    enum ens_status s;
    size_t index, n_slots;

    g.size = (int)number(arg[3]);
    g.task_s = number(arg[4]) / 1e6;
    g.jitter = number(arg[5]);
    g.recv_ns = (uint64_t)number(arg[6]);
    g.send_ns = (uint64_t)number(arg[7]);
    g.none_ns = (uint64_t)number(arg[8]);
    g.n_tasks = (uint64_t)number(arg[9]);
    g.n_workers = (int)number(arg[10]);
    g.rank = calloc((size_t)g.size, sizeof(*g.rank));
    n_slots = (size_t)(g.size * g.n_workers);
    g.worker = calloc(n_slots, sizeof(*g.worker));
    g.heap = calloc(n_slots, sizeof(*g.heap));
    g.out = calloc((size_t)g.size, sizeof(*g.out));
    s = ens_schemas_add(&g.schemas, &field, 1, &index, &err);
    if (s == ENS_OK)
        s = ens_ranks_open(&o.ranks, &launched, "played", &play, &err);
    if (s == ENS_OK)
        s = ens_run(&o, &report, &errors, &err);
    if (s != ENS_OK)
        fprintf(stderr, "%s%s\n", ens_buf_text(&errors), err.text);
    print_serve(s == ENS_OK ? ens_run_exit(s, &report) : ens_status_exit(s));
    return s != ENS_OK;
}

int main(int argc, char **argv)
{
    if (argc == 12)
        return serve(argv + 1);
    fprintf(stderr, "see the head of rank0.c\n");
    return 2;
}
