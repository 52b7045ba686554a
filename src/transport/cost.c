#include "transport/cost.h"

#include "base/clock.h"
#include "base/file.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PSS_NS   10000000000u
#define PIDS_MAX 4097

/* Sum of lines "KEY:  N kB" of smaps_rollup. */
static uint64_t memory_of(int32_t pid, const char *const *key, size_t n)
{
    char path[64];
    struct ens_buf b = ENS_BUF_INIT;
    uint64_t sum = 0;

    snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
    if (ens_file_read(&b, path, 65536, NULL) != ENS_OK)
        ens_buf_clear(&b);
    for (size_t i = 0; i < n; i++) {
        const char *p = strstr(ens_buf_text(&b), key[i]);
        unsigned long long kib = 0;

        if (p != NULL && sscanf(p + strlen(key[i]), " %llu", &kib) == 1)
            sum += kib * 1024;
    }
    ens_buf_fini(&b);
    return sum;
}

uint64_t ens_process_pss(int32_t pid)
{
    static const char *const key[] = {"\nPss:"};

    return memory_of(pid, key, 1);
}

uint64_t ens_process_private(int32_t pid)
{
    static const char *const key[] = {"\nPrivate_Clean:", "\nPrivate_Dirty:"};

    return memory_of(pid, key, 2);
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
                      const struct ens_transport *t)
{
    uint64_t now = ens_clock_ns();
    int32_t pid[PIDS_MAX];
    size_t n = t != NULL ? ops->pids(t, pid, PIDS_MAX) : 0;

    if (n > 0) /* the zygote comes first */
        m->zygote_cpu_ns = ens_process_cpu_ns(pid[0]);
    if (m->pss_read_ns != 0 && now - m->pss_read_ns < PSS_NS)
        return;
    m->pss_read_ns = now;
    m->pss_bytes = ens_process_pss(getpid());
    for (size_t i = 0; i < n; i++)
        m->pss_bytes += ens_process_pss(pid[i]);
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
    for (uint32_t i = 0; t != NULL && i < n_slots; i++) {
        const struct ens_slot *slot = ops->slot(t, i);

        if (slot != NULL)
            cost->busy_ns += atomic_load(&slot->busy_ns);
    }
}
