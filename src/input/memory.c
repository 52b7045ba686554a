#include "input/memory.h"

#include "base/file.h"
#include "base/number.h"
#include "input/mapped.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

#define STEP_BYTES ((size_t)64 << 20)
#define READ_BYTES ((size_t)4 << 20)

uint64_t ens_memory_parse(const char *text, size_t n)
{
    static const char key[] = "MemAvailable:";
    const char *p = n == 0 ? NULL : memmem(text, n, key, sizeof(key) - 1);
    const char *end = text + n;
    const char *start;
    uint64_t kib;

    if (p == NULL)
        return 0;
    p += sizeof(key) - 1;
    while (p < end && *p == ' ')
        p++;
    start = p;
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    if (ens_number_parse_u64(start, (size_t)(p - start), &kib) != 0 ||
        kib > UINT64_MAX / 1024)
        return 0;
    return kib * 1024;
}

uint64_t ens_memory_available(void)
{
    struct ens_buf b = ENS_BUF_INIT;
    uint64_t bytes = 0;

    if (ens_file_read(&b, "/proc/meminfo", 1 << 20, NULL) == ENS_OK)
        bytes = ens_memory_parse((const char *)b.data, b.len);
    ens_buf_fini(&b);
    return bytes;
}

/* What older kernels need: reading brings the same pages into the page cache,
 * and unlike touching them it cannot raise SIGBUS. */
static void read_through(const struct ens_mapped *m, const atomic_int *stop)
{
    char *block = malloc(READ_BYTES);

    for (uint64_t at = 0;
         block != NULL && at < m->map_bytes && !atomic_load(stop);
         at += READ_BYTES)
        if (ens_read_at(m->fd, block, READ_BYTES, at) <= 0)
            break;
    free(block);
}

static void populate(const struct ens_mapped *m, const atomic_int *stop)
{
    char *p = m->base;

    /* larger folios in the page cache, where the kernel has them for files */
    (void)madvise(p, m->map_bytes, MADV_HUGEPAGE);
    for (size_t at = 0; at < m->map_bytes && !atomic_load(stop);
         at += STEP_BYTES) {
        size_t n = m->map_bytes - at;

        n = n < STEP_BYTES ? n : STEP_BYTES;
        if (madvise(p + at, n, MADV_POPULATE_READ) == 0)
            continue;
        if (errno == EINVAL)
            read_through(m, stop);
        return;
    }
}

void ens_inputs_populate(const struct ens_inputs *in, const atomic_int *stop)
{
    static const atomic_int never = 0;
    uint64_t all = 0;

    for (size_t i = 0; i < in->n; i++)
        all += in->item[i].map_bytes;
    if (all > ens_memory_available() / 2)
        return;
    for (size_t i = 0; i < in->n; i++)
        if (in->item[i].map_bytes > 0)
            populate(&in->item[i], stop != NULL ? stop : &never);
}
