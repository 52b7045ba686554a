#include "kinds/kinds.h"

#include "base/bug.h"

static const struct ens_kind *const items[] = {
#define X(name) &ens_kind_##name,
#include "kinds/x.def"
#undef X
};

const struct ens_kind_table ens_kinds = {items, ENS_COUNT(items)};
