/* One input: open, recognise, check, map. Knows nothing of studies. */
#ifndef ENS_INPUT_MAPPED_H
#define ENS_INPUT_MAPPED_H

#include "input/format.h"

/**
 * Open spec->path, or take over fd when it is not -1 (also on failure).
 * On failure *m is zero and *key the key that the error is about, NULL when
 * it is the file itself. Owned: ens_mapped_close.
 */
enum ens_status ens_mapped_open(struct ens_mapped *m,
                                const struct ens_input_spec *spec, int fd,
                                ens_input_progress_fn *progress, void *arg,
                                const char **key, struct ens_error *err);
void ens_mapped_close(struct ens_mapped *m);

/** For formats: map the first bytes of m->fd. bytes may be 0. */
enum ens_status ens_mapped_map(struct ens_mapped *m, uint64_t bytes,
                               struct ens_error *err);

/** Hash of the size of the file that is mapped and of its beginning and end:
 * tells files of one path on two hosts apart, as a rule. Of a table: of the
 * user's file. 0 when it cannot be read. */
uint64_t ens_mapped_sample(const struct ens_mapped *m);

/** Identity of an open file. -1 with errno. */
int ens_file_id_of(int fd, struct ens_file_id *id);
int ens_file_id_same(const struct ens_file_id *a, const struct ens_file_id *b);

/** pread all n bytes at offset; fewer at the end of the file. -1 with errno. */
int64_t ens_read_at(int fd, void *to, size_t n, uint64_t offset);

#endif
