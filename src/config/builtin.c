#include "config/builtin.h"

#include "base/bug.h"

#include <string.h>

#define U64_MAX 18446744073709551615.0
#define MANY    1e15 /* a count that nobody reaches */
#define YEARS   1e9  /* seconds */

/* section, key, type, shape, class, default, min, max, choices, unit, help */
static const struct ens_setting settings[] = {
    {"study", "kind", ENS_T_TEXT, ENS_ONE, ENS_C_STUDY, NULL, 0, 0, NULL, NULL,
     "what the tasks do (see ensrun kinds)"},
    {"study", "name", ENS_T_TEXT, ENS_ONE, ENS_C_RUN, "", 0, 0, NULL, NULL,
     "name of the study; default: that of the file"},
    {"study", "seed", ENS_T_INT, ENS_ONE, ENS_C_STUDY, "1", 0, U64_MAX, NULL,
     NULL, "seed of all random streams, 64 bit"},
    {"study", "streams", ENS_T_CHOICE, ENS_ONE, ENS_C_STUDY, "common", 0, 0,
     "common|independent", NULL,
     "common: a replicate's data are the same for all cells that differ in "
     "nothing but what is done with them; independent: data of its own for "
     "each"},
    {"study", "replicates", ENS_T_INT, ENS_ONE, ENS_C_RUN, "1", 1, 4294967295.0,
     NULL, NULL, "tasks per cell; with [stop] at most"},
    {"study", "results", ENS_T_PATH, ENS_ONE, ENS_C_RUN, "", 0, 0, NULL, NULL,
     "results folder; default: results/NAME beside the study file"},

    {"input", "path", ENS_T_PATH, ENS_ONE, ENS_C_RUN, NULL, 0, 0, NULL, NULL,
     "file, or columns of another input: NAME[a, b]"},
    {"input", "columns", ENS_T_TEXT, ENS_LIST, ENS_C_STUDY, "", 0, 0, NULL,
     NULL, "columns to take, in this order; default: all"},
    {"input", "rows", ENS_T_TEXT, ENS_ONE, ENS_C_STUDY, "", 0, 0, NULL, NULL,
     "rows to take, a:b with both ends, the first is 1; default: all"},
    {"input", "transpose", ENS_T_BOOL, ENS_ONE, ENS_C_STUDY, "no", 0, 0, NULL,
     NULL, "exchange rows and columns"},
    {"input", "dtype", ENS_T_TEXT, ENS_ONE, ENS_C_STUDY, "", 0, 0, NULL, NULL,
     "element type of a raw file, as in numpy: f8, <i4, >f4"},
    {"input", "shape", ENS_T_INT, ENS_LIST, ENS_C_STUDY, "", 0, MANY, NULL,
     NULL, "shape of a raw file: rows, columns ..."},
    {"input", "dataset", ENS_T_TEXT, ENS_ONE, ENS_C_STUDY, "", 0, 0, NULL, NULL,
     "array inside the file"},
    {"input", "delimiter", ENS_T_TEXT, ENS_ONE, ENS_C_STUDY, "", 0, 0, NULL,
     NULL, "between the columns of a table, or tab; default: detected"},
    {"input", "header", ENS_T_CHOICE, ENS_ONE, ENS_C_STUDY, "auto", 0, 0,
     "auto|yes|no", NULL, "whether a table's first line names its columns"},
    {"input", "missing", ENS_T_TEXT, ENS_LIST, ENS_C_STUDY, "NA", 0, 0, NULL,
     NULL, "texts that mean missing, besides empty"},

    {"run", "workers", ENS_T_TEXT, ENS_ONE, ENS_C_RUN, "auto", 0, 0, NULL, NULL,
     "worker processes; auto: the cores this process may use"},
    {"run", "cores", ENS_T_INT, ENS_ONE, ENS_C_RUN, "1", 1, 65535, NULL, NULL,
     "cores per task"},
    {"run", "retain", ENS_T_TEXT, ENS_LIST, ENS_C_RUN, "standard", 0, 0, NULL,
     NULL, "what to keep: minimal, standard, debug, or names of items"},
    {"run", "retain.success", ENS_T_TEXT, ENS_LIST, ENS_C_RUN, "", 0, 0, NULL,
     NULL, "the same of tasks that end well, without a warning"},
    {"run", "retain.warning", ENS_T_TEXT, ENS_LIST, ENS_C_RUN, "", 0, 0, NULL,
     NULL, "the same of tasks that end well, with warnings"},
    {"run", "retain.error", ENS_T_TEXT, ENS_LIST, ENS_C_RUN, "", 0, 0, NULL,
     NULL, "the same of tasks that fail; not set: nothing"},
    {"run", "commit_every", ENS_T_INT, ENS_ONE, ENS_C_RUN, "10000", 1, MANY,
     NULL, "tasks", "commit the journal after that many tasks"},
    {"run", "commit_seconds", ENS_T_SECONDS, ENS_ONE, ENS_C_RUN, "5", 0, YEARS,
     NULL, "s", "or after that time, whichever comes first"},
    {"run", "keep_checkpoints", ENS_T_INT, ENS_ONE, ENS_C_RUN, "2", 1, MANY,
     NULL, NULL, "newest checkpoints to keep"},
    {"run", "attempts", ENS_T_INT, ENS_ONE, ENS_C_RUN, "3", 1, 1000, NULL, NULL,
     "attempts at a task whose worker died; those that a SIGKILL ended are "
     "counted apart"},
    {"run", "attempts_timeout", ENS_T_INT, ENS_ONE, ENS_C_RUN, "1", 1, 1000,
     NULL, NULL, "attempts at a task that ran out of time"},
    {"run", "timeout", ENS_T_SECONDS, ENS_ONE, ENS_C_RUN, "0", 0, YEARS, NULL,
     "s", "time a task may take; 0: any"},
    {"run", "memory_limit", ENS_T_BYTES, ENS_ONE, ENS_C_RUN, "0", 0, MANY, NULL,
     "bytes", "private memory per worker above what its start took; 0: any"},
    {"run", "max_errors", ENS_T_INT, ENS_ONE, ENS_C_RUN, "0", 0, MANY, NULL,
     "tasks", "stop after that many failed tasks; 0: never"},
    {"run", "grace", ENS_T_SECONDS, ENS_ONE, ENS_C_RUN, "60 s", 0, YEARS, NULL,
     "s", "time to finish running tasks when stopping"},
    {"run", "disk_wait", ENS_T_SECONDS, ENS_ONE, ENS_C_RUN, "60 s", 0, YEARS,
     NULL, "s", "how long to retry on a full disk"},
    {"run", "table_rows", ENS_T_INT, ENS_ONE, ENS_C_RUN, "10000000", 0, MANY,
     NULL, "rows", "larger task tables are written by export only"},
    {"run", "stage_inputs", ENS_T_CHOICE, ENS_ONE, ENS_C_RUN, "no", 0, 0,
     "no|node", NULL, "copy inputs to storage of each node first"},
    {"run", "exact", ENS_T_BOOL, ENS_ONE, ENS_C_RUN, "no", 0, 0, NULL, NULL,
     "refuse hosts whose processors may give other last bits"},
    {"run", "lock_wait", ENS_T_SECONDS, ENS_ONE, ENS_C_RUN, "60 s", 0, YEARS,
     NULL, "s", "silence after which a results folder may be taken over"},
    {"run", "dead_man", ENS_T_SECONDS, ENS_ONE, ENS_C_RUN, "60 s", 1, YEARS,
     NULL, "s", "silence after which a rank ends"},
    {"run", "heartbeat", ENS_T_SECONDS, ENS_ONE, ENS_C_RUN, "5 s", 0.1, YEARS,
     NULL, "s", "between two signs of life"},

    {"stop", "rule", ENS_T_TEXT, ENS_LIST, ENS_C_RUN, "", 0, 0, NULL, NULL,
     "a cell ends when all of these hold: mcse(MEASURE, TERM) < NUMBER, of "
     "rows of cells.csv; TERM *: all; default: after replicates"},
    {"stop", "min", ENS_T_INT, ENS_ONE, ENS_C_RUN, "", 2, 4294967295.0, NULL,
     "replicates", "when they are first looked at; default: 50"},
    {"stop", "every", ENS_T_INT, ENS_ONE, ENS_C_RUN, "", 1, 4294967295.0, NULL,
     "replicates", "and then after so many more; default: min"},
};

static const struct {
    const char *section;
    const char *name;
    const char *key;
} aliases[] = {
    {"run", "checkpoint_every", "commit_every"},
    {"run", "chunk_size", "commit_every"},
    {"run", "max_in_memory", "commit_every"},
};

struct ens_settings_table ens_builtin_settings(void)
{
    return (struct ens_settings_table){settings, ENS_COUNT(settings)};
}

const char *ens_builtin_alias(const char *section, const char *name)
{
    for (size_t i = 0; i < ENS_COUNT(aliases); i++)
        if (strcmp(aliases[i].section, section) == 0 &&
            strcmp(aliases[i].name, name) == 0)
            return aliases[i].key;
    return NULL;
}
