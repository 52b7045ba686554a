/* How a program's end is told. */
#ifndef ENS_PROGRAM_REPORT_H
#define ENS_PROGRAM_REPORT_H

#include "base/arena.h"
#include "program/process.h"

/** ENS_OK for exit status 0 and all of the output there; else ENS_EDOMAIN,
 * with the last line of stderr: "exit status 2: no such column". */
enum ens_status ens_program_verdict(const struct ens_program_end *end,
                                    struct ens_error *err);
/** The end of stderr as a text for people; "stderr: ..." */
const char *ens_program_stderr(const struct ens_program_end *end,
                               struct ens_arena *arena);

#endif
