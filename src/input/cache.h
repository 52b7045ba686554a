/* The cache folder: $ENSRUN_CACHE, $XDG_CACHE_HOME/ensrun or ~/.cache/ensrun.
 *
 *   digests          one line per file that was hashed (below)
 *   tables/KEY.col   columnar form of a table (columnar.h); KEY is a hash of
 *                    the file's digest and the parse options
 *
 * Everything in it can be removed at any time, and nothing in it is needed:
 * failures are silent, the work is done again.
 *
 * digests: text, at most about 512 KiB, one line per file:
 *   device inode size mtime_ns ctime_ns low high check
 * in hex (16 digits each), check = XXH3-64 of what is before it. Lines are
 * appended with one write each; of a file's lines the last counts. When it is
 * too long the younger half replaces it by rename: a line that another
 * process appends meanwhile may get lost, which costs one reading of a file.
 */
#ifndef ENS_INPUT_CACHE_H
#define ENS_INPUT_CACHE_H

#include "base/hash.h"
#include "input/input.h"

/** Path of name in the cache folder. -1 when there is no folder. */
int ens_cache_path(char *to, size_t cap, const char *name);

/** 1 and the digest when that very file was hashed before. */
int ens_cache_get_digest(const struct ens_file_id *id, struct ens_hash128 *d);
void ens_cache_put_digest(const struct ens_file_id *id,
                          const struct ens_hash128 *d);

/**
 * May a digest of a file be kept that had this identity before it was read?
 * Not when it changed so recently that a further change would leave the same
 * time stamp.
 */
int ens_cache_is_settled(const struct ens_file_id *id);

/** A file of a temporary name beside path (PATH_MAX), or of none ("") where
 * the file system can do that; its folder is made. Descriptor, or -1 with
 * errno. */
int ens_cache_create(const char *path, char *temporary, size_t cap);
/** Sync and rename; -1 with errno (the temporary file is removed). */
int ens_cache_commit(int fd, const char *temporary, const char *path);

/** A file without a name in a folder, for reading and writing. Descriptor, or
 * -1 with errno. */
int ens_cache_scratch(const char *folder);

#endif
