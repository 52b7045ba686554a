/* The line a persistent program is sent: one JSON object. Drawn in
 * launch/clients/README.md. */
#ifndef ENS_PROGRAM_REQUEST_H
#define ENS_PROGRAM_REQUEST_H

#include "base/buf.h"
#include "program/values.h"

/** Append `{"role": ..., ... "values": {...}`: the user's keys in the cell's
 * row of `section` (NULL: none). */
void ens_request_begin(struct ens_buf *to, const char *role,
                       const char *section, const struct ens_task_values *v);
/** `, "inputs": {...}`: path, rows, columns, dtype, shape of each. */
void ens_request_inputs(struct ens_buf *to, const struct ens_host *host,
                        const struct ens_task_values *v,
                        const struct ens_result *r);
/** The brace and the end of the line. */
void ens_request_end(struct ens_buf *to);

#endif
