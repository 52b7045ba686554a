#include "transport/cost.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/tree.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PIDS_MAX 4097

/* Memory is read (which walks page tables) once a second, of large jobs less
 * often: for a thousandth of the time, but every ten seconds at least. */
#define LEAST_NS 1000000000u
#define MOST_NS  10000000000u
#define SHARE    1000u

static int is_worker(int32_t pid, const int32_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == pid)
            return 1;
    return 0;
}

/* Does a task run a program? Then there are more processes than we know. */
static int runs_programs(const struct ens_transport_ops *ops,
                         const struct ens_transport *t, uint32_t n_slots)
{
    for (uint32_t i = 0; t != NULL && i < n_slots; i++) {
        const struct ens_slot *slot = ops->slot(t, i);

        if (slot != NULL && atomic_load(&slot->group) != 0)
            return 1;
    }
    return 0;
}

static void add_up(struct ens_cost_meter *m, const struct ens_tree *tree,
                   const int32_t *worker, size_t n)
{
    m->pss_bytes = 0;
    for (size_t i = 0; i < tree->n; i++) {
        const struct ens_memory *of = &tree->process[i].memory;

        m->pss_bytes += of->pss;
        if (of->own_bytes > m->worker_bytes &&
            is_worker(tree->process[i].pid, worker, n))
            m->worker_bytes = of->own_bytes;
    }
}

void ens_cost_memory(struct ens_cost_meter *m,
                     const struct ens_transport_ops *ops,
                     const struct ens_transport *t, uint32_t n_slots)
{
    uint64_t start = ens_clock_ns(), wait_ns;
    int32_t pid[PIDS_MAX + 1];
    size_t n = t != NULL ? ops->pids(t, pid + 1, PIDS_MAX) : 0;
    int is_alone = n > 0 && pid[1] == (int32_t)getpid(); /* inline */
    struct ens_tree tree = {0};
    int got;

    pid[0] = (int32_t)getpid();
    got = runs_programs(ops, t, n_slots)
              ? ens_tree_read(&tree, pid[0])
              : ens_tree_read_list(&tree, pid, is_alone ? 1 : n + 1);
    if (got == 0 && is_alone)
        add_up(m, &tree, pid, 1);
    else if (got == 0) /* behind the zygote: workers */
        add_up(m, &tree, pid + 2, n > 0 ? n - 1 : 0);
    ens_tree_fini(&tree);
    wait_ns = SHARE * (ens_clock_ns() - start);
    m->due_ns = ens_clock_ns() + (wait_ns < LEAST_NS  ? LEAST_NS
                                  : wait_ns > MOST_NS ? MOST_NS
                                                      : wait_ns);
}

/* Fields 14 and 15 of /proc/PID/stat. */
uint64_t ens_process_cpu_ns(int32_t pid)
{
    char path[64];
    struct ens_buf b = ENS_BUF_INIT;
    unsigned long user = 0;
    unsigned long sys = 0;
    const char *p;

    snprintf(path, sizeof(path), "/proc/%d/stat", pid);
    if (ens_file_read(&b, path, 65536, NULL) == ENS_OK) {
        p = strrchr(ens_buf_text(&b), ')');
        if (p == NULL ||
            sscanf(p, ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                   &user, &sys) != 2)
            user = sys = 0;
    }
    ens_buf_fini(&b);
    return (uint64_t)((double)(user + sys) * 1e9 /
                      (double)sysconf(_SC_CLK_TCK));
}

void ens_cost_refresh(struct ens_cost_meter *m,
                      const struct ens_transport_ops *ops,
                      const struct ens_transport *t, uint32_t n_slots)
{
    uint64_t now = ens_clock_ns();
    int32_t pid[1];
    size_t n = t != NULL ? ops->pids(t, pid, 1) : 0;

    if (n > 0) /* the zygote comes first */
        m->zygote_cpu_ns = ens_process_cpu_ns(pid[0]);
    if (now >= m->due_ns)
        ens_cost_memory(m, ops, t, n_slots);
}

void ens_cost_read(const struct ens_cost_meter *m,
                   const struct ens_transport_ops *ops,
                   const struct ens_transport *t, uint32_t n_slots,
                   struct ens_relay_cost *cost)
{
    struct timespec own = {0, 0};

    memset(cost, 0, sizeof(*cost));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
    cost->cpu_ns = (uint64_t)own.tv_sec * 1000000000u + (uint64_t)own.tv_nsec +
                   m->zygote_cpu_ns;
    cost->pss_bytes = m->pss_bytes;
    cost->worker_bytes = m->worker_bytes;
    for (uint32_t i = 0; t != NULL && i < n_slots; i++) {
        const struct ens_slot *slot = ops->slot(t, i);

        if (slot != NULL)
            cost->busy_ns += atomic_load(&slot->busy_ns);
    }
}
