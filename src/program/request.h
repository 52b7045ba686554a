/* The line a persistent program is sent for a task: one JSON object. Drawn in
 * launch/clients/README.md. */
#ifndef ENS_PROGRAM_REQUEST_H
#define ENS_PROGRAM_REQUEST_H

#include "base/buf.h"
#include "program/values.h"

/** Append the line with its newline to `to`. */
void ens_request_put(struct ens_buf *to, const struct ens_host *host,
                     const struct ens_task_values *v,
                     const struct ens_task *task, const struct ens_result *r);
/**
 * Is this an answer to the task? ENS_EPROTOCOL when it is no JSON object with
 * its "task": lines and answers are out of step, the program is of no more
 * use. ENS_EDOMAIN when it has an "error": the text.
 */
enum ens_status ens_request_check_answer(const char *line, size_t n,
                                         const char *task,
                                         struct ens_error *err);

#endif
