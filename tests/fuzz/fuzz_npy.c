/* npy headers: any bytes are either refused with a text, or describe an array
 * that lies within the file. */
#include "input/npy.h"

#include "base/bug.h"
#include "input/dtype.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ens_npy npy;
    struct ens_error err = {.status = 0};
    uint64_t bytes;

    if (size > ENS_NPY_MAX_HEADER)
        return 0;
    if (ens_npy_parse(&npy, data, size, size, &err) != ENS_OK) {
        ENS_BUG_ON(err.status != ENS_EINPUT || err.text[0] == '\0');
        return 0;
    }
    ENS_BUG_ON(npy.ndim > ENS_MAX_NDIM);
    ENS_BUG_ON(ens_dtype_array_bytes(npy.dtype, npy.ndim, npy.shape, &bytes));
    ENS_BUG_ON(bytes != npy.data_bytes || npy.data_offset + bytes != size);
    return 0;
}
