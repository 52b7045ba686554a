#include "cli/csv_file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void row_fini(struct ens_csv_row *r)
{
    free(r->field);
    ens_buf_fini(&r->text);
}

static enum ens_status bad_row(const struct ens_csv_file *f,
                               const struct ens_csv_row *r, const char *what,
                               struct ens_error *err)
{
    uint64_t line = 1;

    for (uint64_t i = 0; i < r->at; i++)
        line += f->data[i] == '\n';
    return ens_fail(err, ENS_EINPUT, "%s:%llu: %s", f->path,
                    (unsigned long long)line, what);
}

static int add_field(struct ens_csv_row *r, struct ens_csv_field x)
{
    if (r->n == r->cap) {
        size_t cap = r->cap == 0 ? 16 : 2 * r->cap;
        struct ens_csv_field *p = realloc(r->field, cap * sizeof(*p));

        if (p == NULL)
            return -1;
        r->field = p;
        r->cap = cap;
    }
    r->field[r->n++] = x;
    return 0;
}

/* A quoted field from its opening quote on; NULL: it is never closed. */
static const char *take_quoted(struct ens_csv_row *r, const char *p,
                               const char *end, struct ens_csv_field *to)
{
    size_t begin = r->text.len;

    for (p++;; p++) {
        const char *quote = memchr(p, '"', (size_t)(end - p));

        if (quote == NULL)
            return NULL;
        ens_buf_put(&r->text, p, (size_t)(quote - p));
        p = quote + 1;
        if (p == end || *p != '"')
            break;
        ens_buf_put(&r->text, "\"", 1);
    }
    /* the text may move: an offset until the row is whole */
    *to = (struct ens_csv_field){(const char *)(uintptr_t)begin,
                                 r->text.len - begin, 1};
    return p;
}

static const char *take_plain(const char *p, const char *end,
                              struct ens_csv_field *to)
{
    const char *begin = p;

    while (p < end && *p != ',' && *p != '\n' && *p != '\r')
        p++;
    *to = (struct ens_csv_field){begin, (size_t)(p - begin), 0};
    return p;
}

/* The row at r->next; r->n 0 at the end of the file. */
enum ens_status ens_csv_file_read(const struct ens_csv_file *f,
                                  struct ens_csv_row *r, struct ens_error *err)
{
    const char *end = f->data + f->size;
    const char *p = f->data + r->next;
    const char *text;

    while (p < end && (*p == '\n' || *p == '\r'))
        r->next = (uint64_t)(++p - f->data); /* empty lines */
    r->at = r->next;
    r->n = 0;
    ens_buf_clear(&r->text);
    while (p < end) {
        struct ens_csv_field x;

        p = *p == '"' ? take_quoted(r, p, end, &x) : take_plain(p, end, &x);
        if (p == NULL)
            return bad_row(f, r, "a quote is not closed", err);
        if (add_field(r, x) != 0 || r->text.failed)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
        if (p < end && *p != ',' && *p != '\n' && *p != '\r')
            return bad_row(f, r, "text behind a closing quote", err);
        if (p == end || *p != ',')
            break;
        if (++p == end && add_field(r, (struct ens_csv_field){p, 0, 0}) != 0)
            return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    }
    p += p < end && *p == '\r';
    p += p < end && *p == '\n';
    text = ens_buf_text(&r->text);
    r->next = (uint64_t)(p - f->data);
    for (size_t i = 0; i < r->n; i++)
        if (r->field[i].quoted)
            r->field[i].p = text + (uintptr_t)r->field[i].p;
    if (r != &f->head && r->n > 0 && r->n != f->head.n)
        return bad_row(f, r, "not as many fields as the header", err);
    return ENS_OK;
}

enum ens_status ens_csv_file_open(struct ens_csv_file *f, const char *path,
                                  struct ens_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *p = NULL;
    enum ens_status s;

    f->path = path;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        s = fd < 0 ? ens_fail_errno(err, ENS_EINPUT, "cannot open %s", path)
                   : ens_fail(err, ENS_EINPUT, "%s: not a file", path);
        if (fd >= 0)
            close(fd);
        return s;
    }
    f->size = (size_t)st.st_size;
    if (f->size > 0)
        p = mmap(NULL, f->size, PROT_READ, MAP_PRIVATE, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return ens_fail_errno(err, ENS_EIO, "cannot map %s", path);
    f->data = p;
    s = f->size > 0 ? ens_csv_file_read(f, &f->head, err) : ENS_OK;
    if (s == ENS_OK &&
        (f->head.n == 0 || (f->head.n == 1 && f->head.field[0].n == 0)))
        s = ens_fail(err, ENS_EINPUT, "%s: no header", path);
    f->row.next = f->head.next;
    return s;
}

void ens_csv_file_close(struct ens_csv_file *f)
{
    row_fini(&f->head);
    row_fini(&f->row);
    if (f->data != NULL)
        munmap((void *)(uintptr_t)f->data, f->size);
}

size_t ens_csv_file_column(const struct ens_csv_file *f, const char *name,
                           size_t n)
{
    for (size_t i = 0; i < f->head.n; i++)
        if (f->head.field[i].n == n && memcmp(f->head.field[i].p, name, n) == 0)
            return i;
    return ENS_CSV_NONE;
}
