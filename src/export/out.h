/* Buffered output with a sticky error: write without checking, look at the
 * status of commit or flush at the end. A file is written under a temporary
 * name, synced and renamed: it is there whole or not at all. Where the file
 * system can, it has no name before that (O_TMPFILE): whatever kills us,
 * nothing is left. */
#ifndef ENS_EXPORT_OUT_H
#define ENS_EXPORT_OUT_H

#include "base/buf.h"
#include "store/io.h"
#include <ensrun/error.h>
#include <stdint.h>

struct ens_out {
    int fd;
    uint64_t at; /* bytes handed to the system */
    struct ens_buf buf;
    struct ens_io *io; /* NULL: plain write, for pipes and terminals */
    char path[4096];   /* for messages; the final name of a file */
    char tmp[4096];    /* "" when not a file of ours */
    int nameless;      /* tmp is a name that it will have only at the end */
    struct ens_error error;
};

/** Write to an open descriptor (not closed by us); name is for messages. */
void ens_out_init(struct ens_out *o, int fd, const char *name);
/** Replace path at commit. ENS_EUSAGE: it is there and no regular file. */
enum ens_status ens_out_create(struct ens_out *o, const char *path,
                               struct ens_io *io, struct ens_error *err);
void ens_out_put(struct ens_out *o, const void *p, size_t n);
void ens_out_puts(struct ens_out *o, const char *s);
void ens_out_zeros(struct ens_out *o, size_t n);
/** Replace n bytes written before, at offset `at` of the file. */
enum ens_status ens_out_patch(struct ens_out *o, uint64_t at, const void *p,
                              size_t n, struct ens_error *err);
/** Hand over what is buffered; the first error so far. */
enum ens_status ens_out_flush(struct ens_out *o, struct ens_error *err);
/** Flush; files: sync, rename. Releases o in any case. */
enum ens_status ens_out_commit(struct ens_out *o, struct ens_error *err);
/** Forget it: the temporary file is removed. Releases o. */
void ens_out_abort(struct ens_out *o);

#endif
