#include "artifact/unpack.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/utf8.h"
#include "export/table.h"
#include "store/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define PART       ".ensrun.part"
#define PART_BYTES ((size_t)1 << 20)
#define SHOWN      300 /* bytes of a path in a message */

struct unpacking {
    const struct ens_unpack_options *o;
    struct ens_unpacked *done;
    int root; /* the folder */
    struct ens_hasher *hasher;
    unsigned char *part;
    struct ens_buf path; /* of the file in the folder */
    int stopped;
};

static enum ens_status fail_at(const struct unpacking *u, const char *what,
                               struct ens_error *err)
{
    char shown[SHOWN];
    int e = errno;

    ens_utf8_show(shown, sizeof(shown), (const char *)u->path.data,
                  u->path.len);
    errno = e;
    return ens_fail_errno(err, ENS_EIO, "%s %s/%s", what, u->o->folder, shown);
}

static int tell(struct unpacking *u, uint64_t bytes)
{
    u->done->bytes += bytes;
    return u->o->progress != NULL &&
           u->o->progress(u->o->arg, "writing files", u->done->bytes, 0);
}

/* -- folders --------------------------------------------------------------- */

/* The folder `name` in parent, made when it is not there; parent is closed. */
static int enter(int parent, const char *name, int root)
{
    int fd = -1;

    if (mkdirat(parent, name, 0777) == 0 || errno == EEXIST)
        fd = openat(parent, name,
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (parent != root) {
        int e = errno;

        close(parent);
        errno = e;
    }
    return fd;
}

/* Folder of the file at u->path, whose last part is *leaf. It is the root
 * itself, or to be closed. */
static enum ens_status open_parent(struct unpacking *u, int *fd,
                                   const char **leaf, struct ens_error *err)
{
    char part[ENS_BUNDLE_PART_MAX + 1];
    const char *p = ens_buf_text(&u->path);
    const char *slash;

    if (!ens_bundle_name_ok(p, u->path.len)) {
        errno = EINVAL;
        return fail_at(u, "not a name to unpack to:", err);
    }
    for (*fd = u->root; (slash = strchr(p, '/')) != NULL; p = slash + 1) {
        memcpy(part, p, (size_t)(slash - p));
        part[slash - p] = '\0';
        *fd = enter(*fd, part, u->root);
        if (*fd < 0)
            return fail_at(u, "cannot make the folder of", err);
    }
    *leaf = p;
    return ENS_OK;
}

/* -- one file -------------------------------------------------------------- */

/* Read n bytes of fd in parts, to `to` (-1: only hashed). */
static enum ens_status copy(struct unpacking *u, int fd, uint64_t offset,
                            uint64_t n, int to, struct ens_error *err)
{
    ens_hasher_begin(u->hasher);
    for (uint64_t at = 0; at < n;) {
        size_t k = n - at < PART_BYTES ? (size_t)(n - at) : PART_BYTES;

        if (ens_read_all(fd, u->part, k, offset + at) != 0)
            return fail_at(u, "cannot read the bytes of", err);
        ens_hasher_put(u->hasher, u->part, k);
        if (to >= 0 &&
            ens_io_write_all(ens_io_default(), to, u->part, k, at, NULL) != 0)
            return fail_at(u, "cannot write", err);
        at += k;
        if (tell(u, to >= 0 ? k : 0))
            return ENS_ESTOPPED;
    }
    return ENS_OK;
}

/* *is 1: there is a file and it has these bytes. */
static enum ens_status compare(struct unpacking *u, int parent,
                               const char *leaf, const struct ens_object *ob,
                               int *is, struct ens_error *err)
{
    int fd = openat(parent, leaf,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    struct stat st;
    char shown[SHOWN];
    enum ens_status s = ENS_OK;

    *is = 0;
    if (fd < 0 && errno == ENOENT)
        return ENS_OK;
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        (uint64_t)st.st_size == ob->length) {
        s = copy(u, fd, 0, ob->length, -1, err);
        *is = s == ENS_OK && ens_hasher_end(u->hasher) == ob->hash;
    }
    if (fd >= 0)
        close(fd);
    if (s != ENS_OK || *is || u->o->force)
        return s;
    ens_utf8_show(shown, sizeof(shown), ens_buf_text(&u->path), u->path.len);
    return ens_fail(err, ENS_EUSAGE,
                    "%s/%s is there already, with other bytes; --force "
                    "replaces it",
                    u->o->folder, shown);
}

static enum ens_status write_part(struct unpacking *u, int parent,
                                  const char *leaf, const struct ens_object *ob,
                                  struct ens_error *err)
{
    int fd =
        openat(u->root, PART,
               O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    enum ens_status s;

    if (fd < 0)
        return fail_at(u, "cannot create " PART " for", err);
    s = copy(u, ob->fd, ob->offset, ob->length, fd, err);
    if (s == ENS_OK && ens_hasher_end(u->hasher) != ob->hash)
        s = ens_fail(err, ENS_ECORRUPT, "%s: checksum does not match",
                     ens_buf_text(&u->path));
    if (close(fd) != 0 && s == ENS_OK)
        s = fail_at(u, "cannot write", err);
    if (s == ENS_OK && renameat(u->root, PART, parent, leaf) != 0)
        s = fail_at(u, "cannot rename " PART " to", err);
    if (s != ENS_OK)
        unlinkat(u->root, PART, 0);
    return s;
}

static enum ens_status put_file(struct unpacking *u,
                                const struct ens_object *ob,
                                struct ens_error *err)
{
    const char *leaf = NULL;
    int parent = -1, is_there;
    enum ens_status s = open_parent(u, &parent, &leaf, err);

    if (s != ENS_OK)
        return s;
    s = compare(u, parent, leaf, ob, &is_there, err);
    if (s == ENS_OK && !is_there)
        s = write_part(u, parent, leaf, ob, err);
    if (parent != u->root)
        close(parent);
    u->done->n_files += s == ENS_OK;
    u->done->n_same += s == ENS_OK && is_there;
    return s;
}

/* -- every task ------------------------------------------------------------ */

static enum ens_status unpack_objects(struct unpacking *u,
                                      const struct ens_table_task *t,
                                      uint64_t *n, struct ens_error *err)
{
    size_t base = u->path.len;
    const char *name = u->o->name;
    struct ens_objects all;
    struct ens_object ob;
    int more;
    enum ens_status s;

    *n = 0;
    ens_objects_init(&all, u->o->dir, t->record, t->epoch);
    while ((s = ens_objects_next(&all, &more, &ob, err)) == ENS_OK && more) {
        if (name != NULL && (strlen(name) != ob.name_bytes ||
                             memcmp(name, ob.name, ob.name_bytes) != 0))
            continue;
        ens_buf_put(&u->path, ob.name, ob.name_bytes);
        s = u->path.failed ? ens_fail(err, ENS_ENOMEMORY, "out of memory")
                           : put_file(u, &ob, err);
        if (s != ENS_OK)
            break;
        u->path.len = base;
        ++*n;
    }
    ens_objects_fini(&all);
    return s;
}

static enum ens_status unpack_task(void *arg, const struct ens_table_task *t,
                                   const struct ens_datum *row,
                                   struct ens_error *err)
{
    struct unpacking *u = arg;
    const struct ens_tables_request *rq = &u->o->sheet->tables->rq;
    char label[256];
    uint64_t n;
    enum ens_status s;

    (void)row;
    ens_plan_label(rq->plan, &t->task, label, sizeof(label));
    ens_buf_clear(&u->path);
    if (rq->n_stages > 1)
        ens_buf_printf(&u->path, "%s/", t->stage->key);
    ens_buf_printf(&u->path, "%s/", label);
    s = unpack_objects(u, t, &n, err);
    u->stopped = s == ENS_ESTOPPED;
    if (s == ENS_OK)
        *(n > 0                              ? &u->done->n_tasks
          : t->record->status == ENS_TASK_OK ? &u->done->n_without
                                             : &u->done->n_not_ok) += 1;
    return s;
}

static enum ens_status unpack_all(struct unpacking *u, struct ens_error *err)
{
    enum ens_status s;

    if (flock(u->root, LOCK_EX | LOCK_NB) != 0)
        return ens_fail_errno(err, ENS_EIO, "%s: in use by another export",
                              u->o->folder);
    s = ens_sheet_tasks(u->o->sheet, unpack_task, u, err);
    unlinkat(u->root, PART, 0); /* of an unpacking that was killed */
    /* to the sheet that is a table cut short, and fine */
    if (s == ENS_OK && u->stopped)
        s = ens_fail(err, ENS_ESTOPPED, "stopped");
    if (s == ENS_OK && syncfs(u->root) != 0)
        s = ens_fail_errno(err, ENS_EIO, "cannot sync %s", u->o->folder);
    return s;
}

enum ens_status ens_unpack(const struct ens_unpack_options *o,
                           struct ens_unpacked *done, struct ens_error *err)
{
    struct unpacking u = {.o = o, .done = done, .root = -1};
    enum ens_status s = ens_file_mkdirs(o->folder, err);

    memset(done, 0, sizeof(*done));
    if (s != ENS_OK)
        return s;
    u.root = open(o->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (u.root < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot open %s", o->folder);
    u.hasher = ens_hasher_new();
    u.part = malloc(PART_BYTES);
    s = u.hasher == NULL || u.part == NULL
            ? ens_fail(err, ENS_ENOMEMORY, "unpacking: out of memory")
            : unpack_all(&u, err);
    ens_hasher_free(u.hasher);
    free(u.part);
    ens_buf_fini(&u.path);
    close(u.root);
    return s;
}
