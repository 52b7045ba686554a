#include "transport/transport.h"

#include <string.h>

const struct ens_transport_ops *const ens_transports[] = {
#define X(name) &ens_transport_##name,
#include "transport/x.def"
#undef X
    NULL,
};

const struct ens_transport_ops *ens_transport_find(const char *name)
{
    for (size_t i = 0; ens_transports[i] != NULL; i++)
        if (strcmp(ens_transports[i]->name, name) == 0)
            return ens_transports[i];
    return NULL;
}
