/* CSV: any bytes are either refused with a text, or become a columnar file
 * that reads back with the same columns. The first byte picks the options. */
#include "input/csv.h"

#include "base/bug.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int memory_file(const void *p, size_t n)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);

    ENS_BUG_ON(fd < 0);
    ENS_BUG_ON(write(fd, p, n) != (ssize_t)n);
    return fd;
}

static void check_form(const struct ens_csv *csv, int fd)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_table_head h;
    struct stat st;
    void *p;

    ENS_BUG_ON(fstat(fd, &st) != 0);
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    ENS_BUG_ON(p == MAP_FAILED);
    ENS_BUG_ON(ens_columnar_parse(&h, p, (uint64_t)st.st_size, &arena, NULL));
    ENS_BUG_ON(h.n_rows != csv->head.n_rows);
    ENS_BUG_ON(h.n_columns != csv->head.n_columns);
    for (uint64_t i = 0; i < h.n_columns; i++) {
        ENS_BUG_ON(strcmp(h.column[i].name, csv->head.column[i].name) != 0);
        ENS_BUG_ON(h.column[i].dtype != csv->head.column[i].dtype);
    }
    munmap(p, (size_t)st.st_size);
    ens_arena_fini(&arena);
}

/* -- the same fields in one block and byte by byte ------------------------- */

struct sum {
    uint64_t n, hash;
};

static enum ens_status add_field(void *arg, const char *s, size_t n,
                                 struct ens_error *err)
{
    struct sum *sum = arg;

    (void)err;
    for (size_t i = 0; i < n; i++)
        sum->hash = sum->hash * 31 + (unsigned char)s[i];
    sum->hash = sum->hash * 31 + 256;
    sum->n++;
    return ENS_OK;
}

static enum ens_status add_record(void *arg, struct ens_error *err)
{
    struct sum *sum = arg;

    (void)err;
    sum->hash = sum->hash * 31 + 257;
    return ENS_OK;
}

static enum ens_status scan(struct sum *sum, char delimiter,
                            const uint8_t *data, size_t size, size_t block)
{
    static struct ens_csv_scan c;
    enum ens_status s = ENS_OK;

    *sum = (struct sum){0, 0};
    ens_csv_scan_init(&c, delimiter, add_field, add_record, sum);
    for (size_t i = 0; i < size && s == ENS_OK; i += block)
        s = ens_csv_scan_feed(&c, (const char *)data + i,
                              size - i < block ? size - i : block, NULL);
    return s == ENS_OK ? ens_csv_scan_finish(&c, NULL) : s;
}

static void check_blocks(char delimiter, const uint8_t *data, size_t size)
{
    struct sum whole, part;
    enum ens_status s = scan(&whole, delimiter, data, size, size + 1);

    ENS_BUG_ON(scan(&part, delimiter, data, size, 1) != s);
    ENS_BUG_ON(s == ENS_OK && (whole.n != part.n || whole.hash != part.hash));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char delimiters[] = {0, ',', ';', '\t', '|', ' ', 0, 0};
    struct ens_csv_options o = {.header = -1};
    struct ens_error err = {.status = 0};
    struct ens_csv csv;
    int fd;
    int out;

    if (size == 0)
        return 0;
    o.delimiter = delimiters[data[0] & 7];
    o.header = (data[0] >> 3 & 3) - 1 > 1 ? 1 : (data[0] >> 3 & 3) - 1;
    check_blocks(o.delimiter != 0 ? o.delimiter : ',', data + 1, size - 1);
    fd = memory_file(data + 1, size - 1);
    if (ens_csv_learn(&csv, fd, size - 1, &o, NULL, NULL, &err) != ENS_OK) {
        ENS_BUG_ON(err.status != ENS_EINPUT || err.text[0] == '\0');
        close(fd);
        return 0;
    }
    out = memory_file("", 0);
    ENS_BUG_ON(ens_csv_write(&csv, fd, size - 1, out, NULL, NULL, &err));
    check_form(&csv, out);
    ens_csv_fini(&csv);
    close(out);
    close(fd);
    return 0;
}
