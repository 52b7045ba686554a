#include "kind/parts.h"

#include <stdlib.h>

enum ens_status ens_parts_get(struct ens_parts *parts,
                              const struct ens_part *part,
                              ens_part_open_fn *open,
                              const struct ens_host *host, void **state,
                              struct ens_error *err)
{
    struct ens_part *item;
    enum ens_status s;

    *state = NULL;
    if (open == NULL)
        return ENS_OK;
    for (size_t i = 0; i < parts->n; i++)
        if (parts->item[i].open == open) {
            *state = parts->item[i].state;
            return ENS_OK;
        }
    item = realloc(parts->item, (parts->n + 1) * sizeof(*item));
    if (item == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    parts->item = item;
    item += parts->n;
    *item = *part;
    item->open = open;
    s = open(host, &item->state, err);
    if (s != ENS_OK)
        return s;
    parts->n++;
    *state = item->state;
    return ENS_OK;
}

void ens_parts_close(struct ens_parts *parts)
{
    while (parts->n > 0) {
        const struct ens_part *last = &parts->item[--parts->n];

        if (last->close != NULL)
            last->close(last->state);
    }
    free(parts->item);
    parts->item = NULL;
}
