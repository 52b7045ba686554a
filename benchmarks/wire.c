/* What a message costs rank 0 of MPI, through the module that ensrun loads:
 * CPU time of one received, one sent, and of looking for one in vain. Under
 * mpirun -n 2 or more: rank 1 sends, others are there to be looked at. Prints
 * a line of KEY=VALUE; load.py runs it. */
#include "transport/ranks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t thread_cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

#define BURST  64
#define BURSTS 400

static int fetch(struct ens_ranks *r)
{
    struct ens_wire_message m;

    if (ens_ranks_receive(r, ENS_WIRE_DATA, &m, NULL) <= 0)
        return 0;
    free(m.data);
    return 1;
}

static void fetch_waiting(struct ens_ranks *r)
{
    const struct timespec pause = {0, 50000};

    while (!fetch(r))
        nanosleep(&pause, NULL);
}

static void post(struct ens_ranks *r, int rank, size_t n)
{
    struct ens_buf b = ENS_BUF_INIT;

    memset(ens_buf_reserve(&b, n), 0, n);
    b.len = n;
    ens_ranks_send(r, rank, ENS_WIRE_DATA, &b, NULL);
}

static int by_value(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return (*x > *y) - (*x < *y);
}

static double median(double *v)
{
    qsort(v, BURSTS, sizeof(*v), by_value);
    return v[BURSTS / 2];
}

/* CPU time of n receives, or sends, or receives of nothing, each. */
static double cost(struct ens_ranks *r, int what)
{
    uint64_t start = thread_cpu_ns();

    for (int i = 0; i < BURST; i++)
        if (what == 1)
            post(r, 1, 64);
        else
            fetch(r);
    return (double)(thread_cpu_ns() - start) / BURST;
}

static void wait_long(struct ens_ranks *r)
{
    const struct timespec pause = {0, 50000000};

    while (!fetch(r))
        nanosleep(&pause, NULL);
}

static void measure_wire(struct ens_ranks *r)
{
    static double got[BURSTS], sent[BURSTS], none[BURSTS];
    const struct timespec pause = {0, 2000000};

    post(r, 1, 64);
    for (int k = 0; k < BURSTS; k++) {
        fetch_waiting(r); /* an extra one, before the burst */
        nanosleep(&pause, NULL);
        got[k] = cost(r, 0);
        none[k] = cost(r, 2);
        sent[k] = cost(r, 1);
    }
    printf("recv_ns=%.0f send_ns=%.0f none_ns=%.0f\n", median(got),
           median(sent), median(none));
    for (int i = 2; i < r->size; i++)
        post(r, i, 64);
}

int main(void)
{
    struct ens_launched launched = ens_launched();
    struct ens_ranks *r;
    struct ens_error err;

    if (ens_ranks_open(&r, &launched, "", NULL, &err) != ENS_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 3;
    }
    if (r->rank > 1) /* there, that MPI has to look at it */
        wait_long(r);
    if (r->rank == 1)
        fetch_waiting(r); /* all have said hello */
    for (int k = 0; r->rank == 1 && k < BURSTS; k++) {
        for (int i = 0; i <= BURST; i++)
            post(r, 0, 200); /* a frame of one record, and the cost */
        for (int i = 0; i < BURST; i++)
            fetch_waiting(r);
    }
    if (r->rank == 0)
        measure_wire(r);
    ens_ranks_close(r);
    return 0;
}
