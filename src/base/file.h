/* Whole small files: read at once, replace at once. */
#ifndef ENS_BASE_FILE_H
#define ENS_BASE_FILE_H

#include "base/buf.h"
#include <ensrun/error.h>

/** Append the bytes of path to b. ENS_EINPUT when it is larger than max. */
enum ens_status ens_file_read(struct ens_buf *b, const char *path, size_t max,
                              struct ens_error *err);

/** Replace path: write path.tmp, sync, rename, sync the folder. */
enum ens_status ens_file_replace(const char *path, const void *p, size_t n,
                                 struct ens_error *err);

/** A new, empty file for reading and writing; what has that name is removed,
 * not emptied: another process may still write to it. -1 with errno. */
int ens_file_new(const char *path);

/** Write all n bytes (short writes and EINTR handled). 0, or -1 with errno. */
int ens_write_all(int fd, const void *p, size_t n);

/** Read n bytes at an offset. 0, or -1 with errno (EIO at the file's end). */
int ens_read_all(int fd, void *to, size_t n, uint64_t at);
/** A file without a name in the folder of path, for reading and writing: gone
 * when it is closed, or we are killed, unless ens_file_name was called. -1 with
 * errno, also where the file system cannot do that. */
int ens_file_nameless(const char *path, unsigned mode);
/** Give it the name path: -1 with errno, EEXIST when that is taken. */
int ens_file_link(int fd, const char *path);
/** Give it a name that is not taken: path (cap bytes of room) with a dot and
 * eight digits behind it. -1 with errno. */
int ens_file_name(int fd, char *path, size_t cap);

/** Path of an open file as the system knows it, for messages. */
void ens_fd_path(int fd, char *to, size_t cap);

/** mkdir -p. */
enum ens_status ens_file_mkdirs(const char *path, struct ens_error *err);

/** Remove all that is in a folder, at any depth; links are not followed. Made
 * when it is not there. */
enum ens_status ens_file_empty(const char *dir, struct ens_error *err);

/** fsync of the folder that holds path. */
enum ens_status ens_file_sync_parent(const char *path, struct ens_error *err);

#endif
