/* Packed data: whatever the bytes, the same is unpacked (or refused) in one
 * block and in small ones. */
#include "input/inflate.h"

#include "base/bug.h"
#include "base/hash.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MOST ((uint64_t)1 << 24) /* a bomb ends here */

struct sum {
    uint64_t n, hash;
};

static enum ens_status add(void *arg, const char *p, size_t n,
                           struct ens_error *err)
{
    struct sum *s = arg;

    for (size_t i = 0; i < n; i++)
        s->hash = s->hash * 31 + (unsigned char)p[i];
    s->n += n;
    return s->n < MOST ? ENS_OK : ens_fail(err, ENS_ESTOPPED, "a bomb");
}

static enum ens_status unpack(enum ens_packing packing, const uint8_t *data,
                              size_t size, size_t block, struct sum *sum)
{
    struct ens_inflate *i = ens_inflate_new(packing);
    struct ens_error err = {0};
    enum ens_status s = ENS_OK;

    ENS_BUG_ON(i == NULL);
    for (size_t at = 0; s == ENS_OK && at < size; at += block)
        s = ens_inflate_push(i, data + at,
                             size - at < block ? size - at : block, add, sum,
                             &err);
    if (s == ENS_OK)
        s = ens_inflate_finish(i, &err);
    ENS_BUG_ON(s != ENS_OK && err.text[0] == '\0');
    ens_inflate_free(i);
    return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum ens_packing packing = ens_packing_of(data, size);
    struct sum a = {0, 0};
    struct sum b = {0, 0};

    if (packing == ENS_PACKED_NOT)
        packing =
            size > 0 && data[0] == 0 ? ENS_PACKED_GZIP : ENS_PACKED_DEFLATE;
    if (unpack(packing, data, size, size + 1, &a) == ENS_OK) {
        ENS_BUG_ON(unpack(packing, data, size, 3, &b) != ENS_OK);
        ENS_BUG_ON(a.n != b.n || a.hash != b.hash);
    }
    return 0;
}
