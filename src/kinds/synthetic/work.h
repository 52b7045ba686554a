/* What a synthetic task does with its time: computes, sleeps, reads, leaks,
 * and goes wrong. Every decision comes from the task's streams, so a task that
 * crashes does so at every attempt. */
#ifndef ENS_KINDS_SYNTHETIC_WORK_H
#define ENS_KINDS_SYNTHETIC_WORK_H

#include "kinds/synthetic/params.h"
#include <ensrun/kind.h>

enum ens_synthetic_fate {
    ENS_FATE_OK,
    ENS_FATE_FAIL,
    ENS_FATE_CRASH,
    ENS_FATE_ABORT,
    ENS_FATE_HANG
};

struct ens_synthetic_fault {
    enum ens_synthetic_fate fate;
    uint32_t variant; /* 0: declared schema; 1, 2: another one */
};

/**
 * A task's fate, from stream "fault": word 0 < fail_rate fails, word 1 <
 * crash_rate crashes, word 2 < abort_rate aborts, word 3 < hang_rate hangs
 * (each word as a uniform draw; the first that holds, crash before abort,
 * hang, fail), word 4 * 6 < 2 gives variant 1 (< 1) or 2.
 */
struct ens_synthetic_fault
ens_synthetic_decide(const struct ens_synthetic_params *p,
                     const struct ens_host *host, struct ens_rng *g);
/** Does not return from crash, abort and hang. */
enum ens_status ens_synthetic_suffer(enum ens_synthetic_fate fate,
                                     const struct ens_synthetic_params *p,
                                     struct ens_error *err);

void ens_synthetic_spin(double us);
void ens_synthetic_sleep(double us);

/** Sum of n rows of x from row `start` on, going on at row 0 behind the last;
 * n <= rows of x. */
double ens_synthetic_touch(const struct ens_input *x, uint64_t start,
                           uint64_t n);
/** Whether `touch` can read this input. */
int ens_synthetic_readable(const struct ens_input *x);

/** Memory that stays until the worker ends. */
struct ens_synthetic_leak;
enum ens_status ens_synthetic_leak(struct ens_synthetic_leak **leaks, double mb,
                                   struct ens_error *err);
void ens_synthetic_unleak(struct ens_synthetic_leak **leaks);

/** n printable bytes, among them quotes and commas (tables must quote). */
void ens_synthetic_text(const struct ens_host *host, struct ens_rng *g,
                        char *to, size_t n);
void ens_synthetic_bytes(const struct ens_host *host, struct ens_rng *g,
                         unsigned char *to, size_t n);

#endif
