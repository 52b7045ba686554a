#include "store/array_head.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_ALIGN 64

int ens_array_count(const uint64_t *shape, uint32_t ndim, uint64_t *n)
{
    *n = 1;
    for (uint32_t i = 0; i < ndim; i++)
        if (__builtin_mul_overflow(*n, shape[i], n))
            return -1;
    return *n <= (uint64_t)INT64_MAX / 16 ? 0 : -1;
}

size_t ens_array_head_write(char to[ENS_ARRAY_HEAD_MAX], enum ens_dtype dtype,
                            uint32_t ndim, const uint64_t *shape)
{
    size_t n = 10, total;

    n += (size_t)snprintf(to + n, ENS_ARRAY_HEAD_MAX - n,
                          "{'descr': '<%s', 'fortran_order': False, "
                          "'shape': (",
                          dtype == ENS_DT_F64 ? "f8" : "i8");
    for (uint32_t i = 0; i < ndim; i++)
        n += (size_t)snprintf(to + n, ENS_ARRAY_HEAD_MAX - n, "%s%" PRIu64,
                              i > 0 ? ", " : "", shape[i]);
    n += (size_t)snprintf(to + n, ENS_ARRAY_HEAD_MAX - n, "%s), }",
                          ndim == 1 ? "," : "");
    total = (n + 1 + HEAD_ALIGN - 1) / HEAD_ALIGN * HEAD_ALIGN;
    memset(to + n, ' ', total - n);
    to[total - 1] = '\n';
    memcpy(to, "\x93NUMPY\x01\x00", 8);
    to[8] = (char)((total - 10) & 0xff);
    to[9] = (char)((total - 10) >> 8);
    return total;
}

static const char *skip(const char *p, const char *end, const char *text)
{
    size_t n = strlen(text);

    return p != NULL && (size_t)(end - p) >= n && memcmp(p, text, n) == 0
               ? p + n
               : NULL;
}

static const char *read_shape(const char *p, const char *end,
                              struct ens_array_head *h)
{
    while (p != NULL && p < end && *p != ')') {
        uint64_t v = 0;

        if (h->ndim == ENS_MAX_NDIM || *p < '0' || *p > '9')
            return NULL;
        for (; p < end && *p >= '0' && *p <= '9'; p++)
            if (__builtin_mul_overflow(v, (uint64_t)10, &v) ||
                __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
                return NULL;
        h->shape[h->ndim++] = v;
        p = p < end && *p == ')' ? p : skip(p, end, ",");
        if (p != NULL && p < end && *p == ' ')
            p++;
    }
    return p;
}

/* Only what ens_array_head_write makes: nobody else writes into arrays/. */
static int parse_head(const char *p, size_t n, struct ens_array_head *h)
{
    const char *end, *at;

    memset(h, 0, sizeof(*h));
    if (n < 10 || memcmp(p, "\x93NUMPY\x01\x00", 8) != 0)
        return -1;
    h->data_offset = 10u + (unsigned char)p[8] + 256u * (unsigned char)p[9];
    if (h->data_offset > n || h->data_offset % HEAD_ALIGN != 0)
        return -1;
    end = p + h->data_offset;
    at = skip(p + 10, end, "{'descr': '<f8'");
    h->dtype = at != NULL ? ENS_DT_F64 : ENS_DT_I64;
    if (at == NULL)
        at = skip(p + 10, end, "{'descr': '<i8'");
    at = skip(at, end, ", 'fortran_order': False, 'shape': (");
    at = read_shape(at, end, h);
    if (skip(at, end, "), }") == NULL)
        return -1;
    return ens_array_count(h->shape, h->ndim, &h->n);
}

enum ens_status ens_array_head_read(int fd, const char *path,
                                    struct ens_array_head *h,
                                    struct ens_error *err)
{
    char bytes[ENS_ARRAY_HEAD_MAX];
    ssize_t n = pread(fd, bytes, sizeof(bytes), 0);
    struct stat st;

    if (n < 0 || fstat(fd, &st) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot read %s", path);
    if (parse_head(bytes, (size_t)n, h) != 0)
        return ens_fail(err, ENS_ECORRUPT,
                        "%s: not the header of an output array", path);
    if ((uint64_t)st.st_size != h->data_offset + 8 * h->n)
        return ens_fail(err, ENS_ECORRUPT,
                        "%s: %" PRIu64 " bytes, the header says %" PRIu64, path,
                        (uint64_t)st.st_size, h->data_offset + 8 * h->n);
    return ENS_OK;
}
