#include "stop/scan.h"

#include <string.h>

enum ens_status ens_follow_stored(struct ens_follow *f, struct ens_stopping *s,
                                  const struct ens_places *stored,
                                  const struct ens_done *done, uint32_t end,
                                  struct ens_error *err)
{
    enum ens_status status = ENS_OK;

    if (stored == NULL)
        return ENS_OK;
    while (status == ENS_OK && s->at[f->cell] == 0 && f->seen < f->max &&
           f->seen + 1 != end) {
        uint64_t place =
            ens_stage_place(ens_places_stage(stored), f->cell, f->seen + 1);
        struct ens_record rec;
        uint32_t epoch;

        if (place == UINT64_MAX ||
            ens_done_get(done, f->cell, f->seen + 1) == ENS_N_OUTCOMES ||
            !ens_places_get(stored, place, &rec, &epoch))
            break;
        status = ens_follow_add(
            f, s, &rec,
            ens_schemas_find(ens_places_schemas(stored), rec.schema), err);
    }
    return status;
}

enum ens_status ens_stopping_stored(const struct ens_stage *stage,
                                    const struct ens_done *done,
                                    struct ens_stage *to, struct ens_error *err)
{
    enum ens_status status = ens_stage_copy(to, stage);

    if (status != ENS_OK)
        return ens_fail(err, status, "[stop]: out of memory");
    to->n_runs = 0;
    for (size_t i = 0; i < stage->n_runs; i++) {
        const struct ens_stage_run *run = &stage->run[i];

        for (uint64_t c = 0; c < run->n_cells && status == ENS_OK; c++) {
            uint32_t last = ens_done_last(done, run->first_cell + c);

            if (last > run->n_replicates)
                last = run->n_replicates;
            status = ens_stage_add_run(to, run->first_cell + c, 1, last);
        }
    }
    if (status == ENS_OK)
        return status;
    ens_stage_fini(to);
    return ens_fail(err, status, "[stop]: out of memory");
}

/* Could its records reach the first check point? */
static int is_long(const struct ens_stopping *s, const struct ens_done *done,
                   uint64_t cell, uint32_t max)
{
    uint32_t first = s->rules.min < max ? s->rules.min : max;
    uint64_t n;

    return ens_done_next_open(done, cell, 1, first, &n) == 0;
}

static enum ens_status scan_cell(struct ens_stopping *s, uint64_t cell,
                                 uint32_t max, const struct ens_done *done,
                                 const struct ens_places *stored,
                                 struct ens_error *err)
{
    struct ens_follow f;
    enum ens_status status;

    if (!is_long(s, done, cell, max))
        return ENS_OK;
    status = ens_follow_init(&f, s, cell, max, err);
    if (status != ENS_OK)
        return status;
    status = ens_follow_stored(&f, s, stored, done, 0, err);
    ens_follow_fini(&f);
    return status;
}

static enum ens_status scan_cells(struct ens_stopping *s,
                                  const struct ens_stage *stage,
                                  const struct ens_done *done,
                                  const struct ens_places *stored,
                                  struct ens_error *err)
{
    enum ens_status status = ENS_OK;

    for (size_t i = 0; i < stage->n_runs; i++) {
        const struct ens_stage_run *run = &stage->run[i];

        for (uint64_t c = 0; c < run->n_cells && status == ENS_OK; c++)
            status = scan_cell(s, run->first_cell + c, run->n_replicates, done,
                               stored, err);
    }
    return status;
}

enum ens_status ens_stopping_scan(struct ens_stopping *s, const char *dir,
                                  const struct ens_log *log,
                                  const struct ens_stage *stage,
                                  const struct ens_done *done,
                                  struct ens_places **kept,
                                  struct ens_error *err)
{
    struct ens_places *stored = NULL;
    struct ens_stage part;
    enum ens_status status;

    if (kept != NULL)
        *kept = NULL;
    if (s->rules.n == 0)
        return ENS_OK;
    ens_stopping_clear(s);
    if (done == NULL)
        return ENS_OK;
    status = ens_stopping_stored(stage, done, &part, err);
    if (status != ENS_OK)
        return status;
    if (part.n_runs > 0)
        status = ens_places_build(&stored, dir, log, NULL, s->plan->study,
                                  &part, err);
    ens_stage_fini(&part);
    if (status == ENS_OK && stored != NULL)
        status = scan_cells(s, stage, done, stored, err);
    if (status == ENS_OK && kept != NULL)
        *kept = stored;
    else
        ens_places_free(stored);
    return status;
}
