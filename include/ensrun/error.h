/* Statuses and errors.
 *
 * Three things that go wrong are never mixed: a bug (ENS_BUG_ON in
 * base/bug.h, aborts), a failure of the world (a status and a struct
 * ens_error, as here), and an outcome of a method (data in a record).
 */
#ifndef ENSRUN_ERROR_H
#define ENSRUN_ERROR_H

#include <ensrun/version.h>
#include <stdarg.h>
#include <stdint.h>

/* X(name, text, exit code) */
#define ENS_STATUS_LIST(X)                                                     \
    X(OK, "ok", 0)                                                             \
    X(EUSAGE, "usage error", 2)                                                \
    X(ESTUDY, "study file error", 2)                                           \
    X(EINPUT, "input error", 2)                                                \
    X(EDOMAIN, "value out of domain", 1)                                       \
    X(ENOMEMORY, "out of memory", 3)                                           \
    X(EIO, "input/output error", 3)                                            \
    X(ENOSPACE, "no space left", 3)                                            \
    X(ELOCKED, "results folder in use", 3)                                     \
    X(ECORRUPT, "corrupt data", 3)                                             \
    X(ECHANGED, "study or input changed", 2)                                   \
    X(EPROCESS, "process error", 3)                                            \
    X(EPROTOCOL, "protocol error", 70)                                         \
    X(ESTOPPED, "stopped early", 85)                                           \
    X(ENOTFOUND, "not found", 2)

enum ens_status {
#define ENS_STATUS_ENUM(name, text, exit_code) ENS_##name,
    ENS_STATUS_LIST(ENS_STATUS_ENUM)
#undef ENS_STATUS_ENUM
};

/**
 * A failure with its text. Flat: travels through sockets and journals as
 * bytes. A text too long for it ends in "...".
 */
struct ens_error {
    int32_t status;    /* enum ens_status */
    int32_t sys_errno; /* errno, or 0 */
    char text[504];
};

/** Name of a status ("no space left"). Never NULL. */
ENS_API const char *ens_status_text(enum ens_status s);

/** Exit code of the program for a status (DESIGN: 0, 1, 2, 3, 70, 85). */
ENS_API int ens_status_exit(enum ens_status s);

/** Fill err (may be NULL) and return s. */
ENS_API enum ens_status ens_fail(struct ens_error *err, enum ens_status s,
                                 const char *fmt, ...) ENS_PRINTF(3, 4);

/**
 * As ens_fail, appending ": strerror(errno)". The status follows errno:
 * ENOSPC/EDQUOT -> ENOSPACE, ENOMEM -> ENOMEMORY, else s.
 */
ENS_API enum ens_status ens_fail_errno(struct ens_error *err, enum ens_status s,
                                       const char *fmt, ...) ENS_PRINTF(3, 4);

/** Put "PREFIX: " before the text already in err; returns s. */
ENS_API enum ens_status ens_wrap(struct ens_error *err, enum ens_status s,
                                 const char *fmt, ...) ENS_PRINTF(3, 4);

#endif
