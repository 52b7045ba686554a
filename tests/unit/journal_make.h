/* What the tests of the journal share: a scratch folder, a writer of numbered
 * frames, and a reader that checks that they come back as 1, 2, 3 ... */
#ifndef TEST_JOURNAL_MAKE_H
#define TEST_JOURNAL_MAKE_H

#include "record/little.h"
#include "store/epoch.h"
#include "store/journal.h"
#include "store/log.h"

#include <check.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct folder {
    char path[256];
};

static inline void folder_init(struct folder *f)
{
    const char *base = getenv("TMPDIR");

    snprintf(f->path, sizeof(f->path), "%s/ensrun-test-XXXXXX",
             base == NULL ? "/tmp" : base);
    ck_assert(mkdtemp(f->path) != NULL);
}

static inline int remove_one(const char *path, const struct stat *st, int type,
                             struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void folder_fini(struct folder *f)
{
    nftw(f->path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A run of the folder: epoch and journal. */
struct writer_run {
    struct ens_epoch epoch;
    struct ens_journal *journal;
    uint64_t next; /* number of the next frame */
    uint64_t acknowledged;
};

static inline enum ens_status
run_begin(struct writer_run *r, const struct folder *f, struct ens_io *io,
          const struct ens_journal_options *o, uint64_t next)
{
    struct ens_segment_end ends[256];
    struct ens_log log;
    struct ens_error err = {0};
    enum ens_status s;

    ck_assert_msg(ens_epoch_take(&r->epoch, f->path, &err) == ENS_OK, "%s",
                  err.text);
    ck_assert_msg(ens_log_open(&log, f->path, NULL, &err) == ENS_OK, "%s",
                  err.text);
    ck_assert_uint_le(log.n, 256);
    for (size_t i = 0; i < log.n; i++) {
        ends[i].epoch = log.segment[i].epoch;
        ends[i].end = log.segment[i].end;
    }
    r->next = next;
    r->acknowledged = next - 1;
    s = ens_journal_open(&r->journal, &r->epoch, ends, log.n, io, o, &err);
    ens_log_close(&log);
    return s;
}

/* n frames of 8 + extra bytes. */
static inline void run_append(struct writer_run *r, int n, size_t extra)
{
    unsigned char *p = malloc(8 + extra);

    memset(p, 0xa5, 8 + extra); /* no page of it looks like a missing one */
    for (int i = 0; i < n; i++) {
        ens_put64(p, r->next++);
        ck_assert_int_eq(ens_journal_append_frame(r->journal, ENS_FRAME_ATTEMPT,
                                                  p, 8 + extra),
                         ENS_OK);
    }
    free(p);
}

/* Append, seal, wait: the status of the journal. */
static inline enum ens_status run_group(struct writer_run *r, int n,
                                        size_t extra)
{
    struct ens_journal_state st;

    run_append(r, n, extra);
    ck_assert_int_eq(ens_journal_seal(r->journal, NULL, 0), 1);
    ens_journal_wait(r->journal);
    ens_journal_state(r->journal, &st);
    if (st.error.status == ENS_OK)
        r->acknowledged = r->next - 1;
    return (enum ens_status)st.error.status;
}

static inline void run_close(struct writer_run *r)
{
    struct ens_error err = {0};
    uint64_t end;

    ck_assert_msg(ens_journal_close(r->journal, &end, &err) == ENS_OK, "%s",
                  err.text);
    ck_assert_msg(ens_epoch_close(&r->epoch, end, &err) == ENS_OK, "%s",
                  err.text);
}

/* As if the process had died: nothing more is written. */
static inline void run_crash(struct writer_run *r)
{
    char path[4200], line[512];
    struct ens_buf b = ENS_BUF_INIT;
    FILE *f;

    ens_journal_abandon(r->journal);
    ens_epoch_abandon(&r->epoch);
    /* Its process still runs (it is us): take another start time. */
    snprintf(path, sizeof(path), "%s/epochs/%06u", r->epoch.dir,
             r->epoch.number);
    f = fopen(path, "r+");
    ck_assert(f != NULL);
    while (fgets(line, sizeof(line), f) != NULL) {
        if (strncmp(line, "start=", 6) == 0)
            line[6] = line[6] == '9' ? '8' : '9';
        ens_buf_puts(&b, line);
    }
    rewind(f);
    ck_assert_uint_eq(fwrite(b.data, 1, b.len, f), b.len);
    fclose(f);
    ens_buf_fini(&b);
}

struct reading {
    uint64_t last;    /* number of the last frame */
    uint64_t commits; /* COMMIT frames visited */
    uint64_t heads;   /* SEGMENT frames visited */
};

static inline enum ens_status
read_frame(void *arg, const struct ens_segment *segment, struct ens_log_at at,
           const struct ens_frame *f, struct ens_error *err)
{
    struct reading *r = arg;

    (void)err;
    ck_assert_uint_lt(at.offset, segment->end);
    if (f->type == ENS_FRAME_ATTEMPT) {
        ck_assert_uint_eq(ens_get64(f->payload), r->last + 1);
        r->last++;
    }
    r->commits += f->type == ENS_FRAME_COMMIT;
    r->heads += f->type == ENS_FRAME_SEGMENT;
    return ENS_OK;
}

/* Open and walk all. */
static inline enum ens_status read_all(const struct folder *f,
                                       struct reading *r, struct ens_error *err)
{
    struct ens_log log;
    enum ens_status s;

    memset(r, 0, sizeof(*r));
    s = ens_log_open(&log, f->path, NULL, err);
    if (s != ENS_OK)
        return s;
    s = ens_log_walk(&log, NULL, read_frame, r, err);
    ens_log_close(&log);
    return s;
}

#endif
