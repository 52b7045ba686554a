#include "transport/ranks.h"

#include "base/clock.h"
#include "base/number.h"

#include <dlfcn.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define HELLO_SECONDS 60.0
#define END_SECONDS   20.0
#define LOST_SECONDS  2.0 /* one of them does not answer any more */
#define PAUSE_NS      200000
#define MODULE        "mpi.so"

/* -- the module ---------------------------------------------------------------
 */

/* Where the program is installed, and where it was built. */
static const char *const folders[] = {ENS_MODULES, "modules"};

static int module_path(char *to, size_t cap, const char *program, size_t i)
{
    const char *slash = strrchr(program, '/');
    int n = slash == NULL ? 0 : (int)(slash - program + 1);

    n = snprintf(to, cap, "%.*s%s/" MODULE, n, program, folders[i]);
    return n > 0 && (size_t)n < cap && access(to, F_OK) == 0;
}

static enum ens_status load(struct ens_ranks *r, struct ens_error *err)
{
    char path[PATH_MAX], program[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
    size_t i = 0;

    program[n > 0 ? n : 0] = '\0';

    while (i < 2 && !module_path(path, sizeof(path), program, i))
        i++;
    if (i == 2)
        return ens_fail(err, ENS_EPROCESS,
                        "%s was built without MPI: there is no " MODULE
                        " in %s beside it; install Open MPI (libopenmpi-dev) "
                        "and build again",
                        program, ENS_MODULES);
    r->module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (r->module == NULL)
        return ens_fail(err, ENS_EPROCESS,
                        "cannot load the MPI module: %s; is Open MPI "
                        "(openmpi-bin) installed on this host?",
                        dlerror());
    r->wire = dlsym(r->module, ENS_WIRE_SYMBOL);
    if (r->wire == NULL || r->wire->version != ENS_WIRE_VERSION)
        return ens_fail(err, ENS_EPROCESS,
                        "%s is of another version of ensrun: build it again",
                        path);
    return ENS_OK;
}

/* -- messages ---------------------------------------------------------------
 */

enum ens_status ens_ranks_send(struct ens_ranks *r, int rank,
                               enum ens_wire_tag tag, struct ens_buf *b,
                               struct ens_error *err)
{
    char why[256] = "";
    int failed = b->failed;
    int k = -1;

    if (!failed)
        k = r->wire->send(rank, tag, b->data, b->len, why, sizeof(why));
    else
        ens_buf_fini(b);
    memset(b, 0, sizeof(*b)); /* its memory is the wire's now */
    if (failed)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    return k == 0 ? ENS_OK
                  : ens_fail(err, ENS_EPROCESS, "cannot send to rank %d: %s",
                             rank, why);
}

int ens_ranks_receive(struct ens_ranks *r, enum ens_wire_tag tag,
                      struct ens_wire_message *m, struct ens_error *err)
{
    char why[256] = "";
    int k = r->wire->receive(tag, m, why, sizeof(why));

    if (k < 0)
        ens_fail(err, ENS_EPROCESS, "cannot receive: %s", why);
    return k;
}

void ens_ranks_name(const struct ens_ranks *r, int rank, char *to, size_t cap)
{
    snprintf(to, cap, "rank %d on %s", rank,
             r->hello != NULL ? r->hello[rank].host : r->self.host);
}

static void nap(void)
{
    const struct timespec pause = {0, PAUSE_NS};

    nanosleep(&pause, NULL);
}

/* -- hello ------------------------------------------------------------------
 */

static void read_boot(char *to, size_t cap)
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");

    if (f == NULL || fgets(to, (int)cap, f) == NULL)
        to[0] = '\0';
    to[strcspn(to, "\n")] = '\0';
    if (f != NULL)
        fclose(f);
}

static void describe_self(struct ens_relay_hello *h, const char *cpu)
{
    const char *slurm = getenv("SLURM_CPUS_PER_TASK");
    uint64_t cpus;
    cpu_set_t set;

    memset(h, 0, sizeof(*h));
    h->protocol = ENS_RELAY_PROTOCOL;
    h->abi = ENS_ABI;
    snprintf(h->version, sizeof(h->version), "%s", ens_version());
    snprintf(h->cpu, sizeof(h->cpu), "%s", cpu);
    if (gethostname(h->host, sizeof(h->host) - 1) != 0)
        snprintf(h->host, sizeof(h->host), "unknown");
    read_boot(h->boot, sizeof(h->boot));
    h->n_cores = 1;
    if (sched_getaffinity(0, sizeof(set), &set) == 0)
        h->n_cores = (uint32_t)CPU_COUNT(&set);
    if (slurm != NULL &&
        ens_number_parse_u64(slurm, strlen(slurm), &cpus) == 0 &&
        cpus < ENS_SLOT_COORDINATOR)
        h->cpus_per_task = (uint32_t)cpus;
}

static enum ens_status say_hello(struct ens_ranks *r, struct ens_error *err)
{
    struct ens_buf b = ENS_BUF_INIT;

    ens_relay_put_hello(&b, &r->self);
    return ens_ranks_send(r, 0, ENS_WIRE_DATA, &b, err);
}

static enum ens_status take_hello(struct ens_ranks *r,
                                  const struct ens_wire_message *m,
                                  struct ens_error *err)
{
    struct ens_relay_item item;
    struct ens_relay_hello *h;

    if (m->rank < 1 || m->rank >= r->size ||
        ens_relay_read(&item, m->data, m->n) != m->n)
        return ens_fail(err, ENS_EPROTOCOL, "a rank said no hello");
    h = &r->hello[m->rank];
    if (ens_relay_get_hello(h, &item) != 0)
        return ens_fail(err, ENS_EPROTOCOL, "rank %d said no hello", m->rank);
    return ENS_OK;
}

/* Everyone speaks before anyone is judged: all must be told to end. */
static enum ens_status hear_all(struct ens_ranks *r, struct ens_error *err)
{
    uint64_t start = ens_clock_ns();
    enum ens_status s = ENS_OK;
    int missing = r->size - 1;

    while (s == ENS_OK && missing > 0) {
        struct ens_wire_message m;
        int k = ens_ranks_receive(r, ENS_WIRE_DATA, &m, err);

        if (k < 0)
            return ENS_EPROCESS;
        if (k > 0) {
            s = take_hello(r, &m, err);
            free(m.data);
            missing--;
        } else if ((double)(ens_clock_ns() - start) > HELLO_SECONDS * 1e9) {
            return ens_fail(err, ENS_EPROCESS,
                            "%d of %d ranks have not answered within %g s",
                            missing, r->size, HELLO_SECONDS);
        } else {
            nap();
        }
    }
    return s;
}

static enum ens_status compare(const struct ens_ranks *r, struct ens_error *err)
{
    for (int i = 1; i < r->size; i++) {
        const struct ens_relay_hello *h = &r->hello[i];

        if (h->protocol != r->self.protocol || h->abi != r->self.abi ||
            strcmp(h->version, r->self.version) != 0)
            return ens_fail(err, ENS_EUSAGE,
                            "rank %d on %s runs ensrun %s (ABI %u, protocol "
                            "%u), rank 0 on %s runs ensrun %s (ABI %u, "
                            "protocol %u)",
                            i, h->host, h->version, h->abi, h->protocol,
                            r->self.host, r->self.version, r->self.abi,
                            r->self.protocol);
    }
    return ENS_OK;
}

static enum ens_status meet(struct ens_ranks *r, struct ens_error *err)
{
    enum ens_status s;

    if (r->rank > 0)
        return say_hello(r, err);
    r->hello = calloc((size_t)r->size, sizeof(*r->hello));
    r->n_slots = calloc((size_t)r->size, sizeof(*r->n_slots));
    if (r->hello == NULL || r->n_slots == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    r->hello[0] = r->self;
    s = hear_all(r, err);
    return s == ENS_OK ? compare(r, err) : s;
}

/* -- opening and closing ------------------------------------------------------
 */

static enum ens_status start(struct ens_ranks *r,
                             const struct ens_launched *launched,
                             struct ens_error *err)
{
    char why[256] = "";

    if (r->wire->open(&r->rank, &r->size, why, sizeof(why)) != 0)
        return ens_fail(err, ENS_EPROCESS, "cannot start %s: %s",
                        r->wire->library, why);
    if (launched->by == ENS_LAUNCHER_MPI && launched->size > 1 &&
        r->size != launched->size) {
        const char *library = r->wire->library;

        r->wire->close();
        r->wire = NULL;
        return ens_fail(
            err, ENS_EPROCESS,
            "the launcher started %d processes, but MPI knows of "
            "%d: mpirun and the module are of different MPI (the module: %s)",
            launched->size, r->size, library);
    }
    return ENS_OK;
}

enum ens_status ens_ranks_open(struct ens_ranks **out,
                               const struct ens_launched *launched,
                               const char *cpu, const struct ens_wire_ops *wire,
                               struct ens_error *err)
{
    struct ens_ranks *r = calloc(1, sizeof(*r));
    enum ens_status s = ENS_OK;

    if (r == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    r->wire = wire;
    describe_self(&r->self, cpu);
    if (wire == NULL)
        s = load(r, err);
    if (s != ENS_OK) {
        r->wire = NULL;
        ens_ranks_close(r);
        return s;
    }
    s = start(r, launched, err);
    if (s == ENS_OK) {
        s = meet(r, err);
        if (s != ENS_OK && r->rank == 0)
            ens_ranks_end(r);
    }
    if (s == ENS_OK)
        *out = r;
    else
        ens_ranks_close(r);
    return s;
}

/* The module stays: MPI leaves threads and handlers behind. */
void ens_ranks_close(struct ens_ranks *r)
{
    if (r == NULL)
        return;
    if (r->wire != NULL)
        r->wire->close();
    free(r->hello);
    free(r->n_slots);
    free(r);
}

/* 1 when it is the last word of a rank. */
static int is_gone(const struct ens_wire_message *m)
{
    const unsigned char *p = m->data;
    struct ens_relay_item item;
    size_t left = m->n;
    size_t n;

    while ((n = ens_relay_read(&item, p, left)) > 0) {
        if (item.type == ENS_RELAY_GONE)
            return 1;
        p += n;
        left -= n;
    }
    return 0;
}

void ens_ranks_end(struct ens_ranks *r)
{
    uint64_t start = ens_clock_ns();
    double patience = r->lost ? LOST_SECONDS : END_SECONDS;
    int left = r->size - 1;

    if (r->wire == NULL)
        return;

    for (int i = 1; i < r->size; i++) {
        struct ens_buf b = ENS_BUF_INIT;

        ens_relay_put(&b, ENS_RELAY_END, 0, NULL, 0);
        if (ens_ranks_send(r, i, ENS_WIRE_DATA, &b, NULL) != ENS_OK)
            break;
    }
    while (left > 0) {
        struct ens_wire_message m;
        int k = ens_ranks_receive(r, ENS_WIRE_DATA, &m, NULL);

        if (k < 0 || (double)(ens_clock_ns() - start) > patience * 1e9) {
            r->wire = NULL; /* the launcher will end what is left */
            return;
        }
        if (k == 0) {
            nap();
            continue;
        }
        left -= is_gone(&m);
        free(m.data);
    }
    r->wire->close();
    r->wire = NULL;
}

/* -- workers of ranks ---------------------------------------------------------
 */

uint32_t ens_ranks_assign(struct ens_ranks *r, uint32_t per_rank,
                          uint32_t cores)
{
    uint64_t sum = 0;

    for (int i = 0; i < r->size; i++) {
        uint32_t n = per_rank;

        if (n == 0)
            n = r->hello[i].cpus_per_task / (cores > 0 ? cores : 1);
        r->n_slots[i] = n > 0 ? n : 1;
        sum += r->n_slots[i];
    }
    return sum < ENS_SLOT_COORDINATOR ? (uint32_t)sum : 0;
}

void ens_ranks_place(const struct ens_ranks *r, int rank, uint32_t *n,
                     uint32_t *index)
{
    *n = *index = 0;
    for (int i = 0; i < r->size; i++)
        if (strcmp(r->hello[i].host, r->hello[rank].host) == 0 &&
            strcmp(r->hello[i].boot, r->hello[rank].boot) == 0) {
            ++*n;
            *index += i < rank;
        }
}
