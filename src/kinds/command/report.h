/* How a program's end is told. */
#ifndef ENS_KINDS_COMMAND_REPORT_H
#define ENS_KINDS_COMMAND_REPORT_H

#include "base/arena.h"
#include "kinds/command/process.h"

/** ENS_OK for exit status 0 and all of the output there; else ENS_EDOMAIN,
 * with the last line of stderr: "exit status 2: no such column". */
enum ens_status ens_command_verdict(const struct ens_program_end *end,
                                    struct ens_error *err);
/** The end of stderr as a text for people; "stderr: ..." */
const char *ens_command_stderr(const struct ens_program_end *end,
                               struct ens_arena *arena);

#endif
