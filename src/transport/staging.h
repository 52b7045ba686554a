/* `stage_inputs = node`: a copy of each input on storage of its node, one for
 * all ranks there.
 *
 *   one rank of a host   copies the files that it sees, gets the others from
 *                        rank 0 in parts, checks them ...
 *   its other ranks      ... and gives these the descriptors (handout.h).
 *
 * Copies never have a name: nothing is left behind however a rank ends, and
 * their space is free when the last process that maps them has ended.
 * All of it happens in turns of the loop, so that the rank answers meanwhile.
 */
#ifndef ENS_TRANSPORT_STAGING_H
#define ENS_TRANSPORT_STAGING_H

#include "input/mapped.h"
#include <uv.h>

/** A file that rank 0 has mapped for an input. */
struct ens_staged_file {
    uint64_t sample; /* ens_mapped_sample */
    uint64_t bytes;
    uint64_t first; /* of the inputs that this very file is mapped for */
};

/** Of all inputs. Owned: free. */
enum ens_status ens_staged_files(struct ens_staged_file **to,
                                 const struct ens_inputs *in,
                                 struct ens_error *err);
/** Does it make sense for n inputs? */
int ens_staged_files_are_good(const struct ens_staged_file *file, size_t n);
/** Bytes of a copy of all. */
uint64_t ens_staged_bytes(const struct ens_staged_file *file, size_t n);
/** Say why a file that had so many bytes cannot be read (errno). */
enum ens_status ens_staged_fail_read(const struct ens_mapped *m, uint64_t bytes,
                                     struct ens_error *err);

struct ens_stager_config { /* lent while the stager lives, but for `file` */
    uint32_t n_ranks;      /* of this host ... */
    uint32_t index;        /* ... of which this is one; 0: that copies */
    uint64_t run_id;
    const struct ens_study *study;
    const struct ens_staged_file *file; /* one per input of the study */
    /* Of the rank that copies, as it sees them: files that are not rank 0's
     * are asked for, and so are those that are not open (fd -1). */
    const struct ens_inputs *inputs;
    void *arg;
    /** Rank 0 is to send the file of this input. NULL: none is missing. */
    void (*want)(void *arg, uint32_t input);
};

struct ens_stager;

/** Done: fd[i] is the copy for input i of n, lent. Or fd is NULL, and err says
 * why. Not called from inside of another function here; may close the stager.
 */
typedef void ens_staged_fn(void *arg, const int *fd, size_t n,
                           const struct ens_error *err);

/** Owned: ens_stager_close. */
enum ens_status ens_stager_new(struct ens_stager **out,
                               const struct ens_stager_config *config,
                               struct ens_error *err);
/** Copy into $TMPDIR (default /tmp). */
enum ens_status ens_stager_begin(struct ens_stager *s, uv_loop_t *loop,
                                 ens_staged_fn *done, void *arg,
                                 struct ens_error *err);

struct ens_staged_part { /* of a file that was asked for, in order */
    uint32_t input;
    uint32_t is_last; /* and empty */
    uint64_t offset;
    uint64_t hash; /* of the whole file, in the last one */
    const unsigned char *data;
    size_t n;
};
enum ens_status ens_stager_put(struct ens_stager *s,
                               const struct ens_staged_part *part,
                               struct ens_error *err);

/** Bytes copied so far, and in the end. Ranks that do not copy have 0 of 0. */
void ens_stager_progress(const struct ens_stager *s, uint64_t *done_bytes,
                         uint64_t *all_bytes);
/** May be NULL. The memory goes when the loop has run its handles' close
 * callbacks. */
void ens_stager_close(struct ens_stager *s);

#endif
