/* Rows divided among processes: each works on a contiguous share. */
#ifndef ENS_CLI_DIVIDED_H
#define ENS_CLI_DIVIDED_H

#include "cli/screen.h"
#include <ensrun/error.h>

#include <stdatomic.h>

/* Of a process; in memory that all share. */
struct ens_divided_said {
    _Atomic uint64_t done; /* rows */
    uint64_t n_nan;
    int32_t ended; /* it said how */
    struct ens_error error;
};

struct ens_divided {
    uint32_t n; /* processes */
    uint64_t n_rows;
    struct ens_screen *screen;
    /** In a process of its own, which ends after it: rows first ..
     * first+n-1. INT, TERM and HUP are told by the screen. */
    enum ens_status (*run)(void *own, uint64_t first, uint64_t n,
                           struct ens_divided_said *said,
                           struct ens_error *err);
    void *own;
};

/** Until all have ended; n_nan: their sum. The error of the first rows that
 * have one. ENS_ESTOPPED: a signal came. */
enum ens_status ens_divided_run(const struct ens_divided *w, uint64_t *n_nan,
                                struct ens_error *err);

#endif
