/* Numbers with their standard errors, as far as their digits mean something. */
#ifndef ENS_CLI_ROUNDED_H
#define ENS_CLI_ROUNDED_H

#include <stddef.h>

#define ENS_ROUNDED_BYTES 512u /* of either text */

/** Two digits of the error, and the value as far as they reach; without an
 * error (NaN, 0) six digits. Empty for NaN. Return the length. */
size_t ens_rounded_value(char to[ENS_ROUNDED_BYTES], double value,
                         double error);
size_t ens_rounded_error(char to[ENS_ROUNDED_BYTES], double error);
/** "2.012 (0.034)" */
size_t ens_rounded_both(char to[ENS_ROUNDED_BYTES], double value, double error);

#endif
