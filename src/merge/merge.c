#include "merge/merge.h"

#include "base/file.h"
#include "merge/state.h"
#include "store/checkpoint.h"

#include <stdio.h>
#include <string.h>

/* Study and run.json: before the first segment that they speak for. */
static enum ens_status write_facts(struct ens_merge *m, struct ens_error *err)
{
    struct ens_buf text = ENS_BUF_INIT;
    char path[sizeof(m->out) + 32];
    enum ens_status s;

    ens_study_write(m->study, &text);
    snprintf(path, sizeof(path), "%s/study.ini", m->out);
    s = text.failed ? ens_fail(err, ENS_ENOMEMORY, "out of memory")
                    : ens_file_replace(path, text.data, text.len, err);
    ens_buf_fini(&text);
    if (s == ENS_OK)
        s = ens_folder_write(&m->folder, m->out, m->study, m->epoch.number,
                             err);
    return s;
}

/* It shortens the next start; without it all is read again. */
static void write_checkpoint(struct ens_merge *m)
{
    const struct ens_segment *last = &m->log.segment[m->log.n - 1];
    struct ens_buf b = ENS_BUF_INIT;

    if (m->replay.cells_hash != m->replay.study_hash)
        return; /* the list of cells in force at the end is another */
    ens_checkpoint_encode(&m->replay, last->epoch, last->end, &b);
    if (!b.failed)
        ens_checkpoint_write(m->out, last->epoch, 1, b.data, b.len, 3, NULL);
    ens_buf_fini(&b);
}

static enum ens_status take_epoch(struct ens_merge *m, size_t i,
                                  struct ens_error *err)
{
    const struct ens_segment *seg = &m->log.segment[i];
    enum ens_status s = ens_epoch_take_as(&m->epoch, m->out, seg->run_id, err);

    if (s != ENS_OK)
        return s;
    m->has_epoch = 1;
    if (m->epoch.number != seg->epoch)
        return ens_fail(err, ENS_ELOCKED,
                        "%s was used by another process meanwhile; merge again",
                        m->out);
    return ENS_OK;
}

static enum ens_status close_epoch(struct ens_merge *m, uint64_t end,
                                   struct ens_error *err)
{
    m->has_epoch = 0;
    return ens_epoch_close(&m->epoch, end, err);
}

/* Pieces come behind those that were there; each is whole before the next. */
static enum ens_status join(struct ens_merge *m, struct ens_error *err)
{
    enum ens_status s = ens_merge_count(m, err);
    int begun = 0;

    for (size_t i = 0; i < m->n_pieces && s == ENS_OK; i++) {
        if (!m->piece[i].is_new)
            continue;
        s = take_epoch(m, i, err);
        if (s == ENS_OK && !begun)
            s = write_facts(m, err);
        if (s == ENS_OK && !begun)
            s = ens_merge_arrays(m, err);
        begun = 1;
        if (s == ENS_OK)
            s = ens_merge_piece(m, i, err);
        if (s == ENS_OK && i + 1 == m->n_pieces)
            write_checkpoint(m);
        if (s == ENS_OK)
            s = close_epoch(m, m->log.segment[i].end, err);
    }
    return s;
}

static int is_news(const struct ens_merge *m)
{
    for (size_t i = 0; i < m->n_pieces; i++)
        if (m->piece[i].is_new)
            return 1;
    return 0;
}

enum ens_status ens_merge(const struct ens_merge_options *options,
                          struct ens_merge_report *report,
                          struct ens_buf *errors, struct ens_error *err)
{
    struct ens_merge m = {.options = options,
                          .report = report,
                          .io = ens_io_default(),
                          .epoch = {.fd = -1}};
    enum ens_status s;

    memset(report, 0, sizeof(*report));
    s = ens_merge_open(&m, errors, err);
    if (s == ENS_OK)
        s = ens_merge_compare(&m, errors, err);
    if (s == ENS_OK)
        s = ens_merge_answers(&m, err);
    if (s == ENS_OK)
        s = ens_merge_pieces(&m, err);
    report->n_all = m.n_pieces;
    if (s == ENS_OK && is_news(&m)) {
        s = ens_merge_check(&m, err);
        if (s == ENS_OK)
            s = join(&m, err);
    }
    ens_merge_close(&m);
    return s;
}
