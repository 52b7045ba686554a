/* The table of built-in kinds, made from x.def. */
#ifndef ENS_KINDS_KINDS_H
#define ENS_KINDS_KINDS_H

#include "kind/registry.h"

#define X(name) extern const struct ens_kind ens_kind_##name;
#include "kinds/x.def"
#undef X

extern const struct ens_kind_table ens_kinds;

#endif
