/* .npz: any bytes are refused with a text, or hold a member that lies within
 * them; a packed one is refused or unpacks to the bytes it says. */
#include "input/npz.h"

#include "base/bug.h"
#include "input/npy.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void unpack(const struct ens_npz_member *m, const uint8_t *data)
{
    struct ens_error err = {0};
    struct stat st;
    int fd;

    if (m->bytes > 1 << 24) /* a bomb ends at the bytes it says */
        return;
    fd = memfd_create("fuzz", MFD_CLOEXEC);
    ENS_BUG_ON(fd < 0);
    if (ens_npz_unpack(m, data, fd, &err) == ENS_OK)
        ENS_BUG_ON(fstat(fd, &st) != 0 || (uint64_t)st.st_size != m->bytes);
    else
        ENS_BUG_ON(err.status != ENS_EINPUT || err.text[0] == '\0');
    close(fd);
}

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
        ENS_BUG_ON(m.offset > size || m.packed > size - m.offset);
        if (m.is_packed) {
            unpack(&m, data);
            continue;
        }
        if (ens_npy_parse(&npy, data + m.offset, (size_t)m.bytes, m.bytes,
                          &err) == ENS_OK)
            ENS_BUG_ON(npy.data_offset + npy.data_bytes != m.bytes);
    }
    return 0;
}
