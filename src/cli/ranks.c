#include "cli/ranks.h"

#include "base/bug.h"
#include "cli/command.h"
#include "kinds/kinds.h"
#include "run/folder.h"
#include "transport/supervisor.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

/* What a launcher sends to every process must not end one while MPI starts.
 * (Blocking them would not do: OpenBLAS has threads that do not block.) */
static volatile sig_atomic_t held;

static void hold(int number)
{
    held = number;
}

static void hold_signals(int rank)
{
    static const int number[] = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};
    struct sigaction sa = {.sa_handler = rank > 0 ? SIG_IGN : hold,
                           .sa_flags = SA_RESTART};

    sigemptyset(&sa.sa_mask);
    for (size_t i = 0; i < ENS_COUNT(number); i++)
        sigaction(number[i], &sa, NULL);
}

/* Nobody can be asked who else failed: rank 0 speaks at once, and its exit
 * makes the launcher end the others. */
static int fail_to_join(enum ens_status s, struct ens_error *err, int rank)
{
    char host[256] = "";

    if (rank > 0) {
        signal(SIGTERM, SIG_DFL);
        sleep(5);
    }
    gethostname(host, sizeof(host) - 1);
    ens_wrap(err, s, "rank %d on %s", rank, host);
    fprintf(stderr, "ensrun: %s\n", err->text);
    return ens_status_exit(s);
}

/* Only rank 0 ends with anything but 0, and only it prints: a rank that has
 * lost rank 0 is ended by its launcher, or is alone. */
static int supervise(struct ens_ranks *ranks, const char *program)
{
    struct ens_error err;

    if (ens_supervisor_serve(ranks, program, &ens_kinds, &err) != ENS_OK)
        _exit(0);
    ens_ranks_close(ranks);
    return 0;
}

int ens_cli_ranks(const struct ens_options *o, struct ens_run_options *ro,
                  const struct ens_launched *launched, ens_cli_ranks_fn *run)
{
    struct ens_buf host = ENS_BUF_INIT;
    struct ens_buf cpu = ENS_BUF_INIT;
    struct ens_error err;
    enum ens_status s;
    int code;

    hold_signals(launched->rank);
    ro->held = &held;
    ens_folder_host(&host, &cpu);
    s = ens_ranks_open(&ro->ranks, launched, ens_buf_text(&cpu), NULL, &err);
    ens_buf_fini(&host);
    ens_buf_fini(&cpu);
    if (s != ENS_OK)
        return fail_to_join(s, &err, launched->rank);
    hold_signals(ro->ranks->rank); /* MPI may have its own */
    if (ro->ranks->rank > 0)
        return supervise(ro->ranks, ro->program);
    code = run(o, ro);
    ens_ranks_end(ro->ranks);
    ens_ranks_close(ro->ranks);
    return code;
}

int ens_cli_refuse_bare(const struct ens_launched *launched)
{
    struct ens_error err;

    if (launched->rank > 0)
        return 0;
    ens_fail(&err, ENS_EUSAGE,
             "started as %d processes, but without MPI: use mpirun, or srun "
             "--mpi=pmix (or pmi2); --transport fork runs in each of them",
             launched->size);
    return ens_cli_fail(ENS_EUSAGE, &err);
}
