#include "store/epoch.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNTER_AT    8 /* behind "counter=" */
#define FILE_MAX      4096
#define TAKE_ATTEMPTS 100

/* Who owns an epoch: enough to prove on its own host that it is dead. */
struct owner {
    char host[256];
    char boot[64];
    char pidns[64];
    int64_t pid;
    uint64_t start;
};

static void epoch_path(char to[PATH_MAX], const char *dir, uint32_t number)
{
    if (snprintf(to, PATH_MAX, "%s/epochs/%06u", dir, number) >= PATH_MAX)
        to[0] = '\0'; /* take() has refused such a folder */
}

/* -- processes ---------------------------------------------------------- */

static void read_line(char *to, size_t cap, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, to, cap - 1);

    if (fd >= 0)
        close(fd);
    to[n < 0 ? 0 : n] = '\0';
    to[strcspn(to, "\n")] = '\0';
}

struct process {
    char state;
    uint64_t n_threads;
    uint64_t start; /* clock ticks since boot */
};

/* Fields 3, 20 and 22 of /proc/PID/stat; the name before them (field 2) may
 * hold blanks and brackets, hence from the last bracket on. */
static int read_process(int64_t pid, struct process *p)
{
    char path[64], line[1024];
    char *at, *save = NULL, *word;

    snprintf(path, sizeof(path), "/proc/%lld/stat", (long long)pid);
    read_line(line, sizeof(line), path);
    at = strrchr(line, ')');
    if (at == NULL)
        return -1;
    word = strtok_r(at + 1, " ", &save);
    for (int field = 3; word != NULL; field++) {
        if (field == 3)
            p->state = word[0];
        if (field == 20 &&
            ens_number_parse_u64(word, strlen(word), &p->n_threads) != 0)
            return -1;
        if (field == 22)
            return ens_number_parse_u64(word, strlen(word), &p->start);
        word = strtok_r(NULL, " ", &save);
    }
    return -1;
}

static void read_self(struct owner *o)
{
    struct process p = {0};
    ssize_t n;

    memset(o, 0, sizeof(*o));
    if (gethostname(o->host, sizeof(o->host) - 1) != 0)
        memcpy(o->host, "unknown", 8);
    read_line(o->boot, sizeof(o->boot), "/proc/sys/kernel/random/boot_id");
    n = readlink("/proc/self/ns/pid", o->pidns, sizeof(o->pidns) - 1);
    o->pidns[n < 0 ? 0 : n] = '\0';
    o->pid = getpid();
    if (read_process(o->pid, &p) == 0)
        o->start = p.start;
}

/* Same boot, same PID namespace: its process can be looked at. */
static int is_here(const struct owner *o)
{
    struct owner self;

    read_self(&self);
    return self.boot[0] != '\0' && strcmp(self.boot, o->boot) == 0 &&
           self.pidns[0] != '\0' && strcmp(self.pidns, o->pidns) == 0 &&
           o->pid > 0 && o->start != 0;
}

/* There is no such process any more. A zombie whose threads have all ended is
 * dead, only nobody has asked how. */
static int proved_dead(const struct owner *o)
{
    struct process p;

    if (!is_here(o))
        return 0;
    if (kill((pid_t)o->pid, 0) != 0 && errno == ESRCH)
        return 1;
    if (read_process(o->pid, &p) != 0)
        return 0; /* there, but hidden from us (or it ended just now) */
    return p.start != o->start || p.state == 'X' ||
           (p.state == 'Z' && p.n_threads <= 1);
}

/* -- the file ----------------------------------------------------------- */

static void copy_text(char *to, size_t cap, const char *value, size_t n)
{
    if (n >= cap)
        n = cap - 1;
    memcpy(to, value, n);
    to[n] = '\0';
}

static int parse_hex(const char *s, size_t n, uint64_t *v)
{
    uint64_t r = 0;

    if (n != 16)
        return -1;
    for (size_t i = 0; i < n; i++) {
        int d = s[i] >= '0' && s[i] <= '9'   ? s[i] - '0'
                : s[i] >= 'a' && s[i] <= 'f' ? s[i] - 'a' + 10
                                             : -1;

        if (d < 0)
            return -1;
        r = r << 4 | (uint64_t)d;
    }
    *v = r;
    return 0;
}

static int is_key(const char *line, size_t n, const char *key)
{
    size_t k = strlen(key);

    return n > k && line[k] == '=' && memcmp(line, key, k) == 0;
}

/* One line; -1 when a known key has a value that is none. */
static int parse_line(const char *s, size_t n, struct owner *o,
                      struct ens_epoch_info *info)
{
    const char *eq = memchr(s, '=', n);
    const char *v;
    size_t len;

    if (eq == NULL)
        return 0;
    v = eq + 1;
    len = n - (size_t)(v - s);
    if (is_key(s, n, "counter"))
        (void)ens_number_parse_u64(v, len, &info->counter); /* for readers */
    if (is_key(s, n, "host"))
        copy_text(o->host, sizeof(o->host), v, len);
    else if (is_key(s, n, "boot"))
        copy_text(o->boot, sizeof(o->boot), v, len);
    else if (is_key(s, n, "pidns"))
        copy_text(o->pidns, sizeof(o->pidns), v, len);
    else if (is_key(s, n, "pid"))
        return ens_number_parse_i64(v, len, &o->pid);
    else if (is_key(s, n, "start"))
        return ens_number_parse_u64(v, len, &o->start);
    else if (is_key(s, n, "run_id"))
        return parse_hex(v, len, &info->run_id);
    else if (is_key(s, n, "closed")) {
        info->closed = 1;
        return ens_number_parse_u64(v, len, &info->segment_end);
    }
    return 0;
}

/* Only lines with their end count: a `closed` cut short does not. */
static int parse(const char *p, size_t n, struct owner *o,
                 struct ens_epoch_info *info)
{
    const char *end = p + n, *nl;

    for (; (nl = memchr(p, '\n', (size_t)(end - p))) != NULL; p = nl + 1)
        if (parse_line(p, (size_t)(nl - p), o, info) != 0)
            return -1;
    return info->run_id == 0 || o->pid <= 0 ? -1 : 0;
}

enum ens_status ens_epoch_read(struct ens_epoch_info *info, const char *dir,
                               uint32_t number, struct ens_error *err)
{
    char path[PATH_MAX];
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_epoch_info t = {0};
    struct owner o = {0};
    enum ens_status s;

    epoch_path(path, dir, number);
    s = ens_file_read(&b, path, FILE_MAX, err);
    if (s == ENS_OK && parse((const char *)b.data, b.len, &o, &t) != 0)
        s = ens_fail(err, ENS_ECORRUPT, "%s: not a complete epoch file", path);
    ens_buf_fini(&b);
    if (s != ENS_OK)
        return s;
    t.number = number;
    t.pid = o.pid;
    memcpy(t.host, o.host, sizeof(t.host));
    t.here = is_here(&o);
    t.alive = !t.closed && !proved_dead(&o);
    *info = t;
    return ENS_OK;
}

uint32_t ens_epoch_newest(const char *dir)
{
    char path[PATH_MAX];
    uint64_t newest = 0, v;
    DIR *d;

    if (snprintf(path, sizeof(path), "%s/epochs", dir) >= (int)sizeof(path))
        return 0;
    d = opendir(path);
    if (d == NULL)
        return 0;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        const char *s = e->d_name;

        if (s[0] >= '0' && s[0] <= '9' &&
            ens_number_parse_u64(s, strlen(s), &v) == 0 && v <= UINT32_MAX &&
            v > newest)
            newest = v;
    }
    closedir(d);
    return (uint32_t)newest;
}

/* -- taking ------------------------------------------------------------- */

static enum ens_status make_folders(const char *dir, struct ens_error *err)
{
    static const char *const sub[] = {"epochs", "journal", "checkpoints",
                                      "artifacts", "arrays"};
    char path[PATH_MAX];
    enum ens_status s = ENS_OK;

    for (size_t i = 0; i < sizeof(sub) / sizeof(sub[0]) && s == ENS_OK; i++) {
        if (snprintf(path, sizeof(path), "%s/%s", dir, sub[i]) >=
            (int)sizeof(path))
            return ens_fail(err, ENS_EIO, "%s: path too long", dir);
        s = ens_file_mkdirs(path, err);
    }
    if (s == ENS_OK)
        s = ens_file_sync_parent(path, err);
    if (s == ENS_OK && ens_epoch_newest(dir) == 0) /* it may be new itself */
        s = ens_file_sync_parent(dir, err);
    return s;
}

static int make_text(char *to, size_t cap, uint64_t run_id)
{
    struct owner o;
    char hex[ENS_HEX64_BYTES];

    read_self(&o);
    ens_hex64(hex, run_id);
    return snprintf(to, cap,
                    "counter=%020d\nhost=%s\nboot=%s\npidns=%s\npid=%lld\n"
                    "start=%llu\nrun_id=%s\n",
                    0, o.host, o.boot, o.pidns, (long long)o.pid,
                    (unsigned long long)o.start, hex);
}

/* A complete file under a name of its own; *fd open for writing. */
static enum ens_status write_new(const char *tmp, uint64_t run_id, int *fd,
                                 struct ens_error *err)
{
    char text[1024];
    int n = make_text(text, sizeof(text), run_id);

    *fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (*fd < 0)
        return ens_fail_errno(err, ENS_EIO, "cannot create %s", tmp);
    if (ens_write_all(*fd, text, (size_t)n) == 0 && fsync(*fd) == 0)
        return ENS_OK;
    ens_fail_errno(err, ENS_EIO, "cannot write %s", tmp);
    close(*fd);
    unlink(tmp);
    return err != NULL ? (enum ens_status)err->status : ENS_EIO;
}

/* ENS_OK when the owner of the newest epoch is gone; *unproved when it only
 * stood still. */
static enum ens_status check_newest(const char *dir, uint32_t newest,
                                    uint32_t still, int *unproved,
                                    struct ens_error *err)
{
    struct ens_epoch_info info;
    enum ens_status s;

    if (newest == 0)
        return ENS_OK;
    s = ens_epoch_read(&info, dir, newest, err);
    if (s != ENS_OK)
        return s;
    *unproved = info.alive && newest == still;
    if (info.alive && newest != still)
        return ens_fail(err, ENS_ELOCKED,
                        "results folder %s is in use by process %lld on %s "
                        "(epoch %u)",
                        dir, (long long)info.pid, info.host, newest);
    return ENS_OK;
}

/* Give tmp the name of the next epoch; several takers may try. */
static enum ens_status link_next(struct ens_epoch *e, const char *tmp,
                                 uint32_t still, struct ens_error *err)
{
    char path[PATH_MAX];

    for (int i = 0; i < TAKE_ATTEMPTS; i++) {
        uint32_t newest = ens_epoch_newest(e->dir);
        enum ens_status s =
            check_newest(e->dir, newest, still, &e->unproved, err);

        if (s != ENS_OK)
            return s;
        epoch_path(path, e->dir, newest + 1);
        if (link(tmp, path) == 0) {
            e->number = newest + 1;
            return ens_file_sync_parent(path, err);
        }
        if (errno != EEXIST)
            return ens_fail_errno(err, ENS_EIO, "cannot create %s", path);
    }
    return ens_fail(err, ENS_ELOCKED,
                    "results folder %s: others took it %d times", e->dir,
                    TAKE_ATTEMPTS);
}

static enum ens_status random_id(uint64_t *id, struct ens_error *err)
{
    do {
        if (getrandom(id, sizeof(*id), 0) != (ssize_t)sizeof(*id))
            return ens_fail_errno(err, ENS_EIO, "cannot get a random number");
    } while (*id == 0);
    return ENS_OK;
}

static enum ens_status take(struct ens_epoch *e, uint32_t still,
                            struct ens_error *err)
{
    char tmp[PATH_MAX], hex[ENS_HEX64_BYTES];
    uint64_t name; /* not run_id, which the next merge asks for again */
    enum ens_status s = check_newest(e->dir, ens_epoch_newest(e->dir), still,
                                     &e->unproved, err);

    if (s == ENS_OK)
        s = random_id(&name, err);
    if (s != ENS_OK)
        return s;
    if (e->run_id == 0)
        e->run_id = name;
    ens_hex64(hex, name);
    if (snprintf(tmp, sizeof(tmp), "%s/epochs/.new-%s", e->dir, hex) >=
        (int)sizeof(tmp))
        return ens_fail(err, ENS_EIO, "%s: path too long", e->dir);
    s = write_new(tmp, e->run_id, &e->fd, err);
    if (s != ENS_OK)
        return s;
    s = link_next(e, tmp, still, err);
    unlink(tmp);
    if (s != ENS_OK)
        close(e->fd);
    return s;
}

static enum ens_status take_in(struct ens_epoch *e, const char *dir,
                               uint64_t run_id, uint32_t still,
                               struct ens_error *err)
{
    struct ens_epoch t;
    size_t n = strlen(dir);
    enum ens_status s;

    memset(&t, 0, sizeof(t));
    if (n >= sizeof(t.dir) - 64)
        return ens_fail(err, ENS_EIO, "%s: path too long", dir);
    memcpy(t.dir, dir, n + 1);
    t.run_id = run_id;
    s = make_folders(dir, err);
    if (s == ENS_OK)
        s = take(&t, still, err);
    if (s == ENS_OK)
        *e = t;
    return s;
}

enum ens_status ens_epoch_take(struct ens_epoch *e, const char *dir,
                               struct ens_error *err)
{
    return take_in(e, dir, 0, 0, err);
}

enum ens_status ens_epoch_take_as(struct ens_epoch *e, const char *dir,
                                  uint64_t run_id, struct ens_error *err)
{
    return take_in(e, dir, run_id, 0, err);
}

enum ens_status ens_epoch_take_over(struct ens_epoch *e, const char *dir,
                                    uint32_t still, struct ens_error *err)
{
    return take_in(e, dir, 0, still, err);
}

/* -- holding ------------------------------------------------------------ */

int ens_epoch_superseded(const struct ens_epoch *e)
{
    char path[PATH_MAX];

    /* Takers never leave out a number. */
    epoch_path(path, e->dir, e->number + 1);
    return access(path, F_OK) == 0;
}

static enum ens_status check_owner(const struct ens_epoch *e,
                                   struct ens_error *err)
{
    if (ens_epoch_superseded(e))
        return ens_fail(err, ENS_ELOCKED,
                        "results folder %s was taken over by epoch %u", e->dir,
                        e->number + 1);
    return ENS_OK;
}

static enum ens_status put(const struct ens_epoch *e, const char *text,
                           size_t n, off_t at, struct ens_error *err)
{
    if (pwrite(e->fd, text, n, at) == (ssize_t)n)
        return ENS_OK;
    return ens_fail_errno(err, ENS_EIO, "cannot write epoch %u of %s",
                          e->number, e->dir);
}

enum ens_status ens_epoch_beat(struct ens_epoch *e, struct ens_error *err)
{
    char text[32];
    enum ens_status s = check_owner(e, err);

    if (s != ENS_OK)
        return s;
    snprintf(text, sizeof(text), "%020llu", (unsigned long long)++e->counter);
    return put(e, text, 20, COUNTER_AT, err);
}

enum ens_status ens_epoch_close(struct ens_epoch *e, uint64_t segment_end,
                                struct ens_error *err)
{
    char text[32];
    struct stat st;
    enum ens_status s = check_owner(e, err);
    int n = snprintf(text, sizeof(text), "closed=%llu\n",
                     (unsigned long long)segment_end);

    if (s == ENS_OK && fstat(e->fd, &st) != 0)
        s = ens_fail_errno(err, ENS_EIO, "cannot look at epoch %u of %s",
                           e->number, e->dir);
    if (s == ENS_OK)
        s = put(e, text, (size_t)n, st.st_size, err);
    if (s == ENS_OK && fdatasync(e->fd) != 0)
        s = ens_fail_errno(err, ENS_EIO, "cannot sync epoch %u of %s",
                           e->number, e->dir);
    ens_epoch_abandon(e);
    return s;
}

void ens_epoch_abandon(struct ens_epoch *e)
{
    if (e->fd >= 0)
        close(e->fd);
    e->fd = -1;
}
