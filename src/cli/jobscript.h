/* Job scripts: what a batch system is asked for, as a text. The lines are in
 * jobscript.def. */
#ifndef ENS_CLI_JOBSCRIPT_H
#define ENS_CLI_JOBSCRIPT_H

#include "base/buf.h"

/* For whom, then what a script has: bits of a line in jobscript.def. */
enum {
    ENS_JOB_SLURM = 1,
    ENS_JOB_PBS = 2,
    ENS_JOB_LSF = 4,
    ENS_JOB_FLUX = 8,
    ENS_JOB_HOSTS = 16, /* no batch system: mpirun over ssh */
    ENS_JOB_ANY = 31,

    ENS_JOB_ONE = 32,      /* one process, without MPI */
    ENS_JOB_MPI = 64,      /* ranks ... */
    ENS_JOB_MPIRUN = 128,  /* ... of mpirun */
    ENS_JOB_SRUN = 256,    /* ... of srun */
    ENS_JOB_WHOLE = 512,   /* one job */
    ENS_JOB_ARRAY = 1024,  /* a job of an array per shard, then a merge */
    ENS_JOB_STAGES = 2048, /* several rounds of these, perhaps */
    ENS_JOB_ACCOUNT = 4096,
    ENS_JOB_QUEUE = 8192
};

/** Texts are as the user wrote them: quoted where they are put. */
struct ens_jobscript {
    unsigned system;       /* one of SLURM ... HOSTS */
    int srun;              /* Slurm: by srun, not mpirun */
    int stages;            /* further stages may follow the first */
    uint64_t nodes, ranks; /* ranks: a multiple of nodes */
    uint64_t cores;        /* of each rank */
    uint64_t workers;      /* of each rank */
    uint64_t shards;       /* 0: the whole study, one job */
    uint64_t time_s;       /* whole minutes; 0 (hosts only): no limit */
    uint64_t margin_s;     /* whole minutes; < time_s */
    uint64_t n_tasks;
    const char *command; /* that asked for it, quoted */
    const char *ensrun;  /* the program */
    const char *study;   /* a study file, or a results folder */
    const char *results;
    const char *name;            /* of the study */
    const char *account, *queue; /* NULL: the user's default; plain words */
    const char *hosts;           /* file of hosts */
    const char *const *set;      /* --set texts */
    size_t n_set;
};

/** One word of a shell's command line, as it is where that is safe, else in
 * single quotes. text: any bytes. */
void ens_jobscript_quote(struct ens_buf *out, const char *text);
/** Print the script. Pure: the same job is the same bytes. */
void ens_jobscript_write(struct ens_buf *out, const struct ens_jobscript *job);

#endif
