#include "store/io.h"

#include "base/bug.h"
#include "base/number.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int ens_io_write_all(struct ens_io *io, int fd, const void *p, size_t n,
                     uint64_t at, size_t *left)
{
    const unsigned char *from = p;
    int failed = 0;

    while (n > 0 && !failed) {
        ssize_t k = io->pwrite(io, fd, from, n, (off_t)at);

        if (k < 0 && errno == EINTR)
            continue;
        if (k == 0)
            errno = EIO;
        if (k <= 0) {
            failed = 1;
        } else {
            from += k;
            at += (uint64_t)k;
            n -= (size_t)k;
        }
    }
    if (left != NULL)
        *left = n;
    return failed ? -1 : 0;
}

static ssize_t plain_pwrite(struct ens_io *io, int fd, const void *p, size_t n,
                            off_t at)
{
    (void)io;
    return pwrite(fd, p, n, at);
}

static int plain_sync(struct ens_io *io, int fd)
{
    (void)io;
    return fdatasync(fd);
}

static int plain_allocate(struct ens_io *io, int fd, off_t at, off_t n)
{
    int e = posix_fallocate(fd, at, n);

    (void)io;
    errno = e;
    return e == 0 ? 0 : -1;
}

#define COPY_BYTES ((size_t)1 << 20)

/* 1 = copied; 0 = has to be done by hand (from *done on); -1. */
static int copy_inside(int from, uint64_t from_at, int to, uint64_t to_at,
                       uint64_t n, uint64_t *done)
{
    while (*done < n) {
        off_t a = (off_t)(from_at + *done), b = (off_t)(to_at + *done);
        uint64_t part = n - *done < SSIZE_MAX ? n - *done : SSIZE_MAX;
        ssize_t k = copy_file_range(from, &a, to, &b, (size_t)part, 0);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0 && (errno == ENOSPC || errno == EDQUOT || errno == EIO))
            return -1;
        if (k <= 0)
            return 0;
        *done += (uint64_t)k;
    }
    return 1;
}

int ens_io_copy(struct ens_io *io, int from, uint64_t from_at, int to,
                uint64_t to_at, uint64_t n)
{
    uint64_t done = 0;
    int r = 0;
    char *b;

    if (io->pwrite == plain_pwrite) /* else each write is to be seen */
        r = copy_inside(from, from_at, to, to_at, n, &done);
    if (r != 0)
        return r > 0 ? 0 : -1;
    b = malloc(COPY_BYTES);
    if (b == NULL)
        return -1;
    while (r == 0 && done < n) {
        size_t want = n - done < COPY_BYTES ? (size_t)(n - done) : COPY_BYTES;
        ssize_t k = pread(from, b, want, (off_t)(from_at + done));

        if (k < 0 && errno == EINTR)
            continue;
        if (k == 0)
            errno = 0;
        if (k <= 0 ||
            ens_io_write_all(io, to, b, (size_t)k, to_at + done, NULL) != 0)
            r = -1;
        else
            done += (uint64_t)k;
    }
    free(b);
    return r;
}

/* Atomic: the journal's thread and the loop share the default object. */
struct fault {
    struct ens_io io;
    int cut;
    uint64_t eio_at, sync_at; /* 0: never */
    uint64_t space;           /* UINT64_MAX: endless */
    uint64_t refusals;        /* 0: full for ever */
    uint64_t bytes_per_s;     /* 0: as fast as it goes */
    _Atomic uint64_t n_writes, n_syncs, n_bytes, n_refused;
};

static struct fault *fault_of(struct ens_io *io)
{
    return io->arg;
}

/* How many of n bytes there is room for; 0 counts as a refusal. */
static uint64_t take_space(struct fault *f, uint64_t n)
{
    uint64_t used = atomic_load(&f->n_bytes);
    uint64_t left = used < f->space ? f->space - used : 0;

    if (f->refusals > 0 && atomic_load(&f->n_refused) >= f->refusals)
        left = n;
    if (n > left)
        n = left;
    atomic_fetch_add(&f->n_bytes, n);
    if (n == 0)
        atomic_fetch_add(&f->n_refused, 1);
    return n;
}

static void wait_for(size_t n, uint64_t bytes_per_s)
{
    double s = (double)n / (double)bytes_per_s;
    const struct timespec t = {(time_t)s,
                               (long)((s - (double)(time_t)s) * 1e9)};

    nanosleep(&t, NULL);
}

static ssize_t faulty_pwrite(struct ens_io *io, int fd, const void *p, size_t n,
                             off_t at)
{
    struct fault *f = fault_of(io);
    uint64_t call = atomic_fetch_add(&f->n_writes, 1) + 1;

    if (f->eio_at > 0 && call >= f->eio_at) {
        errno = EIO;
        return -1;
    }
    if (f->cut)
        n = n / 2 + n % 2;
    if (n > 0 && f->space != UINT64_MAX) {
        n = take_space(f, n);
        if (n == 0) {
            errno = ENOSPC;
            return -1;
        }
    }
    if (f->bytes_per_s > 0)
        wait_for(n, f->bytes_per_s);
    return pwrite(fd, p, n, at);
}

static int faulty_sync(struct ens_io *io, int fd)
{
    struct fault *f = fault_of(io);

    if (atomic_fetch_add(&f->n_syncs, 1) + 1 == f->sync_at) {
        errno = EIO;
        return -1;
    }
    return fdatasync(fd);
}

static int faulty_allocate(struct ens_io *io, int fd, off_t at, off_t n)
{
    struct fault *f = fault_of(io);

    if (f->space != UINT64_MAX && take_space(f, (uint64_t)n) < (uint64_t)n) {
        errno = ENOSPC;
        return -1;
    }
    return plain_allocate(io, fd, at, n);
}

static int number_after(const char *w, size_t n, const char *name, uint64_t *v)
{
    size_t k = strlen(name);

    return n > k && memcmp(w, name, k) == 0 &&
           ens_number_parse_u64(w + k, n - k, v) == 0;
}

static int parse_word(struct fault *f, const char *w, size_t n)
{
    const char *plus = memchr(w, '+', n);
    size_t k = plus == NULL ? n : (size_t)(plus - w);

    if (n == 5 && memcmp(w, "short", 5) == 0) {
        f->cut = 1;
        return 0;
    }
    if (number_after(w, n, "eio@", &f->eio_at) ||
        number_after(w, n, "syncfail@", &f->sync_at) ||
        number_after(w, n, "slow@", &f->bytes_per_s))
        return 0;
    if (!number_after(w, k, "enospc@", &f->space))
        return -1;
    return plus == NULL
               ? 0
               : ens_number_parse_u64(plus + 1, n - k - 1, &f->refusals);
}

static int parse(struct fault *f, const char *spec)
{
    while (*spec != '\0') {
        size_t n = strcspn(spec, ",");

        if (parse_word(f, spec, n) != 0)
            return -1;
        spec += n + (spec[n] == ',');
    }
    return 0;
}

enum ens_status ens_fault_new(struct ens_io **io, const char *spec,
                              struct ens_error *err)
{
    struct fault *f = calloc(1, sizeof(*f));

    if (f == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "fault: out of memory");
    f->io.pwrite = faulty_pwrite;
    f->io.sync = faulty_sync;
    f->io.allocate = faulty_allocate;
    f->io.arg = f;
    f->space = UINT64_MAX;
    if (parse(f, spec) != 0) {
        free(f);
        return ens_fail(err, ENS_EUSAGE,
                        "fault %s: expected short, eio@N, enospc@BYTES[+N], "
                        "syncfail@N, slow@BYTES",
                        spec);
    }
    *io = &f->io;
    return ENS_OK;
}

void ens_fault_free(struct ens_io *io)
{
    free(io == NULL ? NULL : io->arg);
}

static struct ens_io *chosen;
static pthread_once_t once = PTHREAD_ONCE_INIT;

/* The one piece of state that lasts: it must count over all users. */
static void choose(void)
{
    static struct ens_io plain = {plain_pwrite, plain_sync, plain_allocate,
                                  NULL};
    const char *spec = getenv("ENSRUN_FAULT");
    int wrong_ensrun_fault;

    chosen = &plain;
    if (spec == NULL || *spec == '\0')
        return;
    wrong_ensrun_fault = ens_fault_new(&chosen, spec, NULL) != ENS_OK;
    ENS_BUG_ON(wrong_ensrun_fault);
}

struct ens_io *ens_io_default(void)
{
    pthread_once(&once, choose);
    return chosen;
}
