/* MatrixMarket: any bytes are refused with a text, or fill their matrix. */
#include "input/mtx.h"

#include "base/bug.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ens_error err = {0};
    struct ens_mtx m;
    double *out;

    if (ens_mtx_head(&m, (const char *)data, size, &err) != ENS_OK) {
        ENS_BUG_ON(err.status != ENS_EINPUT || err.text[0] == '\0');
        return 0;
    }
    ENS_BUG_ON(m.at > size);
    if (m.rows > 1000 || m.columns > 1000)
        return 0;
    out = calloc((size_t)(m.rows * m.columns) + 1, sizeof(*out));
    ENS_BUG_ON(out == NULL);
    if (ens_mtx_fill(&m, (const char *)data, size, out, &err) != ENS_OK)
        ENS_BUG_ON(err.status != ENS_EINPUT || err.text[0] == '\0');
    free(out);
    return 0;
}
