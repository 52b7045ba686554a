#include "base/clock.h"

#include <time.h>

uint64_t ens_clock_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void ens_clock_utc(char to[21])
{
    time_t now = time(NULL);
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(to, 21, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
