/* Where the ensrun program is: workers are forked from it. */
#ifndef ENS_EMBED_PROGRAM_H
#define ENS_EMBED_PROGRAM_H

#include <ensrun/error.h>
#include <stddef.h>

/** given (may be NULL), else ENSRUN_PROGRAM, else beside this library: as
 * installed, or in a folder of a build. ENS_EPROCESS says where it looked, or
 * that what is there is of another version. */
enum ens_status ens_program_find(const char *given, char *to, size_t cap,
                                 struct ens_error *err);

#endif
