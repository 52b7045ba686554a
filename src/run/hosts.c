/* The hosts that a run is on, and was on: are results the same bytes there,
 * and do workers have the cores they think they have? */
#include "run/state.h"
#include "transport/ranks.h"

#include <stdio.h>
#include <string.h>

/* Results of two CPU classes may differ in last bits: a warning, or with
 * `exact` an error. */
static enum ens_status check_cpu(struct ens_run *r, struct ens_error *err)
{
    struct ens_buf host = ENS_BUF_INIT;
    struct ens_buf cpu = ENS_BUF_INIT;
    char line[1024];
    enum ens_status s = ENS_OK;

    ens_folder_host(&host, &cpu);
    if (r->folder.exists &&
        strcmp(ens_buf_text(&cpu), ens_buf_text(&r->folder.cpu)) != 0) {
        snprintf(line, sizeof(line),
                 "this folder was last used on %s (%s); %s has %s: last bits "
                 "of results may differ",
                 ens_buf_text(&r->folder.hosts), ens_buf_text(&r->folder.cpu),
                 ens_buf_text(&host), ens_buf_text(&cpu));
        if (ens_run_value(r, "exact")->i)
            s = ens_fail(err, ENS_ECHANGED, "[run] exact: %s", line);
        else if (r->options->say != NULL)
            r->options->say(r->options->arg, line);
    }
    ens_buf_fini(&host);
    ens_buf_fini(&cpu);
    return s;
}

/* The same for the hosts of an MPI job. */
static enum ens_status check_ranks(struct ens_run *r, struct ens_error *err)
{
    const struct ens_ranks *ranks = r->options->ranks;
    char line[1024];
    int i = 1;

    while (ranks != NULL && i < ranks->size &&
           strcmp(ranks->hello[i].cpu, ranks->hello[0].cpu) == 0)
        i++;
    if (ranks == NULL || i == ranks->size)
        return ENS_OK;
    snprintf(line, sizeof(line),
             "rank 0 on %s has %s, rank %d on %s has %s: last bits of results "
             "may differ",
             ranks->hello[0].host, ranks->hello[0].cpu, i, ranks->hello[i].host,
             ranks->hello[i].cpu);
    if (ens_run_value(r, "exact")->i)
        return ens_fail(err, ENS_ECHANGED, "[run] exact: %s", line);
    if (r->options->say != NULL)
        r->options->say(r->options->arg, line);
    return ENS_OK;
}

/* A launcher binds a rank to one core unless told otherwise, and its workers
 * with it. */
static void check_binding(struct ens_run *r)
{
    const struct ens_ranks *ranks = r->options->ranks;
    char line[256];
    int i = 0;

    while (ranks != NULL && i < ranks->size &&
           ranks->n_slots[i] <= ranks->hello[i].n_cores)
        i++;
    if (ranks == NULL || i == ranks->size || r->options->say == NULL)
        return;
    snprintf(line, sizeof(line),
             "rank %d on %s may use %u core%s for %u workers (mpirun --bind-to "
             "none, srun -c %u)",
             i, ranks->hello[i].host, ranks->hello[i].n_cores,
             ranks->hello[i].n_cores == 1 ? "" : "s", ranks->n_slots[i],
             ranks->n_slots[i]);
    r->options->say(r->options->arg, line);
}

enum ens_status ens_hosts_check(struct ens_run *r, struct ens_error *err)
{
    enum ens_status s = check_cpu(r, err);

    if (s == ENS_OK)
        s = check_ranks(r, err);
    if (s == ENS_OK)
        check_binding(r);
    return s;
}
