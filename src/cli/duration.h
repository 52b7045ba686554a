/* A length of time on a command line. */
#ifndef ENS_CLI_DURATION_H
#define ENS_CLI_DURATION_H

#include <ensrun/error.h>

/** Read "2h", "90m", "1h 30m" or seconds, as in a study file, or "12:00:00"
 * and "1-12:00:00" (days, hours, minutes, seconds), as batch systems write it.
 * *seconds > 0. ENS_EUSAGE; `option` is for its text. */
enum ens_status ens_duration_parse(const char *option, const char *text,
                                   double *seconds, struct ens_error *err);

#endif
