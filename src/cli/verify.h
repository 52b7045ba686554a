/* Every checksum of a results folder, and what it should be. */
#ifndef ENS_CLI_VERIFY_H
#define ENS_CLI_VERIFY_H

#include "cli/results.h"

struct ens_verify {
    struct ens_results *r;
    void (*problem)(void *arg, const char *text); /* each place that fails */
    void *arg;
    uint64_t n_problems;
    uint64_t n_frames, n_records, n_duplicates;
    uint64_t n_artifacts, artifact_bytes;
    uint64_t n_blocks, block_bytes;
    uint64_t n_again; /* blocks that are gone, and made again when needed */
    uint64_t n_checkpoints;
};

/** Frames, records, artifacts, and tasks that have two different results. */
enum ens_status ens_verify_journal(struct ens_verify *v, struct ens_error *err);
/** Blocks of output arrays against the digests in their records. */
enum ens_status ens_verify_arrays(struct ens_verify *v, struct ens_error *err);
void ens_verify_checkpoints(struct ens_verify *v);

#endif
