#include "record/parcel.h"

#include "record/little.h"

#include <string.h>

#define HEAD 32u

size_t ens_parcel_bytes(const struct ens_parcel *part)
{
    return HEAD + part->name_bytes + (part->data != NULL ? (size_t)part->n : 0);
}

void ens_parcel_write(unsigned char *to, const struct ens_parcel *part)
{
    ens_put64(to, part->cell);
    ens_put64(to + 8, part->offset);
    ens_put64(to + 16, part->n);
    ens_put32(to + 24, part->data == NULL);
    ens_put32(to + 28, (uint32_t)part->name_bytes);
    if (part->name_bytes > 0)
        memcpy(to + HEAD, part->name, part->name_bytes);
    if (part->data != NULL)
        memcpy(to + HEAD + part->name_bytes, part->data, (size_t)part->n);
}

enum ens_status ens_parcel_read(struct ens_parcel *part, const void *p,
                                size_t n, struct ens_error *err)
{
    struct ens_cursor c = ens_cursor(p, n);
    uint64_t last;
    uint32_t fill;

    part->cell = ens_cursor_u64(&c);
    part->offset = ens_cursor_u64(&c);
    part->n = ens_cursor_u64(&c);
    fill = ens_cursor_u32(&c);
    part->name = ens_cursor_str(&c, &part->name_bytes);
    part->data = NULL;
    if (!c.bad && fill == 0)
        part->data = ens_cursor_bytes(&c, (size_t)part->n);
    if (c.bad || c.p != c.end || fill > 1 || part->n == 0 ||
        __builtin_add_overflow(part->offset, part->n, &last) ||
        last > INT64_MAX)
        return ens_fail(err, ENS_EPROTOCOL, "bad part of a result");
    return ENS_OK;
}
