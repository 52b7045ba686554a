#include "kinds/command/collect.h"

#include "base/hash.h"
#include "base/utf8.h"
#include "config/study.h"
#include "record/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_DEPTH  64                  /* of folders; each is an open file */
#define PART_BYTES ((size_t)256 << 10) /* handed over at once */
#define SHOWN      200                 /* bytes of a name in a message */

/* -- settings -------------------------------------------------------------- */

static enum ens_status parse_pattern(struct ens_collect_pattern *to,
                                     const char *text, struct ens_error *err)
{
    while (strncmp(text, "./", 2) == 0)
        text += 2;
    if (text[0] == '/')
        return ens_fail(err, ENS_ESTUDY,
                        "%s: not a path from the root: files are looked for "
                        "in the folder that the task runs in",
                        text);
    if (!ens_bundle_name_ok(text, strlen(text)))
        return ens_fail(err, ENS_ESTUDY,
                        "\"%s\": expected a name or a pattern like out.csv, "
                        "*.csv, logs/*.txt, **/*.png, without \"..\"",
                        text);
    to->text = text;
    return ENS_OK;
}

enum ens_status ens_collect_parse(struct ens_collect *c,
                                  const struct ens_cell *cell,
                                  struct ens_arena *arena,
                                  struct ens_error *err)
{
    static const char *const key[] = {"collect", "collect_optional"};
    const struct ens_value *list[2];
    struct ens_collect_pattern *p;
    char place[ENS_CELL_PLACE];
    enum ens_status s = ENS_OK;

    for (size_t k = 0; k < 2; k++)
        list[k] = ens_cell_value(cell, "command", key[k]);
    p = ens_arena_alloc(arena, list[0]->n_list + list[1]->n_list + 1,
                        sizeof(*p));
    if (p == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "patterns of collect");
    c->n = 0;
    c->pattern = p;
    for (size_t k = 0; k < 2; k++)
        for (size_t i = 0; s == ENS_OK && i < list[k]->n_list; i++) {
            s = parse_pattern(&p[c->n], list[k]->list[i].text, err);
            if (s != ENS_OK) {
                ens_cell_place(cell, "command", key[k], place);
                return ens_wrap(err, s, "%s %s", place, key[k]);
            }
            p[c->n++].optional = (int)k;
        }
    c->max_files =
        (uint64_t)ens_cell_value(cell, "command", "collect_files")->i;
    c->max_bytes =
        (uint64_t)ens_cell_value(cell, "command", "collect_bytes")->i;
    return s;
}

/* -- matching -------------------------------------------------------------- */

/* Part by part; fnmatch wants them terminated. */
static int match_part(const char *pattern, size_t n, const char *part, size_t m)
{
    char a[ENS_BUNDLE_PART_MAX + 1], b[ENS_BUNDLE_PART_MAX + 1];

    if (n > ENS_BUNDLE_PART_MAX || m > ENS_BUNDLE_PART_MAX)
        return 0;
    memcpy(a, pattern, n);
    a[n] = '\0';
    memcpy(b, part, m);
    b[m] = '\0';
    return fnmatch(a, b, FNM_PERIOD) == 0;
}

static const char *behind(const char *p, size_t n)
{
    return p[n] == '/' ? p + n + 1 : NULL; /* NULL: that was the last part */
}

int ens_collect_match(const char *pattern, const char *path, int *below)
{
    size_t n, m;
    const char *rest;
    int here;

    if (path == NULL)
        *below |= pattern != NULL;
    if (pattern == NULL || path == NULL)
        return pattern == path;
    n = strcspn(pattern, "/");
    m = strcspn(path, "/");
    rest = behind(pattern, n);
    if (n != 2 || memcmp(pattern, "**", 2) != 0)
        return match_part(pattern, n, path, m) &&
               ens_collect_match(rest, behind(path, m), below);
    if (rest == NULL) /* all that is below, but hidden ones */
        rest = "*";
    here = ens_collect_match(rest, path, below);
    /* a folder that matches may hold what does, too: look on */
    return (path[0] != '.' &&
            ens_collect_match(pattern, behind(path, m), below)) ||
           here;
}

/* -- finding --------------------------------------------------------------- */

struct file {
    const char *name;
    size_t n;
    uint64_t bytes;
};

struct search {
    const struct ens_collect *c;
    struct ens_arena *arena;
    struct ens_error *err;
    unsigned char *found; /* per pattern */
    struct file *file;
    size_t n, cap;
    uint64_t bytes;
    size_t length; /* of path */
    char path[ENS_BUNDLE_NAME_MAX + 1];
};

static enum ens_status refuse(struct search *s, const char *why)
{
    char name[SHOWN];

    return ens_fail(s->err, ENS_EDOMAIN, "collect: %s: %s",
                    ens_utf8_show(name, sizeof(name), s->path, s->length), why);
}

static enum ens_status add_file(struct search *s, uint64_t bytes)
{
    struct file *f = s->file;

    if (s->n == s->c->max_files)
        return ens_fail(s->err, ENS_EDOMAIN,
                        "collect: more than %" PRIu64
                        " files match (collect_files)",
                        s->c->max_files);
    if (bytes > s->c->max_bytes - s->bytes)
        return ens_fail(s->err, ENS_EDOMAIN,
                        "collect: more than %" PRIu64
                        " bytes in files that match (collect_bytes)",
                        s->c->max_bytes);
    if (s->n == s->cap) {
        s->cap = s->cap == 0 ? 64 : 2 * s->cap;
        f = realloc(s->file, s->cap * sizeof(*f));
        if (f == NULL)
            return ens_fail(s->err, ENS_ENOMEMORY, "files of a program");
        s->file = f;
    }
    f += s->n;
    f->name = ens_arena_strndup(s->arena, s->path, s->length);
    if (f->name == NULL)
        return ens_fail(s->err, ENS_ENOMEMORY, "files of a program");
    f->n = s->length;
    f->bytes = bytes;
    s->bytes += bytes;
    s->n++;
    return ENS_OK;
}

static const char *special(mode_t mode)
{
    return S_ISLNK(mode)    ? "a link, not a file"
           : S_ISFIFO(mode) ? "a pipe, not a file"
           : S_ISSOCK(mode) ? "a socket, not a file"
                            : "a device, not a file";
}

static enum ens_status search_folder(struct search *s, int parent,
                                     const char *name, int depth);

static enum ens_status look_at(struct search *s, int dir, const char *name,
                               int depth)
{
    int matched = 0, below = 0;
    struct stat st;

    for (size_t i = 0; i < s->c->n; i++)
        matched |= ens_collect_match(s->c->pattern[i].text, s->path, &below);
    if (!matched && !below)
        return ENS_OK;
    if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return refuse(s, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return below ? search_folder(s, dir, name, depth + 1) : ENS_OK;
    if (!matched)
        return ENS_OK;
    if (!S_ISREG(st.st_mode))
        return refuse(s, special(st.st_mode));
    for (size_t i = 0; i < s->c->n; i++)
        s->found[i] |= (unsigned char)ens_collect_match(s->c->pattern[i].text,
                                                        s->path, &below);
    return add_file(s, (uint64_t)st.st_size);
}

static enum ens_status search_entries(struct search *s, DIR *d, int depth)
{
    size_t length = s->length;
    enum ens_status status = ENS_OK;
    const struct dirent *e;

    while (status == ENS_OK && (errno = 0, e = readdir(d)) != NULL) {
        size_t n = strlen(e->d_name);

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (length + 1 + n > ENS_BUNDLE_NAME_MAX)
            return refuse(s, "what is in it has too long a path");
        if (length > 0)
            s->path[s->length++] = '/';
        memcpy(s->path + s->length, e->d_name, n + 1);
        s->length += n;
        status = look_at(s, dirfd(d), e->d_name, depth);
        s->length = length;
        s->path[length] = '\0';
    }
    return status == ENS_OK && errno != 0 ? refuse(s, strerror(errno)) : status;
}

static enum ens_status search_folder(struct search *s, int parent,
                                     const char *name, int depth)
{
    enum ens_status status;
    DIR *d;
    int fd;

    if (depth > MAX_DEPTH)
        return refuse(s, "too many folders in one another");
    fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return refuse(s, strerror(errno));
    d = fdopendir(fd);
    if (d == NULL) {
        close(fd);
        return ens_fail(s->err, ENS_ENOMEMORY, "files of a program");
    }
    status = search_entries(s, d, depth);
    closedir(d);
    return status;
}

static enum ens_status check_all_found(const struct search *s)
{
    for (size_t i = 0; i < s->c->n; i++)
        if (!s->found[i] && !s->c->pattern[i].optional)
            return ens_fail(s->err, ENS_EDOMAIN,
                            "collect: %s matches no file that the program "
                            "left (if that is fine: collect_optional)",
                            s->c->pattern[i].text);
    return ENS_OK;
}

static int by_name(const void *a, const void *b)
{
    const struct file *x = a;
    const struct file *y = b;

    return ens_bundle_name_order(x->name, x->n, y->name, y->n);
}

/* -- keeping --------------------------------------------------------------- */

struct sink {
    const struct ens_host *host;
    struct ens_result *r;
    struct ens_hasher *hasher;
    unsigned char *part;
    size_t n;
};

static enum ens_status hand_over(struct sink *k, struct ens_error *err)
{
    enum ens_status s =
        k->n == 0 ? ENS_OK : k->host->artifact_part(k->r, k->part, k->n, err);

    k->n = 0;
    return s;
}

static enum ens_status put(struct sink *k, struct ens_buf *b,
                           struct ens_error *err)
{
    enum ens_status s = ENS_OK;

    if (b->failed)
        return ens_fail(err, ENS_ENOMEMORY, "files of a program");
    if (b->len > PART_BYTES - k->n)
        s = hand_over(k, err);
    memcpy(k->part + k->n, b->data, b->len); /* a head is 4 KiB at most */
    k->n += b->len;
    ens_buf_clear(b);
    return s;
}

/* Its bytes, and not one more. */
static enum ens_status copy_bytes(struct sink *k, int fd, const struct file *f,
                                  struct ens_error *err)
{
    uint64_t left = f->bytes;
    enum ens_status s;
    char name[SHOWN];
    char more;
    ssize_t got = 0;

    ens_hasher_begin(k->hasher);
    while (left > 0) {
        size_t room = PART_BYTES - k->n;

        if (room == 0) {
            s = hand_over(k, err);
            if (s != ENS_OK)
                return s;
            continue;
        }
        got = read(fd, k->part + k->n, left < room ? (size_t)left : room);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        ens_hasher_put(k->hasher, k->part + k->n, (size_t)got);
        k->n += (size_t)got;
        left -= (size_t)got;
    }
    if (left == 0 && read(fd, &more, 1) == 0)
        return ENS_OK;
    ens_utf8_show(name, sizeof(name), f->name, f->n);
    if (got < 0)
        return ens_fail_errno(err, ENS_EDOMAIN, "collect: %s", name);
    return ens_fail(err, ENS_EDOMAIN,
                    "collect: %s changed while it was collected", name);
}

static enum ens_status keep_file(struct sink *k, int folder,
                                 const struct file *f, struct ens_buf *b,
                                 struct ens_error *err)
{
    char name[SHOWN];
    enum ens_status s;
    struct stat st;
    int fd = openat(folder, f->name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    ens_utf8_show(name, sizeof(name), f->name, f->n);
    if (fd < 0)
        return ens_fail_errno(err, ENS_EDOMAIN, "collect: %s", name);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return ens_fail(err, ENS_EDOMAIN,
                        "collect: %s changed while it was collected", name);
    }
    ens_bundle_head(b, f->name, f->n, f->bytes);
    s = put(k, b, err);
    if (s == ENS_OK)
        s = copy_bytes(k, fd, f, err);
    close(fd);
    if (s != ENS_OK)
        return s;
    ens_bundle_tail(b, f->bytes, ens_hasher_end(k->hasher));
    return put(k, b, err);
}

static enum ens_status keep_files(struct sink *k, int folder,
                                  const struct search *found,
                                  struct ens_error *err)
{
    struct ens_buf b = ENS_BUF_INIT;
    enum ens_status s = k->host->artifact_begin(k->r, ENS_COLLECT_ITEM, err);

    ens_bundle_magic(&b);
    if (s == ENS_OK)
        s = put(k, &b, err);
    for (size_t i = 0; s == ENS_OK && i < found->n; i++)
        s = keep_file(k, folder, &found->file[i], &b, err);
    ens_buf_fini(&b);
    if (s == ENS_OK)
        s = hand_over(k, err);
    return s == ENS_OK ? k->host->artifact_end(k->r, err) : s;
}

static enum ens_status keep(struct sink *k, const char *folder,
                            const struct search *found, struct ens_error *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum ens_status s;

    if (fd < 0)
        return ens_fail_errno(err, ENS_EDOMAIN, "collect: %s", folder);
    k->hasher = ens_hasher_new();
    k->part = malloc(PART_BYTES);
    s = k->hasher == NULL || k->part == NULL
            ? ens_fail(err, ENS_ENOMEMORY, "files of a program")
            : keep_files(k, fd, found, err);
    free(k->part);
    ens_hasher_free(k->hasher);
    close(fd);
    return s;
}

enum ens_status ens_collect_run(const struct ens_collect *c, const char *folder,
                                const struct ens_host *host,
                                struct ens_result *r, struct ens_arena *arena,
                                struct ens_error *err)
{
    struct search found = {.c = c, .arena = arena, .err = err};
    struct sink k = {.host = host, .r = r};
    enum ens_status s;

    if (c->n == 0)
        return ENS_OK;
    found.found = ens_arena_alloc(arena, c->n, 1);
    if (found.found == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "files of a program");
    s = search_folder(&found, AT_FDCWD, folder, 0);
    if (s == ENS_OK)
        s = check_all_found(&found);
    if (s == ENS_OK && found.n > 0) {
        qsort(found.file, found.n, sizeof(*found.file), by_name);
        s = keep(&k, folder, &found, err);
    }
    free(found.file);
    return s;
}
