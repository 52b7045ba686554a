/* Time for measuring and deadlines: CLOCK_MONOTONIC, in nanoseconds. */
#ifndef ENS_BASE_CLOCK_H
#define ENS_BASE_CLOCK_H

#include <stdint.h>

uint64_t ens_clock_ns(void);
/** Wall clock, UTC, "2026-01-31T12:00:00Z" (21 bytes with its NUL). */
void ens_clock_utc(char to[21]);

#endif
