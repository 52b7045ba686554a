/* Was this process started as one of several, and by whom? */
#ifndef ENS_TRANSPORT_LAUNCHER_H
#define ENS_TRANSPORT_LAUNCHER_H

enum ens_launcher {
    ENS_LAUNCHER_NONE, /* alone */
    ENS_LAUNCHER_MPI,  /* one rank of an MPI job */
    ENS_LAUNCHER_BARE  /* one of several processes that MPI knows nothing of:
                          each would do all of the work */
};

struct ens_launched {
    enum ens_launcher by;
    int rank; /* among `size` processes, as the environment says */
    int size; /* 0: not said */
};

/**
 * From the environment, without starting MPI: OMPI_COMM_WORLD_SIZE where it
 * is set; else PMIX_RANK with PMIX_NAMESPACE, or PMI_RANK with PMI_SIZE.
 * SLURM_PROCID alone says nothing: batch scripts and all they start have it.
 */
struct ens_launched ens_launched(void);

#endif
