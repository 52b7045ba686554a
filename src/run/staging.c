/* `stage_inputs = node`: copies of the inputs on the nodes. */
#include "base/clock.h"
#include "run/state.h"
#include "transport/ranks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUIET_SECONDS 2.0
#define SAY_SECONDS   10.0 /* at least, between two lines */

/* inline has no processes to give copies to. */
enum ens_status ens_staging_make(struct ens_run *r, struct ens_stager **out,
                                 struct ens_error *err)
{
    struct ens_stager_config c = {.n_ranks = 1,
                                  .run_id = r->epoch.run_id,
                                  .study = r->study,
                                  .inputs = &r->inputs};
    struct ens_staged_file *file;
    enum ens_status s;

    *out = NULL;
    if (strcmp(ens_run_value(r, "stage_inputs")->text, "node") != 0 ||
        r->inputs.n == 0 || r->ops == &ens_transport_inline)
        return ENS_OK;
    s = ens_staged_files(&file, &r->inputs, err);
    if (s != ENS_OK)
        return s;
    c.file = file;
    if (r->options->ranks != NULL)
        ens_ranks_place(r->options->ranks, 0, &c.n_ranks, &c.index);
    s = ens_stager_new(out, &c, err);
    free(file);
    r->is_staged = s == ENS_OK;
    return s;
}

const char *ens_staging_note(struct ens_run *r)
{
    uint64_t done, all;

    if (r->transport == NULL || r->ops->staged == NULL)
        return NULL;
    r->ops->staged(r->transport, &done, &all);
    if (done >= all)
        return NULL;
    snprintf(r->staging_note, sizeof(r->staging_note),
             "copying inputs to the nodes: %.0f %% of %.0f MiB",
             100.0 * (double)done / (double)all, (double)all / 1048576.0);
    return r->staging_note;
}

void ens_staging_say(struct ens_run *r, uint64_t now)
{
    double every = r->options->progress_s;
    const char *note = ens_staging_note(r);

    if (every < SAY_SECONDS)
        every = SAY_SECONDS;
    if (note == NULL || r->options->say == NULL ||
        r->options->progress_s <= 0 ||
        (double)(now - r->start_ns) < QUIET_SECONDS * 1e9 ||
        (r->staging_ns != 0 && (double)(now - r->staging_ns) < every * 1e9))
        return;
    r->staging_ns = now;
    r->options->say(r->options->arg, note);
}
