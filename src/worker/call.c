#include "worker/inside.h"

#include <signal.h>

static enum ens_status invoke(struct ens_worker *w, enum ens_entry entry,
                              struct ens_error *err)
{
    const struct ens_kind *k = w->kind;

    switch (entry) {
    case ENS_ENTRY_OPEN:
        return k->open(&ens_host, w->plan, &w->state, err);
    case ENS_ENTRY_STAGE:
        return k->stage(w->state, w->stage.key, w->stage_data.data,
                        w->stage_data.len, err);
    case ENS_ENTRY_CELL:
        return k->cell(w->state, &w->task.cell, err);
    case ENS_ENTRY_RUN:
        return k->run(w->state, &w->task, &w->result, err);
    case ENS_ENTRY_NEXT:
        return k->next(w->state, ens_places_stage(w->in->places)->key,
                       ens_places_stage(w->in->places)->index, w->in, w->answer,
                       err);
    }
    return ENS_OK;
}

static enum ens_status explain(struct ens_worker *w, struct ens_error *err)
{
    const struct ens_mapped *m = w->fault.input;

    if (w->fault.signal == SIGSEGV)
        return ens_fail(err, ENS_EDOMAIN, "task wrote to input %s",
                        m->input.name);
    ens_fail(&w->fatal, ENS_EINPUT,
             "input %s: %s shrank or failed while it was mapped", m->input.name,
             m->source != NULL ? m->source : "its file");
    if (err != NULL)
        *err = w->fatal;
    return ENS_EINPUT;
}

enum ens_status ens_worker_call(struct ens_worker *w, enum ens_entry entry,
                                struct ens_error *err)
{
    enum ens_status s;

    if (sigsetjmp(w->fault.env, 0) != 0)
        return explain(w, err);
    ens_fault_arm(&w->fault);
    s = invoke(w, entry, err);
    ens_fault_disarm();
    return s;
}
