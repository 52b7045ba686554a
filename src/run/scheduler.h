/* Batch systems, as a process of one of their jobs sees them: how much time
 * is left of it, and whom to ask. Pure but for the environment. */
#ifndef ENS_RUN_SCHEDULER_H
#define ENS_RUN_SCHEDULER_H

#include <stddef.h>
#include <stdint.h>

#define ENS_SCHEDULER_WORDS 8

struct ens_scheduler {
    const char *name;                         /* "Slurm"; NULL: none */
    const char *command[ENS_SCHEDULER_WORDS]; /* NULL-terminated; names `id` */
    double (*read)(const char *text, int64_t now_s);
    char id[256];  /* of the job */
    double left_s; /* as the environment says; NaN: it does not */
    double most_s; /* at most, as far as that says; NaN */
};

/** The batch system whose job this is, from the environment alone. now_s: of
 * the wall clock. `command` points into *s. */
void ens_scheduler_find(struct ens_scheduler *s, int64_t now_s);
/**
 * Seconds left by what the command printed (a text): INFINITY when there is
 * no limit, NaN when it does not say.
 */
double ens_scheduler_left(const struct ens_scheduler *s, const char *text,
                          int64_t now_s);

#endif
