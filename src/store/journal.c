#include "store/journal.h"

#include "base/bug.h"
#include "base/clock.h"
#include "record/frame.h"
#include "store/commit.h"
#include "store/writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KEEP_BYTES    ((size_t)8 << 20) /* a buffer larger than that is freed */
#define SPACE_POLL_NS 200000000u

/* The owner's: open*, seq. The thread's, while busy: writer, sealed*,
 * sync_fd. The rest is under the lock. */
struct ens_journal {
    struct ens_epoch epoch; /* a copy: number, dir and run id do not change */
    struct ens_journal_options options;
    struct ens_writer writer;
    pthread_t thread;

    struct ens_buf open;
    uint64_t open_records;
    uint64_t seq;

    struct ens_buf sealed;
    uint64_t sealed_records;
    int *sync_fd;
    size_t n_sync;

    pthread_mutex_t lock;
    pthread_cond_t work; /* sealed, or stop/abandon: the thread waits */
    pthread_cond_t idle; /* no longer busy: the owner waits */
    struct ens_journal_state state;
    size_t sealed_bytes; /* in flight, for `pending` */
    int stop;            /* end when idle */
    int abandon;         /* end at once */
};

/* -- the thread --------------------------------------------------------- */

/* Wait, but not for a journal that is abandoned (then 1). */
static int pause_ns(struct ens_journal *j, uint64_t ns)
{
    struct timespec t;
    uint64_t until = ens_clock_ns() + ns;
    int abandoned;

    t.tv_sec = (time_t)(until / 1000000000u);
    t.tv_nsec = (long)(until % 1000000000u);
    pthread_mutex_lock(&j->lock);
    while (!j->abandon && pthread_cond_timedwait(&j->work, &j->lock, &t) == 0)
        ;
    abandoned = j->abandon;
    pthread_mutex_unlock(&j->lock);
    return abandoned;
}

static int wait_for_space(void *arg)
{
    struct ens_journal *j = arg;

    pthread_mutex_lock(&j->lock);
    j->state.waiting_for_space = 1;
    pthread_mutex_unlock(&j->lock);
    return pause_ns(j, SPACE_POLL_NS);
}

/* Packs and arrays that the group refers to. All are closed, synced or not. */
static enum ens_status sync_others(struct ens_journal *j, struct ens_error *err)
{
    struct ens_io *io = j->writer.io;
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < j->n_sync; i++) {
        if (s == ENS_OK && io->sync(io, j->sync_fd[i]) != 0)
            s = ens_fail_errno(err, ENS_EIO,
                               "cannot sync a pack or an array of %s",
                               j->epoch.dir);
        close(j->sync_fd[i]);
    }
    free(j->sync_fd);
    j->sync_fd = NULL;
    j->n_sync = 0;
    return s;
}

static void pretend_slow(struct ens_journal *j, size_t bytes, uint64_t start)
{
    uint64_t rate = j->options.slow_bytes_per_s;
    uint64_t took = ens_clock_ns() - start;
    double want;

    if (rate == 0)
        return;
    want = 1e9 * (double)bytes / (double)rate;
    if (want > (double)took)
        pause_ns(j, (uint64_t)want - took);
}

/* Until it returns ENS_OK the group does not count. */
static enum ens_status write_group(struct ens_journal *j, struct ens_error *err)
{
    uint64_t start = ens_clock_ns();
    enum ens_status s = sync_others(j, err);

    if (s == ENS_OK)
        s = ens_writer_put(&j->writer, &j->sealed, j->sealed_records, err);
    if (s == ENS_OK)
        pretend_slow(j, j->sealed.len, start);
    if (s == ENS_OK && ens_epoch_superseded(&j->epoch))
        s = ens_fail(err, ENS_ELOCKED,
                     "results folder %s was taken over by epoch %u",
                     j->epoch.dir, j->epoch.number + 1);
    if (s == ENS_OK)
        ens_writer_accept(&j->writer, j->sealed.len);
    return s;
}

static void reuse(struct ens_buf *b)
{
    if (b->cap > KEEP_BYTES)
        ens_buf_fini(b);
    ens_buf_clear(b);
}

static void commit(struct ens_journal *j)
{
    uint64_t start = ens_clock_ns();
    struct ens_error err = {0};
    enum ens_status s = write_group(j, &err);

    reuse(&j->sealed);
    pthread_mutex_lock(&j->lock);
    if (s == ENS_OK) {
        j->state.groups++;
        j->state.bytes = j->writer.end;
        j->state.records += j->sealed_records;
        j->state.last_commit_s = 1e-9 * (double)(ens_clock_ns() - start);
    } else {
        j->state.error = err;
    }
    j->state.waiting_for_space = 0;
    j->state.busy = 0;
    j->sealed_bytes = 0;
    pthread_cond_broadcast(&j->idle);
    pthread_mutex_unlock(&j->lock);
    if (j->options.wake != NULL)
        j->options.wake(j->options.arg);
}

static void *run(void *arg)
{
    struct ens_journal *j = arg;
    int more;

    do {
        pthread_mutex_lock(&j->lock);
        while (!j->state.busy && !j->stop && !j->abandon)
            pthread_cond_wait(&j->work, &j->lock);
        more = j->state.busy && !j->abandon;
        pthread_mutex_unlock(&j->lock);
        if (more)
            commit(j);
    } while (more);
    return NULL;
}

/* -- the owner ---------------------------------------------------------- */

/* Signals are the main thread's. */
static int start_thread(struct ens_journal *j)
{
    sigset_t all, old;
    int r;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    r = pthread_create(&j->thread, NULL, run, j);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return r;
}

static void init_locks(struct ens_journal *j)
{
    pthread_condattr_t a;

    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_mutex_init(&j->lock, NULL);
    pthread_cond_init(&j->work, &a);
    pthread_cond_init(&j->idle, NULL);
    pthread_condattr_destroy(&a);
}

static void free_journal(struct ens_journal *j)
{
    for (size_t i = 0; i < j->n_sync; i++)
        close(j->sync_fd[i]);
    free(j->sync_fd);
    ens_writer_close(&j->writer);
    pthread_mutex_destroy(&j->lock);
    pthread_cond_destroy(&j->work);
    pthread_cond_destroy(&j->idle);
    ens_buf_fini(&j->open);
    ens_buf_fini(&j->sealed);
    free(j);
}

enum ens_status ens_journal_open(struct ens_journal **j,
                                 const struct ens_epoch *epoch,
                                 const struct ens_segment_end *ends, size_t n,
                                 struct ens_io *io,
                                 const struct ens_journal_options *options,
                                 struct ens_error *err)
{
    struct ens_journal *t = calloc(1, sizeof(*t));
    enum ens_status s;

    if (t == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "journal: out of memory");
    t->epoch = *epoch;
    t->epoch.fd = -1;
    t->options = *options;
    init_locks(t);
    s = ens_writer_create(&t->writer, epoch, ends, n, io, err);
    if (s != ENS_OK)
        goto fail;
    t->writer.disk_wait_s = options->disk_wait_s;
    t->writer.wait_for_space = wait_for_space;
    t->writer.arg = t;
    t->state.bytes = t->writer.end;
    if (start_thread(t) != 0) {
        s = ens_fail(err, ENS_EPROCESS, "journal: cannot start its thread");
        goto fail;
    }
    *j = t;
    return ENS_OK;

fail:
    free_journal(t);
    return s;
}

static enum ens_status check_memory(struct ens_journal *j, size_t before)
{
    if (!j->open.failed)
        return ENS_OK;
    j->open.failed = 0; /* the group keeps what was in it */
    j->open.len = before;
    return ENS_ENOMEMORY;
}

enum ens_status ens_journal_append(struct ens_journal *j, const void *frames,
                                   size_t n, uint64_t n_records)
{
    size_t before = j->open.len;
    enum ens_status s;

    ENS_BUG_ON(n % 8 != 0);
    ens_buf_put(&j->open, frames, n);
    s = check_memory(j, before);
    if (s == ENS_OK)
        j->open_records += n_records;
    return s;
}

enum ens_status ens_journal_append_frame(struct ens_journal *j, int type,
                                         const void *payload, size_t n)
{
    size_t before = j->open.len;

    ens_frame_write(&j->open, (enum ens_frame_type)type, ENS_SLOT_COORDINATOR,
                    0, ++j->seq, payload, n, j->epoch.run_id);
    return check_memory(j, before);
}

enum ens_status ens_journal_append_record(struct ens_journal *j,
                                          const void *payload, size_t n)
{
    enum ens_status s =
        ens_journal_append_frame(j, ENS_FRAME_RECORDS, payload, n);

    if (s == ENS_OK)
        j->open_records++;
    return s;
}

/* The lock of a journal that is const to its caller. */
static pthread_mutex_t *lock_of(const struct ens_journal *j)
{
    return (pthread_mutex_t *)(uintptr_t)&j->lock;
}

size_t ens_journal_pending(const struct ens_journal *j)
{
    size_t n;

    pthread_mutex_lock(lock_of(j));
    n = j->sealed_bytes;
    pthread_mutex_unlock(lock_of(j));
    return n + j->open.len;
}

uint64_t ens_journal_open_records(const struct ens_journal *j)
{
    return j->open_records;
}

/* Under the lock, with the thread idle. */
static void give(struct ens_journal *j, int *fds, size_t n)
{
    struct ens_buf empty = j->sealed;

    j->sealed = j->open;
    j->sealed_records = j->open_records;
    j->open = empty;
    j->open_records = 0;
    j->sync_fd = fds;
    j->n_sync = n;
    j->sealed_bytes = j->sealed.len;
    j->state.busy = 1;
    pthread_cond_signal(&j->work);
}

int ens_journal_seal(struct ens_journal *j, const int *sync_fd, size_t n)
{
    int *fds = NULL;
    int given;

    if (j->open.len == 0)
        return 0;
    if (n > 0) {
        fds = calloc(n, sizeof(*fds));
        if (fds == NULL)
            return 0; /* as if busy: it is tried again */
        memcpy(fds, sync_fd, n * sizeof(*fds));
    }
    pthread_mutex_lock(&j->lock);
    given = !j->state.busy && j->state.error.status == ENS_OK;
    if (given)
        give(j, fds, n);
    pthread_mutex_unlock(&j->lock);
    if (!given)
        free(fds);
    return given;
}

void ens_journal_state(const struct ens_journal *j,
                       struct ens_journal_state *state)
{
    pthread_mutex_lock(lock_of(j));
    *state = j->state;
    pthread_mutex_unlock(lock_of(j));
}

uint64_t ens_journal_sealed_end(const struct ens_journal *j)
{
    uint64_t end;

    pthread_mutex_lock(lock_of(j));
    end = j->state.bytes;
    if (j->state.busy)
        end += j->sealed_bytes + ENS_COMMIT_BYTES;
    pthread_mutex_unlock(lock_of(j));
    return end;
}

void ens_journal_wait(struct ens_journal *j)
{
    pthread_mutex_lock(&j->lock);
    while (j->state.busy)
        pthread_cond_wait(&j->idle, &j->lock);
    pthread_mutex_unlock(&j->lock);
}

static void end_thread(struct ens_journal *j, int abandon)
{
    pthread_mutex_lock(&j->lock);
    j->stop = 1;
    j->abandon = abandon;
    pthread_cond_signal(&j->work);
    pthread_mutex_unlock(&j->lock);
    pthread_join(j->thread, NULL);
}

enum ens_status ens_journal_close(struct ens_journal *j, uint64_t *end,
                                  struct ens_error *err)
{
    enum ens_status s;

    ens_journal_wait(j);
    ens_journal_seal(j, NULL, 0);
    ens_journal_wait(j);
    end_thread(j, 0);
    s = (enum ens_status)j->state.error.status;
    if (s == ENS_OK)
        s = ens_writer_cut(&j->writer, err);
    else if (err != NULL)
        *err = j->state.error;
    if (s == ENS_OK)
        *end = j->writer.end;
    free_journal(j);
    return s;
}

void ens_journal_abandon(struct ens_journal *j)
{
    end_thread(j, 1);
    free_journal(j);
}
