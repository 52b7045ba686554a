/* Output arrays of the present stage: there, and missing where no task is
 * ok. */
#include "run/state.h"
#include "store/array.h"

#include <stdlib.h>
#include <unistd.h>

/* A file of another shape is of another version of the stage, when no task of
 * this one has written it since. again: whatever is missing is made again. */
static enum ens_status make_file(struct ens_run *r,
                                 const struct ens_array_def *def,
                                 const struct ens_cell *cell, int again,
                                 int *created, struct ens_error *err)
{
    uint64_t shape[ENS_MAX_NDIM];
    uint64_t n;
    uint32_t ndim;
    enum ens_status s =
        ens_plan_array_shape(&r->plan, def->name, cell, &ndim, shape, &n, err);

    if (s != ENS_OK)
        return s;
    s = ens_array_create(r->dir, def->name, cell->hash[0], def->dtype, ndim,
                         shape, r->io, created, err);
    if (s != ENS_ECORRUPT || !again)
        return s;
    s = ens_array_drop(r->dir, def->name, cell->hash[0], err);
    return s == ENS_OK
               ? ens_array_create(r->dir, def->name, cell->hash[0], def->dtype,
                                  ndim, shape, r->io, created, err)
               : s;
}

static enum ens_status make_array(struct ens_run *r,
                                  const struct ens_array_def *def,
                                  uint64_t ordinal, int overwritten,
                                  struct ens_error *err)
{
    uint64_t n = ens_done_count(r->done, ordinal,
                                ens_stage_replicates(&r->stage, ordinal));
    int again = overwritten || !def->keep;
    struct ens_cell cell;
    char path[4200];
    int created = 0;
    enum ens_status s;

    ens_study_cell(r->study, ordinal, &cell);
    s = make_file(r, def, &cell, again || n == 0, &created, err);
    if (s == ENS_OK && created && n > 0 && !again) {
        /* or the next run would take the empty one for good */
        ens_array_path(path, sizeof(path), r->dir, def->name, cell.hash[0]);
        unlink(path);
        s = ens_fail(err, ENS_ECORRUPT,
                     "arrays/%s of cell %016llx is gone, but %llu of its "
                     "tasks are done; put it back, or use --restart",
                     def->name, (unsigned long long)cell.hash[0],
                     (unsigned long long)n);
    }
    return s;
}

static enum ens_status make_arrays(struct ens_run *r, const char *name,
                                   struct ens_error *err)
{
    const struct ens_array_def *def = ens_plan_find_array(&r->plan, name);
    int overwritten = ens_replay_has_versions(&r->replay, &r->stage);
    enum ens_status s = ENS_OK;

    for (size_t i = 0; s == ENS_OK && i < r->stage.n_runs; i++) {
        const struct ens_stage_run *run = &r->stage.run[i];

        for (uint64_t c = 0; s == ENS_OK && c < run->n_cells; c++)
            if (!atomic_load(&r->hurry))
                s = make_array(r, def, run->first_cell + c, overwritten, err);
    }
    return s;
}

enum ens_status ens_blocks_fill(struct ens_run *r, uint64_t ordinal,
                                uint32_t replicate, struct ens_error *err)
{
    struct ens_cell cell;
    enum ens_status s = ENS_OK;

    /* a task that died here may have ended well for another owner */
    if (r->stage.n_writes > 0 && ens_epoch_superseded(&r->epoch))
        return ens_fail(err, ENS_ELOCKED,
                        "results folder %s was taken over by epoch %u", r->dir,
                        r->epoch.number + 1);
    ens_study_cell(r->study, ordinal, &cell);
    for (size_t a = 0; s == ENS_OK && a < r->stage.n_writes; a++) {
        const char *name = r->stage.writes[a];
        const struct ens_array_def *def = ens_plan_find_array(&r->plan, name);
        uint64_t first, n, at;
        int fd;

        s = ens_plan_array_region(&r->plan, name, &cell, replicate, &first, &n);
        if (s != ENS_OK)
            return ens_fail(err, s, "array %s has no region", name);
        s = ens_array_open(r->dir, name, cell.hash[0], &fd, &at, err);
        if (s == ENS_ENOTFOUND && !def->keep) { /* removed */
            s = ENS_OK;
            continue;
        }
        if (s != ENS_OK)
            return s;
        s = ens_array_fill(fd, at, def->dtype, first, n, r->io, err);
        if (s == ENS_OK && r->io->sync(r->io, fd) != 0)
            s = ens_fail_errno(err, ENS_EIO, "cannot sync array %s", name);
        close(fd);
    }
    return s;
}

static enum ens_status refill(struct ens_run *r, struct ens_error *err)
{
    uint64_t n = ens_chain_count(r, &r->stage, r->done, ENS_N_OUTCOMES) >
                         ens_chain_count(r, &r->stage, r->done, ENS_TASK_OK)
                     ? ens_stage_n_tasks(&r->stage)
                     : 0;
    enum ens_status s = ENS_OK;

    for (uint64_t place = 0;
         s == ENS_OK && place < n && !atomic_load(&r->hurry); place++) {
        uint64_t cell;
        uint32_t replicate;
        enum ens_outcome o;

        ens_stage_task(&r->stage, place, &cell, &replicate);
        o = ens_done_get(r->done, cell, replicate);
        if (o != ENS_TASK_OK && o != ENS_N_OUTCOMES)
            s = ens_blocks_fill(r, cell, replicate, err);
    }
    return s;
}

/* Of a finished stage too: those of a cell that comes back into the study lie
 * in arrays/unused. Its scratch may be gone. */
enum ens_status ens_blocks_make(struct ens_run *r, struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    int open = ens_chain_is_open(r);

    for (size_t a = 0; s == ENS_OK && a < r->stage.n_writes; a++)
        if (open || ens_plan_find_array(&r->plan, r->stage.writes[a])->keep)
            s = make_arrays(r, r->stage.writes[a], err);
    if (s == ENS_OK && r->stage.n_writes > 0)
        s = ens_array_settle(r->dir, err);
    return s == ENS_OK && open ? refill(r, err) : s;
}

enum ens_status ens_blocks_again(struct ens_run *r, struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    for (size_t a = 0; s == ENS_OK && a < r->stage.n_writes; a++)
        s = make_arrays(r, r->stage.writes[a], err);
    if (s == ENS_OK && r->stage.n_writes > 0)
        s = ens_array_settle(r->dir, err);
    return s == ENS_OK ? refill(r, err) : s;
}
