/* The mappable form of a file that cannot be mapped as it is: an .npy file,
 * made once and kept in the cache; without a cache in memory; or, where the
 * caller wants it for once, in a scratch folder. (CSV has its own way: it
 * learns the digest while it reads, see csv.c.) */
#ifndef ENS_INPUT_FORM_H
#define ENS_INPUT_FORM_H

#include "input/format.h"

struct ens_form {
    const char *suffix; /* of its name in the cache */
    uint64_t variant;   /* tells apart several forms of one file */
    const void *p;      /* the file, mapped */
    uint64_t size;
    uint64_t bytes; /* that the form will have, by what the file says */
    /** Write it into the empty file fd (read and written). */
    enum ens_status (*make)(const struct ens_form *f, int fd,
                            struct ens_error *err);
    void *arg;
};

/**
 * Map it in place of the file: m->fd, m->base, m->digest, and the view of its
 * array. Errors of make; ENS_ENOSPACE.
 */
enum ens_status ens_form_open(struct ens_mapped *m, const struct ens_opening *o,
                              const struct ens_form *f, struct ens_error *err);

#endif
