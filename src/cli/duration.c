#include "cli/duration.h"

#include "base/arena.h"
#include "base/number.h"
#include "config/value.h"

#include <string.h>

/* "[D-]H:MM:SS": nonzero when it is one. */
static int parse_clock(const char *text, double *seconds)
{
    static const uint64_t most[4] = {10000, 100000, 59, 59};
    static const double unit[4] = {86400, 3600, 60, 1};
    size_t part = strchr(text, '-') == NULL;
    double sum = 0;

    for (const char *p = text;; p++) {
        size_t n = strcspn(p, "-:");
        uint64_t v;

        if (ens_number_parse_u64(p, n, &v) != 0 || v > most[part] ||
            (part > 1 && n != 2))
            return 0;
        sum += (double)v * unit[part++];
        p += n;
        if (*p == '\0')
            break;
        if (part == 4 || *p != (part == 1 ? '-' : ':'))
            return 0;
    }
    *seconds = sum;
    return part == 4;
}

enum ens_status ens_duration_parse(const char *option, const char *text,
                                   double *seconds, struct ens_error *err)
{
    static const struct ens_setting limit = {
        .key = "time", .type = ENS_T_SECONDS, .min = 0, .max = 1e9};
    struct ens_arena arena = ENS_ARENA_INIT;
    const struct ens_value_context c = {.arena = &arena, .dir = "/"};
    struct ens_values v;
    struct ens_error why;
    enum ens_status s = ENS_OK;
    double t = 0;

    if (!parse_clock(text, &t)) {
        s = ens_value_parse(&c, &limit, text, &v, &why);
        if (s == ENS_OK)
            t = v.v->d;
    }
    if (s != ENS_OK || !(t > 0))
        s = ens_fail(err, ENS_EUSAGE,
                     "--%s %s: expected a time, as 2h, 90m, 1h 30m or 12:00:00",
                     option, text);
    else
        *seconds = t;
    ens_arena_fini(&arena);
    return s;
}
