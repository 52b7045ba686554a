#include "cli/jobscript.h"

#include "base/bug.h"

#include <ctype.h>
#include <string.h>

struct line {
    unsigned when;
    const char *text;
};

/* The names in jobscript.def are short. */
enum {
    ANY = ENS_JOB_ANY,
    SLURM = ENS_JOB_SLURM,
    PBS = ENS_JOB_PBS,
    LSF = ENS_JOB_LSF,
    FLUX = ENS_JOB_FLUX,
    HOSTS = ENS_JOB_HOSTS,
    ONE = ENS_JOB_ONE,
    MPI = ENS_JOB_MPI,
    MPIRUN = ENS_JOB_MPIRUN,
    SRUN = ENS_JOB_SRUN,
    WHOLE = ENS_JOB_WHOLE,
    ARRAY = ENS_JOB_ARRAY,
    STAGES = ENS_JOB_STAGES,
    ACCOUNT = ENS_JOB_ACCOUNT,
    QUEUE = ENS_JOB_QUEUE
};

static const struct line lines[] = {
#define X(when, text) {when, text},
#include "cli/jobscript.def"
#undef X
};

void ens_jobscript_quote(struct ens_buf *out, const char *text)
{
    const char *p = text;

    while (isalnum((unsigned char)*p) ||
           (*p != '\0' && strchr("_@%+=:,./-", *p) != NULL))
        p++;
    if (*p == '\0' && p != text) {
        ens_buf_puts(out, text);
        return;
    }
    ens_buf_puts(out, "'");
    for (p = text; *p != '\0'; p++)
        if (*p == '\'')
            ens_buf_puts(out, "'\\''");
        else
            ens_buf_put(out, p, 1);
    ens_buf_puts(out, "'");
}

/* A path that begins with a dash is not an option. */
static void quote_path(struct ens_buf *out, const char *path)
{
    struct ens_buf b = ENS_BUF_INIT;

    if (path[0] == '-')
        ens_buf_puts(&b, "./");
    ens_buf_puts(&b, path);
    ens_jobscript_quote(out, ens_buf_text(&b));
    out->failed |= b.failed;
    ens_buf_fini(&b);
}

/* -- what a job has ----------------------------------------------------- */

static int is_mpi(const struct ens_jobscript *j)
{
    return j->ranks > 1 || j->system == HOSTS;
}

static unsigned what(const struct ens_jobscript *j)
{
    unsigned w = j->system | (j->shards > 0 ? ARRAY : WHOLE);

    if (!is_mpi(j))
        w |= ONE;
    else if (j->system == FLUX)
        w |= MPI;
    else
        w |= MPI | (j->srun ? SRUN : MPIRUN);
    if (j->stages)
        w |= STAGES;
    if (j->account != NULL)
        w |= ACCOUNT;
    if (j->queue != NULL)
        w |= QUEUE;
    return w;
}

/* -- values ------------------------------------------------------------- */

#define NAME_MAX_PBS 15 /* characters, of older versions */
#define NAME_MAX_ANY 60

/* Letters, digits and what every batch system takes in a name. */
static void put_name(struct ens_buf *out, const struct ens_jobscript *j)
{
    size_t most = j->system == PBS ? NAME_MAX_PBS : NAME_MAX_ANY;

    if (!isalpha((unsigned char)j->name[0]))
        ens_buf_puts(out, "ensrun");
    for (size_t i = 0; j->name[i] != '\0' && i < most; i++) {
        char c = j->name[i];

        if (!isalnum((unsigned char)c) && strchr("-_.", c) == NULL)
            c = '_';
        ens_buf_put(out, &c, 1);
    }
}

/* Of the statuses that ask for another time, besides 85: mpirun's and srun's
 * when a rank (137) or a host (205) was lost; 3 when rank 0 found a silent
 * host before the launcher did. */
static const char *again(const struct ens_jobscript *j)
{
    return !is_mpi(j) ? "85" : j->nodes > 1 ? "3 | 85 | 137 | 205" : "85 | 137";
}

static void put_hostfile(struct ens_buf *out, const struct ens_jobscript *j)
{
    if (j->system == PBS)
        ens_buf_puts(out, " --hostfile \"$PBS_NODEFILE\"");
    if (j->system == LSF)
        ens_buf_puts(out, " --hostfile \"$LSB_DJOB_HOSTFILE\"");
    if (j->system == HOSTS) {
        ens_buf_puts(out, " --hostfile ");
        quote_path(out, j->hosts);
    }
}

static void put_set(struct ens_buf *out, const struct ens_jobscript *j)
{
    for (size_t i = 0; i < j->n_set; i++) {
        ens_buf_puts(out, " --set ");
        ens_jobscript_quote(out, j->set[i]);
    }
}

static void put_shard(struct ens_buf *out, const struct ens_jobscript *j)
{
    if (j->shards > 0)
        ens_buf_printf(out, " --shard \"$SLURM_ARRAY_TASK_ID/%llu\"",
                       (unsigned long long)j->shards);
}

static void put_limit(struct ens_buf *out, const struct ens_jobscript *j)
{
    if (j->time_s > 0)
        ens_buf_printf(out, " --time-limit %llus",
                       (unsigned long long)(j->time_s - j->margin_s));
}

static void put_hm(struct ens_buf *out, const struct ens_jobscript *j)
{
    ens_buf_printf(out, "%02llu:%02llu", (unsigned long long)(j->time_s / 3600),
                   (unsigned long long)(j->time_s / 60 % 60));
}

static void put_hms(struct ens_buf *out, const struct ens_jobscript *j)
{
    put_hm(out, j);
    ens_buf_puts(out, ":00");
}

/* In a comment: a line stays one. */
static void put_command(struct ens_buf *out, const struct ens_jobscript *j)
{
    for (const char *p = j->command; *p != '\0'; p++)
        ens_buf_put(out, (unsigned char)*p < ' ' ? "?" : p, 1);
}

static void put_ensrun(struct ens_buf *out, const struct ens_jobscript *j)
{
    ens_jobscript_quote(out, j->ensrun);
}

static void put_study(struct ens_buf *out, const struct ens_jobscript *j)
{
    quote_path(out, j->study);
}

static void put_results(struct ens_buf *out, const struct ens_jobscript *j)
{
    quote_path(out, j->results);
}

/* Of a number, put_number; of a text, put_text; else put. */
struct value {
    const char *name;
    uint64_t number;
    const char *text;
    void (*put)(struct ens_buf *out, const struct ens_jobscript *j);
};

static void put_value(struct ens_buf *out, const struct ens_jobscript *j,
                      const struct value *v)
{
    if (v->put != NULL)
        v->put(out, j);
    else if (v->text != NULL)
        ens_buf_puts(out, v->text);
    else
        ens_buf_printf(out, "%llu", (unsigned long long)v->number);
}

/* The value that "{name}" at p stands for; nonzero when it is one. */
static int put_named(struct ens_buf *out, const struct ens_jobscript *j,
                     const char *p, size_t n)
{
    uint64_t pernode = j->ranks / j->nodes;
    const struct value values[] = {
        {"command", 0, NULL, put_command},
        {"job", 0, NULL, put_name},
        {"tasks", j->n_tasks, NULL, NULL},
        {"nodes", j->nodes, NULL, NULL},
        {"ranks", j->ranks, NULL, NULL},
        {"pernode", pernode, NULL, NULL},
        {"cores", j->cores, NULL, NULL},
        {"nodecores", j->cores * pernode, NULL, NULL},
        {"allcores", j->cores * j->ranks, NULL, NULL},
        {"workers", j->workers, NULL, NULL},
        {"shards", j->shards, NULL, NULL},
        {"each", 0, j->shards > 0 ? " in each shard" : "", NULL},
        {"time", j->time_s, NULL, NULL},
        {"hms", 0, NULL, put_hms},
        {"hm", 0, NULL, put_hm},
        {"margin", j->margin_s, NULL, NULL},
        {"marginmin", j->margin_s / 60, NULL, NULL},
        {"account", 0, j->account, NULL},
        {"queue", 0, j->queue, NULL},
        {"bind", 0, j->cores == 1 ? "core" : "none", NULL},
        {"hostfile", 0, NULL, put_hostfile},
        {"indent", 0, is_mpi(j) ? "    " : "", NULL},
        {"ensrun", 0, NULL, put_ensrun},
        {"study", 0, NULL, put_study},
        {"results", 0, NULL, put_results},
        {"set", 0, NULL, put_set},
        {"shard", 0, NULL, put_shard},
        {"limit", 0, NULL, put_limit},
        {"again", 0, again(j), NULL},
    };

    for (size_t i = 0; i < ENS_COUNT(values); i++)
        if (strlen(values[i].name) == n && memcmp(values[i].name, p, n) == 0) {
            put_value(out, j, &values[i]);
            return 1;
        }
    return 0;
}

/* -- lines -------------------------------------------------------------- */

static void put_line(struct ens_buf *out, const struct ens_jobscript *j,
                     const char *p)
{
    while (*p != '\0') {
        size_t n = strcspn(p, "{");
        size_t len;

        ens_buf_put(out, p, n);
        p += n;
        if (*p == '\0')
            break;
        len = strspn(p + 1, "abcdefghijklmnopqrstuvwxyz");
        if (p[1 + len] == '}' && put_named(out, j, p + 1, len)) {
            p += len + 2;
        } else {
            ens_buf_put(out, p, 1); /* the shell's, or Flux's */
            p++;
        }
    }
    ens_buf_puts(out, "\n");
}

void ens_jobscript_write(struct ens_buf *out, const struct ens_jobscript *j)
{
    unsigned w = what(j);

    for (size_t i = 0; i < ENS_COUNT(lines); i++) {
        unsigned asked = lines[i].when & ~(unsigned)ANY;

        if ((lines[i].when & j->system) != 0 && (w & asked) == asked)
            put_line(out, j, lines[i].text);
    }
}
