/* Files that no format takes: what they are and what to do about it. */
#ifndef ENS_INPUT_REFUSE_H
#define ENS_INPUT_REFUSE_H

#include "input/format.h"

/** Is it a known format that we do not read? Pure; looks at the head. */
int ens_refuse_known(const struct ens_opening *o);
/** ENS_EINPUT with one line: what the file is, and how to convert it. */
enum ens_status ens_refuse(const struct ens_opening *o, struct ens_error *err);

#endif
