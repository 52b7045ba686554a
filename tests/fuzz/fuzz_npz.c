/* .npz: any bytes are refused with a text, or hold a member that lies within
 * them. */
#include "input/npz.h"

#include "base/bug.h"
#include "input/npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {NULL, "x", "k.npy"};

    for (size_t i = 0; i < ENS_COUNT(names); i++) {
        struct ens_error err = {0};
        struct ens_npz_member m;
        struct ens_npy npy;

        if (ens_npz_find(&m, data, size, names[i], &err) != ENS_OK) {
            ENS_BUG_ON(err.status != ENS_EINPUT || err.text[0] == '\0');
            continue;
        }
        ENS_BUG_ON(m.offset > size || m.bytes > size - m.offset);
        if (ens_npy_parse(&npy, data + m.offset, (size_t)m.bytes, m.bytes,
                          &err) == ENS_OK)
            ENS_BUG_ON(npy.data_offset + npy.data_bytes != m.bytes);
    }
    return 0;
}
