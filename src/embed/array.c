#include "embed/array.h"

#include "base/buf.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define HEAD 4096 /* the elements begin at a page */
#define TEXT 10   /* magic 6, version 2, u16 length of the text */

struct ens_array {
    int fd;
    int is_sealed;
    unsigned char *base;
    size_t bytes; /* with the head */
};

static void put_head(unsigned char *to, enum ens_dtype dtype, uint32_t ndim,
                     const uint64_t *shape)
{
    char *text = (char *)to + TEXT;
    size_t cap = HEAD - TEXT;
    int n;

    memcpy(to, "\x93NUMPY\x01\x00", 8);
    to[8] = (HEAD - TEXT) & 255;
    to[9] = (HEAD - TEXT) >> 8;
    memset(text, ' ', cap);
    n = snprintf(
        text, cap, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
        ens_dtype_bytes(dtype) == 1 ? '|' : '<', ens_dtype_code(dtype));
    for (uint32_t i = 0; i < ndim; i++)
        n += snprintf(text + n, cap - (size_t)n, "%" PRIu64 "%s", shape[i],
                      i + 1 < ndim ? ", "
                      : ndim == 1  ? ","
                                   : "");
    n += snprintf(text + n, cap - (size_t)n, "), }");
    text[n] = ' '; /* was the end of the string */
    to[HEAD - 1] = '\n';
}

static enum ens_status count_bytes(enum ens_dtype dtype, uint32_t ndim,
                                   const uint64_t *shape, size_t *bytes,
                                   struct ens_error *err)
{
    size_t n = ens_dtype_bytes(dtype);

    if (ndim == 0 || ndim > ENS_MAX_NDIM)
        return ens_fail(err, ENS_EUSAGE,
                        "an array of %u dimensions; allowed: "
                        "1 to %d",
                        (unsigned)ndim, ENS_MAX_NDIM);
    for (uint32_t i = 0; i < ndim; i++)
        if (__builtin_mul_overflow(n, shape[i], &n) || n > SIZE_MAX / 4)
            return ens_fail(err, ENS_ENOMEMORY, "an array that large");
    *bytes = n + HEAD;
    return ENS_OK;
}

static enum ens_status map(struct ens_array *a, struct ens_error *err)
{
    void *p;

    a->fd = memfd_create("ensrun-array", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (a->fd < 0 || ftruncate(a->fd, (off_t)a->bytes) != 0)
        return ens_fail_errno(err, ENS_ENOMEMORY, "array of %zu bytes",
                              a->bytes);
    p = mmap(NULL, a->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, a->fd, 0);
    if (p == MAP_FAILED)
        return ens_fail_errno(err, ENS_ENOMEMORY, "array of %zu bytes",
                              a->bytes);
    a->base = p;
    return ENS_OK;
}

enum ens_status ens_array_new(struct ens_array **array, enum ens_dtype dtype,
                              uint32_t ndim, const uint64_t *shape,
                              struct ens_error *err)
{
    struct ens_array *a;
    size_t bytes = 0;
    enum ens_status s = count_bytes(dtype, ndim, shape, &bytes, err);

    if (s != ENS_OK)
        return s;
    a = calloc(1, sizeof(*a));
    if (a == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    a->bytes = bytes;
    s = map(a, err);
    if (s != ENS_OK) {
        ens_array_free(a);
        return s;
    }
    put_head(a->base, dtype, ndim, shape);
    *array = a;
    return ENS_OK;
}

enum ens_status ens_array_copy(struct ens_array **array, enum ens_dtype dtype,
                               uint32_t ndim, const uint64_t *shape,
                               const void *data, struct ens_error *err)
{
    enum ens_status s = ens_array_new(array, dtype, ndim, shape, err);

    if (s == ENS_OK)
        memcpy((*array)->base + HEAD, data, (*array)->bytes - HEAD);
    return s;
}

void *ens_array_data(const struct ens_array *array)
{
    return array->base + HEAD;
}

void ens_array_free(struct ens_array *array)
{
    if (array == NULL)
        return;
    if (array->base != NULL)
        munmap(array->base, array->bytes);
    if (array->fd >= 0)
        close(array->fd);
    free(array);
}

/* The seal needs that no map could be made writable, so the present one is
 * replaced, at its place, by one of a descriptor that can only read. */
enum ens_status ens_array_seal(struct ens_array *array, int *fd,
                               struct ens_error *err)
{
    char path[32];
    int readable;

    *fd = array->fd;
    if (array->is_sealed)
        return ENS_OK;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", array->fd);
    readable = open(path, O_RDONLY | O_CLOEXEC);
    if (readable < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot open an array again");
    if (mmap(array->base, array->bytes, PROT_READ, MAP_SHARED | MAP_FIXED,
             readable, 0) == MAP_FAILED ||
        fcntl(array->fd, F_ADD_SEALS,
              F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
        close(readable);
        return ens_fail_errno(err, ENS_EIO, "cannot make an array read-only");
    }
    close(array->fd);
    *fd = array->fd = readable;
    array->is_sealed = 1;
    return ENS_OK;
}
