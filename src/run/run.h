/* The one page that wires it all together: a study file in, results that
 * survive anything out.
 *
 *   setup.c    study, inputs, plan, results folder, journal
 *   stages.c   stage -> commit -> next -> stage ... -> tables
 *   chain.c    what of that the journal knows already
 *   beside.c   what takes long, on a thread, while the loop beats
 *   events.c   what the dispatcher says of tasks
 *   stopping.c where cells stop ([stop])
 *   blocks.c   output arrays of the present stage
 *   restore.c  arrays of finished tasks that are gone, made again
 *   aside.c    arrays that nobody wants: set aside, removed
 *   hosts.c    CPU classes and cores of the hosts
 *   staging.c  copies of the inputs on the nodes
 *   far.c      results of workers that have no results folder
 *   limit.c    when to stop in time; scheduler.c: what batch systems say
 *   commit.c   when a group of records is made durable, and what with it
 *   folder.c   run.json: fingerprint, digests of inputs, what is finished
 *   digest.c   digests of the inputs, beside the first tasks
 *   pilot.c    a few tasks that stand for all
 *   watch.c    progress, the status file, the log, memory of the job
 */
#ifndef ENS_RUN_RUN_H
#define ENS_RUN_RUN_H

#include "input/input.h"
#include "kind/registry.h"
#include "plan/shard.h"
#include "transport/transport.h"
#include <signal.h>

struct ens_run_failure { /* failures of one kind, or first warnings of tasks
                            that are ok: digits do not count */
    enum ens_outcome outcome;
    uint64_t n;
    char text[160]; /* of the first */
    char task[128]; /* its label */
};
#define ENS_RUN_FAILURES 16

struct ens_run_progress {
    const char *stage; /* key */
    uint64_t n_tasks, n_done, n_not_ok;
    double seconds;     /* since the start of this epoch */
    double tasks_per_s; /* over the last seconds */
    double eta_s;       /* NaN when unknown */
    double efficiency;  /* busy time over wall times workers */
    uint64_t pss_bytes; /* of the job; 0 when not read yet */
    uint32_t n_workers;
    const char *task; /* label of the one that has run longest, when that is
                         over a second; or NULL */
    double task_s;
    const char *note;            /* "waiting for disk space" ..., or NULL */
    uint64_t n_cells, n_stopped; /* with [stop], else 0: cells, and those that
                                    need no more; n_tasks is then the most */
};

struct ens_run_report {
    char dir[4096];
    char name[256];
    uint64_t n_tasks; /* of all stages that are known */
    uint64_t by_outcome[ENS_N_OUTCOMES];
    uint64_t n_left;
    uint64_t n_new; /* tasks that ended in this epoch */
    double seconds, efficiency;
    uint64_t peak_pss_bytes;
    uint64_t worker_private_bytes; /* of the largest that was seen: pages it
                                      wrote and shares with nobody */
    uint64_t n_deaths;
    uint32_t n_workers;
    uint64_t n_other_failures; /* of further kinds */
    size_t n_failures;
    struct ens_run_failure failure[ENS_RUN_FAILURES];
    int was_finished; /* nothing had to be done */
    int was_part; /* --only, --where, --shard: its part is done, no tables */
    struct ens_shard shard;       /* n 0: none */
    char stage[64];               /* key of the present one */
    uint64_t n_part, n_part_left; /* tasks of it that were to be run */
    uint64_t n_differ; /* of its replays: another result than the stored one */
    int complete;      /* all tasks have ended and the tables are written */
    int stopped;       /* by a signal, max_errors or the disk */
    char tables[256];  /* "tasks.csv cells.csv ..." */
    uint64_t n_cells;  /* with [stop], else 0: cells, how many met the */
    uint64_t n_stopped, n_unmet;    /* rules, and had all replicates without */
    uint32_t stop_least, stop_most; /* replicates of those that met them */
    double stop_mean;
    char stop_worst[512]; /* farthest from its rules; "" */
};

struct ens_run_options {
    const char *study;   /* path of a study file; or NULL */
    const char *text;    /* or its text ... */
    const char *folder;  /* ... with paths relative to this; NULL: "." */
    const char *results; /* folder: overrides; or, without study, to resume */
    const struct ens_memory_input *memory; /* inputs of an embedding program */
    size_t n_memory;
    const struct ens_override *set;
    size_t n_set;
    uint32_t workers;        /* 0: as the study says */
    const char *transport;   /* "inline", "fork", "mpi" or "auto" (fork) */
    struct ens_ranks *ranks; /* of transport mpi, at rank 0; lent */
    const volatile sig_atomic_t *held; /* a signal that came before; or NULL */
    const char *program; /* the ensrun binary, see transport/launch.h */
    int restart, retry_failed;
    const char *only;         /* comma list of task ids, or NULL */
    const char *const *where; /* lists of conditions (config/where.h) */
    size_t n_where;
    struct ens_shard shard; /* n 0: all tasks; k 0: none, but `next` */
    const struct ens_kind_table *kinds;
    uint32_t pilot; /* only so many tasks of the first stage, spread over its
                       cells (pilot.h); no tables; 0: all */
    double time_limit_s; /* from the start of ens_run on; 0: none */
    int ask_limit;       /* none given: the batch system whose job this is */
    double progress_s;   /* how often; 0 = never */
    void *arg;
    void (*progress)(void *arg, const struct ens_run_progress *p);
    /** A line for the user: warnings, what --only replays ... */
    void (*say)(void *arg, const char *line);
};

/**
 * Run a study. errors: all errors of the study file, one a line (else empty).
 * The status's exit code is the program's, but that ENS_OK with tasks that
 * are not ok, a stop by max_errors, or a replay that differs, is 1.
 */
enum ens_status ens_run(const struct ens_run_options *options,
                        struct ens_run_report *report, struct ens_buf *errors,
                        struct ens_error *err);
/** Workers of `[run] workers = auto`: cores this process may use, shared by
 * tasks of `cores` each. */
uint32_t ens_run_auto_workers(const struct ens_study *study);
/** Exit code of the program for what ens_run returned. */
int ens_run_exit(enum ens_status s, const struct ens_run_report *report);

#endif
