#include "run/scheduler.h"

#include "base/bug.h"
#include "base/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* -- what they print ----------------------------------------------------------
 */

/* "[D-][[H:]M:]S" and then something that is no part of it, in units of the
 * last number; NaN when it is none. */
static double read_clock(const char *p, double unit_s)
{
    double sum = 0;

    for (int part = 0; part < 4; part++) {
        size_t n = strspn(p, "0123456789");
        uint64_t v;

        if (ens_number_parse_u64(p, n, &v) != 0)
            return NAN;
        sum += (double)v;
        p += n;
        if (*p == '-' && part == 0)
            sum *= 24;
        else if (*p == ':')
            sum *= 60;
        else
            return sum * unit_s;
        p++;
    }
    return NAN;
}

/* squeue -o %L */
static double read_slurm(const char *text, int64_t now_s)
{
    (void)now_s;
    return strncmp(text, "UNLIMITED", 9) == 0 ? (double)INFINITY
                                              : read_clock(text, 1);
}

/* bjobs -o time_left: hours and minutes, then L (to the limit), X (beyond it)
 * or E (an estimate that ends nothing); "-" when there is no limit. */
static double read_lsf(const char *text, int64_t now_s)
{
    double left_s = read_clock(text, 60);

    (void)now_s;
    if (text[0] == '-' || strstr(text, " E") != NULL)
        return (double)INFINITY;
    return strstr(text, " X") != NULL ? 0 : left_s;
}

/* flux job timeleft: seconds */
static double read_flux(const char *text, int64_t now_s)
{
    double left_s;

    (void)now_s;
    if (ens_number_parse(text, strcspn(text, " \n"), &left_s) != 0 ||
        !(left_s >= 0))
        return NAN;
    return left_s;
}

/* What follows "    KEY = " in what qstat -f prints; NULL. */
static const char *attribute(const char *text, const char *key)
{
    size_t n = strlen(key);
    const char *p = text;

    while ((p = strstr(p, key)) != NULL) {
        if (p > text && (p[-1] == ' ' || p[-1] == '\t') &&
            strncmp(p + n, " = ", 3) == 0)
            return p + n + 3;
        p += n;
    }
    return NULL;
}

/* "Sat Nov 22 03:13:59 2026" of the server's clock and zone, which the nodes
 * of a cluster share. */
static double seconds_since(const char *text, int64_t now_s)
{
    struct tm tm = {.tm_isdst = -1};
    time_t t;

    if (strptime(text, "%a %b %d %H:%M:%S %Y", &tm) == NULL)
        return NAN;
    t = mktime(&tm);
    return t == (time_t)-1 ? NAN : (double)(now_s - t);
}

/* qstat -f: Torque says it; of PBS Pro it is the limit less the time since
 * the start, or (older by a minute or two) the time used. */
static double read_pbs(const char *text, int64_t now_s)
{
    const char *left = attribute(text, "Walltime.Remaining");
    const char *limit = attribute(text, "Resource_List.walltime");
    const char *start = attribute(text, "stime");
    const char *used = attribute(text, "resources_used.walltime");
    double limit_s, used_s;

    if (left != NULL)
        return read_clock(left, 1);
    if (limit == NULL) /* an answer, but no limit? */
        return strncmp(text, "Job Id:", 7) == 0 ? (double)INFINITY : NAN;
    limit_s = read_clock(limit, 1);
    used_s = start != NULL ? seconds_since(start, now_s) : NAN;
    if (!(used_s >= 0) && used != NULL)
        used_s = read_clock(used, 1);
    return used_s < limit_s ? limit_s - used_s : used_s >= limit_s ? 0 : NAN;
}

double ens_scheduler_left(const struct ens_scheduler *s, const char *text,
                          int64_t now_s)
{
    return s->read(text, now_s);
}

/* -- whose job this is
 * ---------------------------------------------------------
 */

/* Variables that hold the id of a job, and of an array's element the array
 * and the element's number. Flux in a job of another is asked first. */
static const struct system {
    const char *name;
    const char *id, *array, *element;
    const char *alone; /* the number of what is no element; NULL: none */
    const char *before, *behind; /* the element, in an id */
    const char *command[ENS_SCHEDULER_WORDS];
    double (*read)(const char *text, int64_t now_s);
} systems[] = {
    {.name = "Flux",
     .id = "FLUX_URI",
     .command = {"flux", "job", "timeleft"},
     .read = read_flux},
    {.name = "Slurm",
     .id = "SLURM_JOB_ID",
     .array = "SLURM_ARRAY_JOB_ID",
     .element = "SLURM_ARRAY_TASK_ID",
     .before = "_",
     .behind = "",
     .command = {"squeue", "-h", "-o", "%L", "-j", "ID"},
     .read = read_slurm},
    {.name = "PBS",
     .id = "PBS_JOBID",
     .command = {"qstat", "-f", "ID"},
     .read = read_pbs},
    {.name = "LSF",
     .id = "LSB_JOBID",
     .array = "LSB_JOBID",
     .element = "LSB_JOBINDEX",
     .alone = "0",
     .before = "[",
     .behind = "]",
     .command = {"bjobs", "-noheader", "-o", "time_left", "ID"},
     .read = read_lsf},
};

static const char *set(const char *variable)
{
    const char *v = variable != NULL ? getenv(variable) : NULL;

    return v != NULL && v[0] != '\0' ? v : NULL;
}

/* Slurm from 22.05 on: when the job ends. */
static double left_now(int64_t now_s)
{
    const char *end = set("SLURM_JOB_END_TIME");
    int64_t t;

    if (end == NULL || ens_number_parse_i64(end, strlen(end), &t) != 0 ||
        t <= now_s)
        return NAN;
    return (double)(t - now_s);
}

/* Torque: all of the job's time. */
static double left_at_most(void)
{
    const char *all = set("PBS_WALLTIME");

    return all != NULL ? read_clock(all, 1) : NAN;
}

static void name_job(struct ens_scheduler *s, const struct system *y)
{
    const char *array = set(y->array);
    const char *element = set(y->element);

    if (array != NULL && element != NULL &&
        (y->alone == NULL || strcmp(element, y->alone) != 0))
        snprintf(s->id, sizeof(s->id), "%s%s%s%s", array, y->before, element,
                 y->behind);
    else
        snprintf(s->id, sizeof(s->id), "%s", getenv(y->id));
}

void ens_scheduler_find(struct ens_scheduler *s, int64_t now_s)
{
    const struct system *y = systems;

    memset(s, 0, sizeof(*s));
    s->left_s = s->most_s = NAN;
    while (y < systems + ENS_COUNT(systems) && set(y->id) == NULL)
        y++;
    if (y == systems + ENS_COUNT(systems))
        return;
    s->name = y->name;
    s->read = y->read;
    name_job(s, y);
    for (size_t i = 0; i < ENS_COUNT(y->command) && y->command[i] != NULL; i++)
        s->command[i] =
            strcmp(y->command[i], "ID") == 0 ? s->id : y->command[i];
    if (y->read == read_slurm)
        s->left_s = left_now(now_s);
    if (y->read == read_pbs)
        s->most_s = left_at_most();
}
