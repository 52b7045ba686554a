/* Tables of a super learner: what its learners reach, and weigh. */
#ifndef ENS_SUPERLEARNER_TABLES_H
#define ENS_SUPERLEARNER_TABLES_H

#include <ensrun/kind.h>

#define ENS_SL_N_TABLES 7
extern const struct ens_table_def ens_sl_tables[ENS_SL_N_TABLES];

#endif
