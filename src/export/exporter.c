#include "export/exporter.h"

#include "base/bug.h"

#include <string.h>

#define X(name) extern const struct ens_exporter ens_exporter_##name;
#include "export/x.def"
#undef X

static const struct ens_exporter *const all[] = {
#define X(name) &ens_exporter_##name,
#include "export/x.def"
#undef X
};

const struct ens_exporter *ens_exporter_at(size_t i)
{
    return i < ENS_COUNT(all) ? all[i] : NULL;
}

const struct ens_exporter *ens_exporter_find(const char *name)
{
    for (size_t i = 0; i < ENS_COUNT(all); i++)
        if (strcmp(all[i]->name, name) == 0)
            return all[i];
    return NULL;
}
