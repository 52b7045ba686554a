/* Results folders with a history: several epochs of a study that is edited in
 * between, written through the real epoch and journal, beside a naive model
 * of what they say. */
#ifndef HISTORY_H
#define HISTORY_H

#include "record/record.h"
#include "store/checkpoint.h"
#include "store/journal.h"
#include "study_fixture.h"

#include <check.h>
#include <dirent.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define HIST_VALUES 10u /* cells differ in `fields` = 1 .. 9 */
#define HIST_REPS   40u

struct hist_task { /* the record in force */
    int outcome;   /* ENS_N_OUTCOMES: none */
    uint32_t round;
    double serial; /* its field x; its items when not ok */
};

struct hist {
    char dir[64];
    uint64_t state;
    struct hist_task task[2][HIST_VALUES][HIST_REPS + 1];
    struct ens_schema schema;
    struct ens_schemas schemas;
    double serial;
    uint64_t n_records;
    /* the running epoch */
    struct ens_study *study;
    struct ens_epoch epoch;
    struct ens_journal *journal;
    struct ens_packer packer;
    struct ens_replay live;
    size_t segment;
    uint32_t n_checkpoints;
};

static const char *const hist_lists[] = {"1, 2, 3, 4", "1, 2, 9, 3, 4",
                                         "4, 2, 7", "5", "1, 2, 3, 4, 6"};
static const char *const hist_keys[] = {"s0", "s1"};

static inline uint32_t hist_below(struct hist *h, uint32_t n) /* splitmix64 */
{
    uint64_t z = h->state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (uint32_t)((z ^ (z >> 31)) >> 32) % n;
}

static inline struct ens_study *hist_study(const char *list)
{
    struct ens_buf errors = ENS_BUF_INIT;
    struct ens_study *study = NULL;
    struct ens_error err = {0};
    char text[256];
    int n = snprintf(text, sizeof(text),
                     "[study]\nkind = ruler\nreplicates = 5\n[ruler]\n"
                     "fields = %s\n",
                     list);

    ck_assert_msg(ens_study_parse(&study, "t.ini", text, (size_t)n, "/tmp",
                                  NULL, 0, &fix_all, &errors, &err) == ENS_OK,
                  "%s", ens_buf_text(&errors));
    ens_buf_fini(&errors);
    return study;
}

static inline void hist_init(struct hist *h, uint64_t seed)
{
    static const struct ens_field field = {"x", ENS_F64, "", "serial"};
    size_t index;

    memset(h, 0, sizeof(*h));
    h->state = seed;
    snprintf(h->dir, sizeof(h->dir), "/tmp/ensrun-history-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(h->dir));
    for (size_t s = 0; s < 2; s++)
        for (size_t v = 0; v < HIST_VALUES; v++)
            for (size_t r = 0; r <= HIST_REPS; r++)
                h->task[s][v][r] = (struct hist_task){ENS_N_OUTCOMES, 0, NAN};
    ck_assert_int_eq((int)ens_schemas_add(&h->schemas, &field, 1, &index, NULL),
                     ENS_OK);
    h->schema = *h->schemas.item[index];
}

static inline int hist_remove(const char *path, const struct stat *st, int flag,
                              struct FTW *f)
{
    (void)st;
    (void)flag;
    (void)f;
    return remove(path);
}

static inline void hist_fini(struct hist *h)
{
    nftw(h->dir, hist_remove, 16, FTW_DEPTH | FTW_PHYS);
    ens_packer_fini(&h->packer);
    ens_schemas_fini(&h->schemas);
}

static inline void hist_ok(enum ens_status s, const struct ens_error *err)
{
    ck_assert_msg(s == ENS_OK, "%s", err->text);
}

static inline void hist_replay(const struct hist *h, struct ens_replay *r,
                               const struct ens_study *study, int checkpoint)
{
    struct ens_error err = {0};
    struct ens_log log;

    hist_ok(ens_log_open(&log, h->dir, NULL, &err), &err);
    hist_ok(ens_replay_build(r, study, &log, h->dir, checkpoint, &err), &err);
    ens_log_close(&log);
}

static inline struct ens_log_at hist_at(const struct hist *h)
{
    struct ens_journal_state state;
    struct ens_log_at at = {h->segment, 0};

    ens_journal_state(h->journal, &state);
    at.offset = state.bytes;
    return at;
}

static inline void hist_wake(void *arg)
{
    (void)arg;
}

static inline enum ens_status hist_put_cells(void *arg, const void *p, size_t n)
{
    struct hist *h = arg;

    return ens_journal_append_frame(h->journal, ENS_FRAME_CELLS, p, n);
}

static inline void hist_stage_def(const struct ens_study *study, size_t k,
                                  struct ens_stage *def)
{
    memset(def, 0, sizeof(*def));
    snprintf(def->key, sizeof(def->key), "%s", hist_keys[k]);
    def->index = (uint32_t)k;
    def->id = ens_stage_id(def->key, 0);
    ck_assert_int_eq(
        (int)ens_stage_add_run(def, 0, ens_study_n_cells(study), HIST_REPS),
        ENS_OK);
}

/* Append a STAGE frame and apply it. */
static inline void hist_put_stage(struct hist *h, const struct ens_stage *def)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err = {0};

    ens_stage_encode(def, &b);
    hist_ok(
        ens_journal_append_frame(h->journal, ENS_FRAME_STAGE, b.data, b.len),
        &err);
    hist_ok(ens_replay_define(&h->live, NULL, h->epoch.number, hist_at(h),
                              b.data, b.len, &err),
            &err);
    ens_buf_fini(&b);
}

static inline void hist_put_head(struct hist *h)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err = {0};
    size_t index;

    if (h->live.cells_hash != ens_study_cells_hash(h->study))
        hist_ok(ens_cells_write(h->study, hist_put_cells, h), &err);
    h->live.cells_hash = ens_study_cells_hash(h->study);
    if (ens_schemas_find(&h->live.schemas, h->schema.hash) == NULL) {
        ens_schema_encode(&h->schema, &b);
        hist_ok(ens_journal_append_frame(h->journal, ENS_FRAME_SCHEMA, b.data,
                                         b.len),
                &err);
        hist_ok(ens_schemas_add_encoded(&h->live.schemas, b.data, b.len, &index,
                                        &err),
                &err);
    }
    ens_buf_fini(&b);
}

static inline void hist_commit(struct hist *h)
{
    struct ens_journal_state state;

    ens_journal_wait(h->journal);
    ens_journal_seal(h->journal, NULL, 0);
    ens_journal_wait(h->journal);
    ens_journal_state(h->journal, &state);
    hist_ok((enum ens_status)state.error.status, &state.error);
}

/* Begin an epoch of the study with these cells; live is the replay. */
static inline void hist_begin(struct hist *h, const char *list, int checkpoint)
{
    struct ens_journal_options options = {0, 0, hist_wake, NULL};
    struct ens_segment_end ends[32];
    struct ens_error err = {0};
    struct ens_log log;

    h->study = hist_study(list);
    hist_ok(ens_epoch_take(&h->epoch, h->dir, &err), &err);
    hist_ok(ens_log_open(&log, h->dir, NULL, &err), &err);
    for (size_t i = 0; i < log.n; i++)
        ends[i] =
            (struct ens_segment_end){log.segment[i].epoch, log.segment[i].end};
    h->segment = log.n;
    hist_ok(
        ens_replay_build(&h->live, h->study, &log, h->dir, checkpoint, &err),
        &err);
    hist_ok(ens_journal_open(&h->journal, &h->epoch, ends, log.n,
                             ens_io_default(), &options, &err),
            &err);
    ens_log_close(&log);
    hist_put_head(h);
}

static inline size_t hist_value(const struct ens_study *study, uint64_t ordinal)
{
    struct ens_cell cell;

    ens_study_cell(study, ordinal, &cell);
    return (size_t)ens_cell_value(&cell, "ruler", "fields")->i;
}

/* Write what the packer holds, and apply it. */
static inline uint64_t hist_flush(struct hist *h)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err = {0};
    struct ens_frame f;
    uint64_t n = 0;

    if (ens_packer_bytes(&h->packer) == 0)
        return 0;
    ens_packer_flush(&h->packer, &b, 3, 1, 0, h->epoch.run_id);
    ck_assert_int_eq((int)ens_frame_read(&f, b.data, b.len, h->epoch.run_id),
                     ENS_FRAME_GOOD);
    hist_ok(ens_replay_records(&h->live, NULL, hist_at(h), f.payload, f.length,
                               &n, &err),
            &err);
    hist_ok(ens_journal_append(h->journal, b.data, b.len, 1), &err);
    ens_buf_fini(&b);
    return n;
}

static inline void hist_record(struct hist *h, size_t stage, uint64_t cell,
                               uint32_t replicate, int outcome, uint32_t round)
{
    struct hist_task *t =
        &h->task[stage][hist_value(h->study, cell)][replicate];
    struct ens_draft d;

    memset(&d, 0, sizeof(d));
    h->packer.stage = ens_stage_id(hist_keys[stage], 0);
    h->packer.round = round;
    d.cell = cell;
    d.replicate = replicate;
    d.attempts = 1;
    h->serial++;
    h->n_records++;
    ck_assert_int_eq((int)ens_draft_begin(&d, &h->schema), ENS_OK);
    ens_draft_f64(&d, 0, h->serial);
    if (outcome != ENS_TASK_OK) {
        char text[32];

        snprintf(text, sizeof(text), "%.0f", h->serial);
        ens_draft_fail(&d, (enum ens_outcome)outcome, text);
    }
    if (!ens_packer_fits(&h->packer, &d))
        hist_flush(h);
    ens_packer_add(&h->packer, &d);
    ens_draft_fini(&d);
    if (t->outcome == ENS_N_OUTCOMES || round > t->round)
        *t = (struct hist_task){outcome, round, h->serial};
}

static inline void hist_attempt(struct hist *h, size_t stage, uint64_t cell,
                                uint32_t replicate, uint32_t attempts)
{
    struct ens_replay_attempt a = {ens_stage_id(hist_keys[stage], 0), cell,
                                   replicate, attempts, attempts / 2};
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err = {0};

    ens_attempt_write(&a, &b);
    hist_ok(
        ens_journal_append_frame(h->journal, ENS_FRAME_ATTEMPT, b.data, b.len),
        &err);
    hist_ok(ens_replay_charge(&h->live, NULL, b.data, b.len, &err), &err);
    ens_buf_fini(&b);
}

static inline void hist_checkpoint(struct hist *h)
{
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err = {0};

    hist_commit(h);
    ens_checkpoint_encode(&h->live, h->epoch.number, hist_at(h).offset, &b);
    ck_assert(!b.failed);
    hist_ok(ens_checkpoint_write(h->dir, h->epoch.number, ++h->n_checkpoints,
                                 b.data, b.len, 4, &err),
            &err);
    ens_buf_fini(&b);
}

/* End the epoch; the open group is lost when lose is set. */
static inline void hist_end(struct hist *h, int lose)
{
    struct ens_error err = {0};
    uint64_t end;

    hist_flush(h);
    if (lose) {
        end = hist_at(h).offset;
        ens_journal_abandon(h->journal);
    } else {
        hist_ok(ens_journal_close(h->journal, &end, &err), &err);
    }
    hist_ok(ens_epoch_close(&h->epoch, end, &err), &err);
    ens_epoch_abandon(&h->epoch);
    ens_replay_fini(&h->live);
    ens_study_free(h->study);
    h->study = NULL;
}

/* Some records, attempts and commits, in any order, duplicates included. */
static inline void hist_work(struct hist *h, uint32_t steps, uint32_t rounds)
{
    uint64_t n_cells = ens_study_n_cells(h->study);

    for (uint32_t k = 0; k < steps; k++) {
        size_t stage = hist_below(h, 2);
        uint64_t cell = hist_below(h, (uint32_t)n_cells);
        uint32_t first = 1 + hist_below(h, HIST_REPS);
        uint32_t n = hist_below(h, 12), round = hist_below(h, rounds);

        hist_flush(h);
        if (hist_below(h, 5) == 0)
            hist_attempt(h, stage, cell, first, 1 + hist_below(h, 3));
        for (uint32_t r = first; r < first + n && r <= HIST_REPS; r++)
            hist_record(h, stage, cell, r,
                        hist_below(h, 3) != 0 ? ENS_TASK_OK
                                              : (int)hist_below(h, 4),
                        round);
        hist_flush(h);
        if (hist_below(h, 8) == 0)
            hist_commit(h);
    }
}

/* A whole epoch of random work on a random list of cells. */
static inline void hist_epoch(struct hist *h)
{
    uint32_t list = hist_below(h, sizeof(hist_lists) / sizeof(*hist_lists));
    struct ens_stage def;

    hist_begin(h, hist_lists[list], (int)hist_below(h, 2));
    for (size_t k = 0; k < 2; k++) {
        hist_stage_def(h->study, k, &def);
        hist_put_stage(h, &def);
        ens_stage_fini(&def);
    }
    for (uint32_t k = hist_below(h, 4); k > 0; k--) {
        hist_work(h, 1 + hist_below(h, 30), 1 + hist_below(h, 3));
        if (hist_below(h, 2) == 0)
            hist_checkpoint(h);
    }
}

/* Everything a replay says but positions, as bytes. */
static inline void hist_dump(const struct ens_replay *r, struct ens_buf *b)
{
    ens_buf_u64(b, r->n_records);
    ens_buf_u64(b, r->n_unknown);
    ens_buf_u64(b, r->cells_hash);
    ens_buf_u32(b, r->max_round);
    ens_buf_u64(b, r->schemas.n);
    for (size_t i = 0; i < r->schemas.n; i++)
        ens_schema_encode(r->schemas.item[i], b);
    for (size_t i = 0; i < r->n_stages; i++) {
        ens_stage_encode(&r->stage[i].def, b);
        ens_buf_u32(b, r->stage[i].def_epoch);
        ens_buf_u32(b, r->stage[i].n_fresh);
        ens_buf_u8(b, r->stage[i].runs_ok != 0);
        ens_done_write(r->stage[i].done, b);
    }
    for (size_t i = 0; i < r->n_answers; i++) {
        ens_stage_encode(&r->answer[i].def, b);
        ens_buf_u32(b, r->answer[i].epoch);
        ens_buf_u32(b, r->answer[i].group);
        ens_buf_u8(b, r->answer[i].stale != 0);
        ens_buf_u8(b, r->answer[i].runs_ok != 0);
    }
    for (size_t i = 0; i < r->n_attempts; i++)
        ens_attempt_write(&r->attempt[i], b);
    ck_assert(!b->failed);
}

static inline void hist_same(const struct ens_replay *a,
                             const struct ens_replay *b)
{
    struct ens_buf x = ENS_BUF_INIT, y = ENS_BUF_INIT;

    hist_dump(a, &x);
    hist_dump(b, &y);
    ck_assert_uint_eq(x.len, y.len);
    ck_assert_mem_eq(x.data, y.data, x.len);
    ens_buf_fini(&x);
    ens_buf_fini(&y);
}

#endif
