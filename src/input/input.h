/* Inputs: files mapped read-only, one copy per node.
 *
 * inputs.c opens what a study names; one file per format (npy.c, raw.c,
 * csv.c) behind struct ens_format (format.h, formats.def). A table (CSV) is
 * converted once into a columnar file in the cache folder, which every later
 * run maps; see columnar.h for its layout.
 */
#ifndef ENS_INPUT_INPUT_H
#define ENS_INPUT_INPUT_H

#include "base/arena.h"
#include "base/hash.h"
#include "config/study.h"
#include <ensrun/view.h>

#include <stdatomic.h>

/** What identifies a file's content as long as nobody lies. */
struct ens_file_id {
    uint64_t device, inode, size;
    int64_t mtime_ns, ctime_ns;
};

struct ens_mapped { /* one opened input */
    struct ens_input input;
    int is_memory; /* no file: an array of the program */
    int fd;        /* the file that is mapped (the columnar cache of a CSV) */
    void *base;    /* of the map */
    size_t map_bytes;
    char *source;          /* path of the user's file, absolute */
    char *mapped;          /* path of the file that is mapped */
    struct ens_file_id id; /* of the user's file */
    struct ens_column *columns;
    struct ens_hash128 digest; /* of the user's file, when has_digest: */
    int has_digest;            /* a table's is kept in its columnar file */
    struct ens_arena arena;
};

struct ens_inputs {
    size_t n;
    struct ens_mapped *item;
};

typedef void ens_input_progress_fn(void *arg, const char *name,
                                   uint64_t done_bytes, uint64_t all_bytes);

/**
 * Open, check and map every input of a study, in file order. Errors name the
 * study's line, the file, the position and what was expected.
 * Called by the coordinator; CSV files are converted here when the cache has
 * none. progress may be NULL.
 */
enum ens_status ens_inputs_open(struct ens_inputs *in,
                                const struct ens_study *study,
                                ens_input_progress_fn *progress, void *arg,
                                struct ens_error *err);
/** Path of an input that is an array of the program itself: "memory:NAME". */
#define ENS_MEMORY_PATH "memory:"

struct ens_memory_input {
    const char *name;
    int fd; /* of a memfd, lent */
};

/** The same with arrays that the program has in memory. */
enum ens_status ens_inputs_open_with(struct ens_inputs *in,
                                     const struct ens_study *study,
                                     const struct ens_memory_input *memory,
                                     size_t n_memory,
                                     ens_input_progress_fn *progress, void *arg,
                                     struct ens_error *err);
/** Those that can be opened here; the fd of others is -1. */
enum ens_status ens_inputs_open_seen(struct ens_inputs *in,
                                     const struct ens_study *study,
                                     struct ens_error *err);
/**
 * The same in a zygote, from descriptors of the files that the coordinator
 * mapped (fd[i] for input i; taken over): what it maps is that very file even
 * when it was replaced meanwhile.
 */
enum ens_status ens_inputs_open_fds(struct ens_inputs *in,
                                    const struct ens_study *study,
                                    const int *fd, size_t n,
                                    struct ens_error *err);
void ens_inputs_close(struct ens_inputs *in);
const struct ens_input *ens_inputs_find(const struct ens_inputs *in,
                                        const char *name);
/** Which input a faulting address lies in; NULL when in none. */
const struct ens_mapped *ens_inputs_at(const struct ens_inputs *in,
                                       const void *address);

/** XXH3-128 of the user's file, read in blocks; *stop may end it early
 * (then ENS_ESTOPPED). For a thread of its own. */
enum ens_status ens_mapped_digest(const struct ens_mapped *m,
                                  const atomic_int *stop,
                                  struct ens_hash128 *digest,
                                  struct ens_error *err);
/** Identity of the user's file now. */
enum ens_status ens_mapped_id_now(const struct ens_mapped *m,
                                  struct ens_file_id *id,
                                  struct ens_error *err);
/** Read the map once in order, when all inputs fit in half of MemAvailable
 * (DESIGN section 10); *stop may end it early. */
void ens_inputs_populate(const struct ens_inputs *in, const atomic_int *stop);

#endif
