#include "kinds/synthetic/params.h"

#include "base/bug.h"

/* Bounds: `fields` and `stages` are what a record (60 KiB) and a plan (256
 * arrays) can hold; a text beyond 60 KiB is allowed so that its cut can be
 * tried; `array_rows` so that 2^32 - 1 tasks are never passed. */
#define KEY(key, type, def, min, max, unit, help)                              \
    {                                                                          \
        "synthetic", key, type, ENS_AXIS, ENS_C_CELL, def, min, max, NULL,     \
            unit, help                                                         \
    }
const struct ens_setting ens_synthetic_settings[ENS_SYNTHETIC_N_SETTINGS] = {
    KEY("work_us", ENS_T_NUM, "0", 0, 1e12, "us",
        "time each task computes (spins)"),
    KEY("sleep_us", ENS_T_NUM, "0", 0, 1e12, "us", "time each task sleeps"),
    KEY("jitter", ENS_T_NUM, "0", 0, 1, NULL,
        "work and sleep vary by this fraction, uniformly"),
    KEY("rows", ENS_T_INT, "0", 0, 1e15, "rows",
        "rows of input X each task reads and sums"),
    KEY("fields", ENS_T_INT, "1", 0, 4000, NULL,
        "fields value1, value2 ... of each task (uniform draws)"),
    KEY("payload_bytes", ENS_T_BYTES, "0", 0, 1e10, "bytes",
        "size of the artifact `payload` of each task"),
    KEY("text_bytes", ENS_T_BYTES, "0", 0, 1e6, "bytes",
        "length of the text field `note` of each task"),
    KEY("fail_rate", ENS_T_NUM, "0", 0, 1, NULL,
        "fraction of tasks that fail with a message"),
    KEY("crash_rate", ENS_T_NUM, "0", 0, 1, NULL,
        "fraction of tasks that die by SIGSEGV, at every attempt"),
    KEY("abort_rate", ENS_T_NUM, "0", 0, 1, NULL,
        "fraction of tasks that call abort(), at every attempt"),
    KEY("hang_rate", ENS_T_NUM, "0", 0, 1, NULL,
        "fraction of tasks that never end (set [run] timeout)"),
    KEY("leak_mb", ENS_T_NUM, "0", 0, 1e6, "MB",
        "memory each task takes and its worker keeps"),
    KEY("stages", ENS_T_INT, "1", 1, 256, NULL,
        "stages, each needing the sums of the one before"),
    KEY("array_rows", ENS_T_INT, "0", 0, 4e12, "rows",
        "length of the array each stage writes, one task per 1000 rows"),
    KEY("reads_all", ENS_T_BOOL, "no", 0, 0, NULL,
        "add the sums of all cells' arrays of the stage before to each block"),
    KEY("alone", ENS_T_INT, "0", 0, 256, NULL,
        "a stage in which only the first of such cells takes part"),
    KEY("parts", ENS_T_INT, "0", 0, 1e12, "rows",
        "each block is written in parts of so many rows (0 = whole)"),
    KEY("scratch", ENS_T_BOOL, "no", 0, 0, NULL,
        "arrays are removed when the study is complete"),
    KEY("decide", ENS_T_NUM, "", 0, 0, NULL,
        "a cell whose sum over a stage passes this ends with it"),
    KEY("schema_varies", ENS_T_BOOL, "no", 0, 0, NULL,
        "a third of the tasks find other fields at run time"),
    {"synthetic", "until", ENS_T_INT, ENS_ONE, ENS_C_RUN, "0", 0, 256, NULL,
     NULL, "stop after that many stages for now (0 = all)"},
};
#undef KEY

static const struct ens_value *get(const struct ens_cell *cell, const char *key)
{
    const struct ens_value *v = ens_cell_value(cell, "synthetic", key);

    ENS_BUG_ON(v == NULL); /* all keys have defaults */
    return v;
}

void ens_synthetic_read(struct ens_synthetic_params *p,
                        const struct ens_cell *cell)
{
    p->work_us = get(cell, "work_us")->d;
    p->sleep_us = get(cell, "sleep_us")->d;
    p->jitter = get(cell, "jitter")->d;
    p->rows = (uint64_t)get(cell, "rows")->i;
    p->fields = (uint32_t)get(cell, "fields")->i;
    p->payload_bytes = (uint64_t)get(cell, "payload_bytes")->i;
    p->text_bytes = (uint64_t)get(cell, "text_bytes")->i;
    p->fail_rate = get(cell, "fail_rate")->d;
    p->crash_rate = get(cell, "crash_rate")->d;
    p->abort_rate = get(cell, "abort_rate")->d;
    p->hang_rate = get(cell, "hang_rate")->d;
    p->leak_mb = get(cell, "leak_mb")->d;
    p->stages = (uint32_t)get(cell, "stages")->i;
    p->until = (uint32_t)get(cell, "until")->i;
    p->array_rows = (uint64_t)get(cell, "array_rows")->i;
    p->reads_all = get(cell, "reads_all")->i != 0;
    p->alone = (uint32_t)get(cell, "alone")->i;
    p->parts = (uint64_t)get(cell, "parts")->i;
    p->scratch = get(cell, "scratch")->i != 0;
    p->decides = get(cell, "decide")->set;
    p->decide = get(cell, "decide")->d;
    p->schema_varies = get(cell, "schema_varies")->i != 0;
}

uint32_t ens_synthetic_blocks(const struct ens_synthetic_params *p)
{
    return (uint32_t)((p->array_rows + ENS_SYNTHETIC_BLOCK - 1) /
                      ENS_SYNTHETIC_BLOCK);
}
