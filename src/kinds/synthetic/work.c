#include "kinds/synthetic/work.h"

#include "base/clock.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 512u

struct ens_synthetic_fault
ens_synthetic_decide(const struct ens_synthetic_params *p,
                     const struct ens_host *host, struct ens_rng *g)
{
    struct ens_synthetic_fault f = {ENS_FATE_OK, 0};
    double u[5];
    size_t i;

    for (i = 0; i < 5; i++)
        u[i] = host->uniform(g);
    if (u[1] < p->crash_rate)
        f.fate = ENS_FATE_CRASH;
    else if (u[2] < p->abort_rate)
        f.fate = ENS_FATE_ABORT;
    else if (u[3] < p->hang_rate)
        f.fate = ENS_FATE_HANG;
    else if (u[0] < p->fail_rate)
        f.fate = ENS_FATE_FAIL;
    if (p->schema_varies && u[4] * 6 < 2)
        f.variant = u[4] * 6 < 1 ? 1 : 2;
    return f;
}

/* A true fault, at an address that no one maps (mmap_min_addr). Volatile, so
 * that no compiler sees through it. */
static void crash(void)
{
    volatile uintptr_t address = 64;

    *(volatile int *)address = 1;
}

enum ens_status ens_synthetic_suffer(enum ens_synthetic_fate fate,
                                     const struct ens_synthetic_params *p,
                                     struct ens_error *err)
{
    switch (fate) {
    case ENS_FATE_OK:
        break;
    case ENS_FATE_FAIL:
        return ens_fail(err, ENS_EDOMAIN, "synthetic failure, fail_rate = %g",
                        p->fail_rate);
    case ENS_FATE_CRASH:
        crash();
        break;
    case ENS_FATE_ABORT:
        abort();
    case ENS_FATE_HANG:
        for (;;)
            pause();
    }
    return ENS_OK;
}

void ens_synthetic_spin(double us)
{
    uint64_t end = ens_clock_ns() + (uint64_t)(us * 1e3);

    while (ens_clock_ns() < end)
        ;
}

void ens_synthetic_sleep(double us)
{
    uint64_t ns = (uint64_t)(us * 1e3);
    struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};

    while (nanosleep(&t, &t) != 0 && errno == EINTR)
        ;
}

/* Rows lie one behind the other as native doubles. */
static int is_plain(const struct ens_view *v)
{
    int64_t stride = 8;
    uint32_t d;

    if (v->data == NULL || v->dtype != ENS_DT_F64 || v->swapped)
        return 0;
    for (d = v->ndim; d-- > 0;) {
        if (v->shape[d] != 1 && v->strides[d] != stride)
            return 0;
        stride *= (int64_t)v->shape[d];
    }
    return 1;
}

int ens_synthetic_readable(const struct ens_input *x)
{
    return x->n_rows > 0 && (is_plain(&x->view) || x->columns != NULL);
}

static double sum_plain(const double *x, uint64_t n)
{
    double s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    uint64_t i;

    for (i = 0; i + 4 <= n; i += 4) {
        s0 += x[i];
        s1 += x[i + 1];
        s2 += x[i + 2];
        s3 += x[i + 3];
    }
    for (; i < n; i++)
        s0 += x[i];
    return s0 + s1 + (s2 + s3);
}

static double sum_column(const struct ens_view *v, uint64_t first, uint64_t n)
{
    double x[CHUNK], sum = 0;
    uint64_t part;

    for (; n > 0; first += part, n -= part) {
        part = n < CHUNK ? n : CHUNK;
        ens_view_f64(v, first, part, x);
        sum += sum_plain(x, part);
    }
    return sum;
}

static double sum_rows(const struct ens_input *x, uint64_t first, uint64_t n)
{
    const double *data = x->view.data;
    double sum = 0;
    uint64_t c;

    if (is_plain(&x->view))
        return sum_plain(data + first * x->n_columns, n * x->n_columns);
    for (c = 0; c < x->n_columns; c++)
        sum += sum_column(&x->columns[c].view, first, n);
    return sum;
}

double ens_synthetic_touch(const struct ens_input *x, uint64_t start,
                           uint64_t n)
{
    uint64_t tail = x->n_rows - start;

    if (n <= tail)
        return sum_rows(x, start, n);
    return sum_rows(x, start, tail) + sum_rows(x, 0, n - tail);
}

struct ens_synthetic_leak {
    struct ens_synthetic_leak *next;
};

enum ens_status ens_synthetic_leak(struct ens_synthetic_leak **leaks, double mb,
                                   struct ens_error *err)
{
    size_t n = (size_t)(mb * 1e6);
    struct ens_synthetic_leak *leak;

    if (n < sizeof(*leak))
        n = sizeof(*leak);
    leak = malloc(n);
    if (leak == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "leak_mb = %g", mb);
    memset(leak, 1, n); /* so that the pages are really there */
    leak->next = *leaks;
    *leaks = leak;
    return ENS_OK;
}

void ens_synthetic_unleak(struct ens_synthetic_leak **leaks)
{
    struct ens_synthetic_leak *leak;

    while (*leaks != NULL) {
        leak = *leaks;
        *leaks = leak->next;
        free(leak);
    }
}

void ens_synthetic_bytes(const struct ens_host *host, struct ens_rng *g,
                         unsigned char *to, size_t n)
{
    uint64_t word = 0;
    size_t i;

    for (i = 0; i < n; i++) {
        if (i % 8 == 0)
            word = host->bits(g);
        to[i] = (unsigned char)(word >> 8 * (i % 8));
    }
}

void ens_synthetic_text(const struct ens_host *host, struct ens_rng *g,
                        char *to, size_t n)
{
    static const char letters[65] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123 ,;\"'=%.";
    size_t i;

    ens_synthetic_bytes(host, g, (unsigned char *)to, n);
    for (i = 0; i < n; i++)
        to[i] = letters[(unsigned char)to[i] % 64];
}
