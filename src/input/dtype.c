#include "input/dtype.h"

#include "base/bug.h"

#include <string.h>

static const struct {
    const char *code;
    size_t bytes;
} table[] = {
#define ENS_DTYPE_ROW(name, code, bytes) {code, bytes},
    ENS_DTYPE_LIST(ENS_DTYPE_ROW)
#undef ENS_DTYPE_ROW
};

static const struct {
    const char *word;
    enum ens_dtype type;
} words[] = {
    {"float64", ENS_DT_F64},   {"float32", ENS_DT_F32},
    {"float16", ENS_DT_F16},   {"int64", ENS_DT_I64},
    {"int32", ENS_DT_I32},     {"int16", ENS_DT_I16},
    {"int8", ENS_DT_I8},       {"uint64", ENS_DT_U64},
    {"uint32", ENS_DT_U32},    {"uint16", ENS_DT_U16},
    {"uint8", ENS_DT_U8},      {"bool", ENS_DT_BOOL},
    {"complex64", ENS_DT_C64}, {"complex128", ENS_DT_C128},
};

size_t ens_dtype_bytes(enum ens_dtype t)
{
    ENS_BUG_ON((size_t)t >= ENS_COUNT(table));
    return table[t].bytes;
}

const char *ens_dtype_code(enum ens_dtype t)
{
    ENS_BUG_ON((size_t)t >= ENS_COUNT(table));
    return table[t].code;
}

static int same(const char *s, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(s, word, n) == 0;
}

static int find_type(const char *s, size_t n, enum ens_dtype *t)
{
    for (size_t i = 0; i < ENS_COUNT(table); i++)
        if (same(s, n, table[i].code)) {
            *t = (enum ens_dtype)i;
            return 0;
        }
    for (size_t i = 0; i < ENS_COUNT(words); i++)
        if (same(s, n, words[i].word)) {
            *t = words[i].type;
            return 0;
        }
    return -1;
}

int ens_dtype_parse(const char *s, size_t n, enum ens_dtype *t, int *swapped)
{
    const char *orders = "<>=|";
    char own = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? '<' : '>';
    char order = own;
    enum ens_dtype found;

    if (n > 0 && s[0] != '\0' && strchr(orders, s[0]) != NULL) {
        order = s[0] == '<' || s[0] == '>' ? s[0] : own;
        s++;
        n--;
    }
    if (find_type(s, n, &found) != 0)
        return -1;
    *t = found;
    *swapped = order != own && table[found].bytes > 1;
    return 0;
}

int ens_dtype_array_bytes(enum ens_dtype t, uint32_t ndim,
                          const uint64_t *shape, uint64_t *bytes)
{
    uint64_t all = table[t].bytes;
    int empty = 0;

    for (uint32_t i = 0; i < ndim; i++) {
        /* an empty dimension must not hide that strides overflow */
        uint64_t n = shape[i] == 0 ? 1 : shape[i];

        empty |= shape[i] == 0;
        if (__builtin_mul_overflow(all, n, &all) || all > INT64_MAX)
            return -1;
    }
    *bytes = empty ? 0 : all;
    return 0;
}

void ens_dtype_strides(struct ens_view *v, int fortran)
{
    uint64_t step = table[v->dtype].bytes;

    for (uint32_t k = 0; k < v->ndim; k++) {
        uint32_t i = fortran ? k : v->ndim - 1 - k;

        v->strides[i] = (int64_t)step;
        step *= v->shape[i] == 0 ? 1 : v->shape[i];
    }
}
