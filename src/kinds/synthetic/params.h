/* The settings of [synthetic], and what a cell says for each. */
#ifndef ENS_KINDS_SYNTHETIC_PARAMS_H
#define ENS_KINDS_SYNTHETIC_PARAMS_H

#include <ensrun/study.h>

/* Rows of a block: one task per block. */
#define ENS_SYNTHETIC_BLOCK 1000u

struct ens_synthetic_params {
    double work_us, sleep_us, jitter;
    uint64_t rows;
    uint32_t fields;
    uint64_t payload_bytes, text_bytes;
    double fail_rate, crash_rate, abort_rate, hang_rate;
    double leak_mb;
    uint32_t stages;
    uint32_t until; /* 0: all stages */
    uint64_t array_rows;
    int reads_all;
    uint32_t alone; /* 0: none */
    uint64_t parts; /* 0: whole */
    int scratch;
    int decides; /* `decide` is set */
    double decide;
    int schema_varies;
};

#define ENS_SYNTHETIC_N_SETTINGS 21
extern const struct ens_setting
    ens_synthetic_settings[ENS_SYNTHETIC_N_SETTINGS];

void ens_synthetic_read(struct ens_synthetic_params *p,
                        const struct ens_cell *cell);
/** Tasks of a cell with arrays: one per block. */
uint32_t ens_synthetic_blocks(const struct ens_synthetic_params *p);

#endif
