#include "input/mapped.h"

#include "base/bug.h"
#include "input/refuse.h"
#include "input/select.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct ens_format *const formats[] = {
#define ENS_FORMAT(name) &ens_format_##name,
#include "input/formats.def"
#undef ENS_FORMAT
};

/* What a map of no bytes points to: views of no rows need an address. */
static const uint64_t nothing[8];

enum ens_status ens_mapped_map(struct ens_mapped *m, uint64_t bytes,
                               struct ens_error *err)
{
    void *p;

    ENS_BUG_ON(m->base != NULL);
    if (bytes == 0) {
        m->base = (void *)(uintptr_t)nothing;
        return ENS_OK;
    }
    p = mmap(NULL, (size_t)bytes, PROT_READ, MAP_SHARED, m->fd, 0);
    if (p == MAP_FAILED)
        return ens_fail_errno(err, ENS_EIO, "cannot map %" PRIu64 " bytes",
                              bytes);
    (void)madvise(p, (size_t)bytes, MADV_DONTDUMP);
    m->base = p;
    m->map_bytes = (size_t)bytes;
    return ENS_OK;
}

static char *absolute(struct ens_arena *a, const char *path)
{
    char here[PATH_MAX];

    if (path[0] == '/' || getcwd(here, sizeof(here)) == NULL)
        return ens_arena_strdup(a, path);
    return ens_arena_printf(a, "%s/%s", here, path);
}

/* Not blocking: a FIFO would keep us waiting for a writer. */
static enum ens_status open_file(struct ens_mapped *m, struct ens_error *err)
{
    struct stat st;

    if (m->fd < 0)
        m->fd = open(m->source, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (m->fd < 0 || fstat(m->fd, &st) != 0)
        return ens_fail_errno(err, ENS_EINPUT, "cannot open");
    if (!S_ISREG(st.st_mode))
        return ens_fail(err, ENS_EINPUT, "is %s; expected a regular file",
                        S_ISDIR(st.st_mode)    ? "a folder"
                        : S_ISFIFO(st.st_mode) ? "a pipe"
                                               : "a device");
    if (ens_file_id_of(m->fd, &m->id) != 0)
        return ens_fail_errno(err, ENS_EINPUT, "cannot open");
    return ENS_OK;
}

static enum ens_status open_by_format(struct ens_mapped *m,
                                      struct ens_opening *o,
                                      struct ens_error *err)
{
    for (size_t i = 0; i < ENS_COUNT(formats); i++) {
        if (!formats[i]->probe(o))
            continue;
        /* the unpacked form of one that a zygote is given is an .npy */
        if (o->spec->options.dataset == NULL ||
            ens_format_has_extension(o->spec->path, "npz"))
            return formats[i]->open(m, o, err);
        o->key = "dataset";
        return ens_fail(err, ENS_EINPUT,
                        "names an array of an .npz file; this is %s",
                        formats[i]->name);
    }
    return ens_refuse(o, err);
}

static enum ens_status recognise(struct ens_mapped *m, struct ens_opening *o,
                                 struct ens_error *err)
{
    unsigned char *head = malloc(ENS_HEAD_BYTES);
    enum ens_status s;
    int64_t n;

    if (head == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    n = ens_read_at(m->fd, head, ENS_HEAD_BYTES, 0);
    if (n < 0) {
        s = ens_fail_errno(err, ENS_EINPUT, "byte 0: cannot read");
    } else if ((uint64_t)n < m->id.size && (size_t)n < ENS_HEAD_BYTES) {
        s = ens_fail(err, ENS_EINPUT, "the file shrank while it was opened");
    } else {
        o->head = head;
        o->n_head = (uint64_t)n < m->id.size ? (size_t)n : (size_t)m->id.size;
        o->size = m->id.size;
        s = open_by_format(m, o, err);
    }
    free(head);
    return s;
}

/* Path of what fd is now; for a CSV this is the columnar file. */
static char *path_of(struct ens_mapped *m)
{
    char link[64];
    char path[PATH_MAX];
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", m->fd);
    n = readlink(link, path, sizeof(path));
    if (n <= 0 || (size_t)n == sizeof(path))
        return m->source;
    return ens_arena_strndup(&m->arena, path, (size_t)n);
}

static enum ens_status open_all(struct ens_mapped *m, struct ens_opening *o,
                                struct ens_error *err)
{
    const struct ens_input_spec *spec = o->spec;
    enum ens_status s;

    m->is_memory =
        strncmp(spec->path, ENS_MEMORY_PATH, strlen(ENS_MEMORY_PATH)) == 0;
    m->source = m->is_memory ? ens_arena_strdup(&m->arena, spec->path)
                             : absolute(&m->arena, spec->path);
    m->input.name = ens_arena_strdup(&m->arena, spec->name);
    if (m->source == NULL || m->input.name == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    m->input.path = m->source;
    if (m->is_memory) /* for programs that tasks run, while we live */
        m->input.path =
            ens_arena_printf(&m->arena, "/proc/%d/fd/%d", (int)getpid(), m->fd);
    if (m->input.path == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s = open_file(m, err);
    if (s == ENS_OK)
        s = recognise(m, o, err);
    if (s == ENS_OK)
        s = ens_select(m, &spec->options, &o->key, err);
    if (s != ENS_OK)
        return s;
    m->mapped = path_of(m);
    return m->mapped != NULL ? ENS_OK
                             : ens_fail(err, ENS_ENOMEMORY, "out of memory");
}

enum ens_status ens_mapped_open(struct ens_mapped *m,
                                const struct ens_input_spec *spec, int fd,
                                ens_input_progress_fn *progress, void *arg,
                                const char **key, struct ens_error *err)
{
    struct ens_opening o = {
        .spec = spec, .progress = progress, .progress_arg = arg};
    enum ens_status s;

    memset(m, 0, sizeof(*m));
    m->fd = fd;
    s = open_all(m, &o, err);
    *key = o.key;
    if (s == ENS_OK)
        return ENS_OK;
    if (m->arena.first == NULL && fd >= 0)
        close(fd);
    ens_mapped_close(m);
    return ens_wrap(err, s, "%s", spec->path);
}

void ens_mapped_close(struct ens_mapped *m)
{
    if (m->map_bytes > 0)
        munmap(m->base, m->map_bytes);
    if (m->arena.first != NULL && m->fd >= 0)
        close(m->fd);
    ens_arena_fini(&m->arena);
    memset(m, 0, sizeof(*m));
    m->fd = -1;
}

#define SAMPLE_BYTES 65536u

uint64_t ens_mapped_sample(const struct ens_mapped *m)
{
    struct stat st;
    unsigned char *p = malloc(2 * SAMPLE_BYTES);
    uint64_t h = 0;
    int64_t a, b;

    if (m->has_digest) { /* of a table that each host may convert itself */
        free(p);
        return m->digest.low;
    }
    if (p != NULL && fstat(m->fd, &st) == 0) {
        uint64_t size = (uint64_t)st.st_size;

        a = ens_read_at(m->fd, p, SAMPLE_BYTES, 0);
        b = ens_read_at(m->fd, p + (a > 0 ? a : 0), SAMPLE_BYTES,
                        size > SAMPLE_BYTES ? size - SAMPLE_BYTES : 0);
        if (a >= 0 && b >= 0)
            h = ens_hash64_seed(p, (size_t)(a + b), size);
    }
    free(p);
    return h;
}
