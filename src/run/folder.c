#include "run/folder.h"

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/number.h"
#include "run/about.h"
#include "store/epoch.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUN_JSON_MAX ((size_t)64 << 20)

void ens_folder_fini(struct ens_folder *f)
{
    ens_buf_fini(&f->print);
    ens_buf_fini(&f->cpu);
    ens_buf_fini(&f->hosts);
    ens_buf_fini(&f->plugins);
    free(f->input);
    memset(f, 0, sizeof(*f));
}

static void hash_text(char to[33], struct ens_hash128 h)
{
    ens_hex64(to, h.high);
    ens_hex64(to + 16, h.low);
}

static int hash_parse(const char *s, struct ens_hash128 *h)
{
    char part[17];
    char *end;

    if (s == NULL || strlen(s) != 32)
        return -1;
    memcpy(part, s, 16);
    part[16] = '\0';
    h->high = strtoull(part, &end, 16);
    if (*end != '\0')
        return -1;
    h->low = strtoull(s + 16, &end, 16);
    return *end == '\0' ? 0 : -1;
}

static uint64_t get_u64(const json_t *o, const char *key)
{
    const char *s = json_string_value(json_object_get(o, key));
    uint64_t v = 0;

    if (s != NULL)
        ens_number_parse_u64(s, strlen(s), &v);
    return v;
}

static void set_u64(json_t *o, const char *key, uint64_t v)
{
    char text[32];

    snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
    json_object_set_new(o, key, json_string(text));
}

static void read_input(struct ens_folder_input *in, const json_t *o)
{
    in->id.device = get_u64(o, "device");
    in->id.inode = get_u64(o, "inode");
    in->id.size = get_u64(o, "size");
    in->id.mtime_ns = (int64_t)get_u64(o, "mtime_ns");
    in->id.ctime_ns = (int64_t)get_u64(o, "ctime_ns");
    in->tainted = json_is_true(json_object_get(o, "changed_while_read"));
    in->has_digest = hash_parse(json_string_value(json_object_get(o, "digest")),
                                &in->digest) == 0;
}

static void read_plugins(struct ens_folder *f, json_t *plugins)
{
    const char *name;
    json_t *digest;

    json_object_foreach(plugins, name, digest) if (json_is_string(digest))
        ens_buf_printf(&f->plugins, "%s=%s\n", name, json_string_value(digest));
}

static void take_root(struct ens_folder *f, const json_t *root,
                      const struct ens_study *study)
{
    const json_t *inputs = json_object_get(root, "inputs");
    const json_t *lines = json_object_get(root, "fingerprint");
    const char *s;

    for (size_t i = 0; i < json_array_size(lines); i++) {
        s = json_string_value(json_array_get(lines, i));
        if (s != NULL)
            ens_buf_printf(&f->print, "%s\n", s);
    }
    for (size_t i = 0; i < f->n_inputs; i++) {
        const json_t *o =
            json_object_get(inputs, ens_study_input_name(study, i));

        if (o != NULL)
            read_input(&f->input[i], o);
    }
    read_plugins(f, json_object_get(root, "plugins"));
    f->finished = get_u64(root, "finished");
    s = json_string_value(json_object_get(root, "shard"));
    if (s != NULL)
        ens_shard_parse(&f->shard, s, NULL);
    s = json_string_value(json_object_get(root, "cpu"));
    ens_buf_puts(&f->cpu, s != NULL ? s : "");
    s = json_string_value(json_object_get(root, "host"));
    ens_buf_puts(&f->hosts, s != NULL ? s : "");
}

enum ens_status ens_folder_read(struct ens_folder *f, const char *dir,
                                const struct ens_study *study,
                                struct ens_error *err)
{
    char path[PATH_MAX];
    struct ens_buf text = ENS_BUF_INIT;
    json_error_t why;
    json_t *root;
    enum ens_status s;

    memset(f, 0, sizeof(*f));
    f->n_inputs = ens_study_n_inputs(study);
    f->input = calloc(f->n_inputs + 1, sizeof(*f->input));
    if (f->input == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    snprintf(path, sizeof(path), "%s/run.json", dir);
    if (access(path, F_OK) != 0)
        return ENS_OK;
    s = ens_file_read(&text, path, RUN_JSON_MAX, err);
    if (s != ENS_OK)
        return s;
    f->text_hash = ens_hash64(text.data, text.len);
    root = json_loadb((const char *)text.data, text.len, 0, &why);
    ens_buf_fini(&text);
    if (root == NULL)
        return ens_fail(err, ENS_ECORRUPT, "%s: line %d: %s", path, why.line,
                        why.text);
    f->exists = 1;
    take_root(f, root, study);
    json_decref(root);
    return ENS_OK;
}

int ens_folder_moved(const struct ens_folder *f, const char *dir)
{
    char path[PATH_MAX];
    struct ens_buf text = ENS_BUF_INIT;
    uint64_t hash = 0;

    snprintf(path, sizeof(path), "%s/run.json", dir);
    if (ens_file_read(&text, path, RUN_JSON_MAX, NULL) == ENS_OK)
        hash = ens_hash64(text.data, text.len);
    ens_buf_fini(&text);
    return hash != f->text_hash;
}

static json_t *input_json(const struct ens_folder_input *in)
{
    json_t *o = json_object();
    char hex[33];

    set_u64(o, "device", in->id.device);
    set_u64(o, "inode", in->id.inode);
    set_u64(o, "size", in->id.size);
    set_u64(o, "mtime_ns", (uint64_t)in->id.mtime_ns);
    set_u64(o, "ctime_ns", (uint64_t)in->id.ctime_ns);
    if (in->tainted)
        json_object_set_new(o, "changed_while_read", json_true());
    if (in->has_digest) {
        hash_text(hex, in->digest);
        json_object_set_new(o, "digest", json_string(hex));
    }
    return o;
}

static json_t *lines_json(const struct ens_study *study)
{
    struct ens_buf b = ENS_BUF_INIT;
    json_t *list = json_array();
    const char *p;

    ens_study_fingerprint(study, &b);
    p = ens_buf_text(&b);
    while (*p != '\0') {
        size_t n = strcspn(p, "\n");

        json_array_append_new(list, json_stringn(p, n));
        p += n + (p[n] == '\n');
    }
    ens_buf_fini(&b);
    return list;
}

/* By the file's name: a study may move with its plugins. */
static const char *plugin_name(const struct ens_plugin_file *file)
{
    return strrchr(file->path, '/') + 1;
}

static json_t *plugins_json(const struct ens_finder *finder)
{
    json_t *o = json_object();
    char hex[33];

    for (size_t i = 0; finder != NULL && i < finder->n_files; i++) {
        hash_text(hex, finder->file[i].digest);
        json_object_set_new(o, plugin_name(&finder->file[i]), json_string(hex));
    }
    return o;
}

static json_t *totals_json(const struct ens_folder_totals *t)
{
    json_t *o = json_object();

    json_object_set_new(o, "tasks", json_integer((json_int_t)t->n_tasks));
    for (int i = 0; i < ENS_N_OUTCOMES; i++)
        json_object_set_new(o, ens_outcome_text((enum ens_outcome)i),
                            json_integer((json_int_t)t->by_outcome[i]));
    json_object_set_new(o, "left", json_integer((json_int_t)t->n_left));
    return o;
}

enum ens_status ens_folder_write(const struct ens_folder *f, const char *dir,
                                 const struct ens_study *study, uint32_t epoch,
                                 struct ens_error *err)
{
    json_t *root = json_object();
    json_t *inputs = json_object();
    struct ens_buf host = ENS_BUF_INIT;
    struct ens_buf cpu = ENS_BUF_INIT;
    char path[PATH_MAX];
    char now[21];
    char *text;
    enum ens_status s;

    ens_clock_utc(now);
    if (f->keep_host) {
        ens_buf_put(&host, f->hosts.data, f->hosts.len);
        ens_buf_put(&cpu, f->cpu.data, f->cpu.len);
    } else {
        ens_folder_host(&host, &cpu);
    }
    json_object_set_new(root, "ensrun", json_string(ENS_VERSION));
    json_object_set_new(root, "kind", json_string(ens_study_kind(study)));
    json_object_set_new(root, "written", json_string(now));
    json_object_set_new(root, "epoch", json_integer(epoch));
    json_object_set_new(root, "host", json_string(ens_buf_text(&host)));
    json_object_set_new(root, "cpu", json_string(ens_buf_text(&cpu)));
    if (f->shard.n > 0)
        json_object_set_new(
            root, "shard",
            json_sprintf("%u/%u", (unsigned)f->shard.k, (unsigned)f->shard.n));
    json_object_set_new(root, "libraries", ens_about_libraries());
    json_object_set_new(root, "fingerprint", lines_json(study));
    for (size_t i = 0; i < f->n_inputs; i++)
        json_object_set_new(inputs, ens_study_input_name(study, i),
                            input_json(&f->input[i]));
    json_object_set_new(root, "inputs", inputs);
    json_object_set_new(root, "plugins", plugins_json(f->finder));
    if (f->has_totals)
        json_object_set_new(root, "totals", totals_json(&f->totals));
    set_u64(root, "finished", f->finished);
    text = json_dumps(root, JSON_INDENT(2));
    json_decref(root);
    ens_buf_fini(&host);
    ens_buf_fini(&cpu);
    if (text == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    snprintf(path, sizeof(path), "%s/run.json", dir);
    s = ens_file_replace(path, text, strlen(text), err);
    free(text);
    return s;
}

/* -- fingerprint ---------------------------------------------------------- */

/* Value of the line "key=..." in lines; NULL when there is none. */
static const char *find_line(const char *lines, const char *key, size_t n,
                             size_t *value_n)
{
    for (const char *p = lines; *p != '\0';) {
        size_t len = strcspn(p, "\n");

        if (len > n && memcmp(p, key, n) == 0 && p[n] == '=') {
            *value_n = len - n - 1;
            return p + n + 1;
        }
        p += len + (p[len] == '\n');
    }
    return NULL;
}

static void report_line(const struct ens_study *study, const char *key,
                        size_t key_n, const char *old, size_t old_n,
                        const char *new, size_t new_n, struct ens_buf *errors)
{
    char section[256];
    char where[512];
    const char *dot = memrchr(key, '.', key_n);
    size_t n = dot == NULL ? 0 : (size_t)(dot - key);

    where[0] = '\0';
    if (dot != NULL && n < sizeof(section)) {
        char name[256];

        memcpy(section, key, n);
        section[n] = '\0';
        snprintf(name, sizeof(name), "%.*s", (int)(key_n - n - 1), dot + 1);
        ens_study_where(study, section, name, where, sizeof(where));
    }
    ens_buf_printf(
        errors, "%s%s%.*s: was %.*s, now %.*s\n", where,
        where[0] != '\0' ? ": " : "", (int)key_n, key,
        old == NULL ? 9 : (int)old_n, old == NULL ? "(not set)" : old,
        new == NULL ? 9 : (int)new_n, new == NULL ? "(not set)" : new);
}

/* Report the keys of a that differ in b; only_missing: that b lacks. */
static int compare_lines(const struct ens_study *study, const char *a,
                         const char *b, int swapped, struct ens_buf *errors)
{
    int n = 0;

    for (const char *p = a; *p != '\0';) {
        size_t len = strcspn(p, "\n");
        size_t key_n = strcspn(p, "=\n");
        size_t other_n = 0;
        const char *other = find_line(b, p, key_n, &other_n);
        const char *mine = p + key_n + 1;
        size_t mine_n = len > key_n ? len - key_n - 1 : 0;
        int same = other != NULL && other_n == mine_n &&
                   memcmp(other, mine, mine_n) == 0;

        if (swapped ? other == NULL : !same) {
            report_line(study, p, key_n, swapped ? NULL : mine, mine_n,
                        swapped ? mine : other, swapped ? mine_n : other_n,
                        errors);
            n++;
        }
        p += len + (p[len] == '\n');
    }
    return n;
}

enum ens_status ens_folder_compare(struct ens_folder *f,
                                   const struct ens_study *study,
                                   uint64_t n_done, struct ens_buf *errors,
                                   struct ens_error *err)
{
    struct ens_buf now = ENS_BUF_INIT;
    const char *old = ens_buf_text(&f->print);
    int n;

    if (!f->exists)
        return ENS_OK;
    ens_study_fingerprint(study, &now);
    n = compare_lines(study, old, ens_buf_text(&now), 0, errors);
    n += compare_lines(study, ens_buf_text(&now), old, 1, errors);
    ens_buf_fini(&now);
    if (n == 0)
        return ENS_OK;
    return ens_fail(err, ENS_ECHANGED,
                    "%d setting%s changed that every result depends on "
                    "(%llu finished tasks would be invalid); undo that, or "
                    "use --restart to begin anew (the old results are kept)",
                    n, n == 1 ? "" : "s", (unsigned long long)n_done);
}

const char *ens_folder_plugin(struct ens_folder *f)
{
    for (size_t i = 0; f->finder != NULL && i < f->finder->n_files; i++) {
        const struct ens_plugin_file *file = &f->finder->file[i];
        const char *name = plugin_name(file);
        char hex[33];
        size_t n;
        const char *old =
            find_line(ens_buf_text(&f->plugins), name, strlen(name), &n);

        hash_text(hex, file->digest);
        if (old != NULL && (n != strlen(hex) || memcmp(old, hex, n) != 0))
            return file->path;
    }
    return NULL;
}

enum ens_status ens_folder_retire(const char *dir, char *to, size_t cap,
                                  struct ens_error *err)
{
    struct ens_epoch_info info;
    uint32_t newest = ens_epoch_newest(dir);
    struct stat st;

    to[0] = '\0';
    if (stat(dir, &st) != 0)
        return ENS_OK;
    if (newest > 0 && ens_epoch_read(&info, dir, newest, NULL) == ENS_OK &&
        !info.closed && info.alive)
        return ens_fail(err, ENS_ELOCKED, "%s is in use by process %lld on %s",
                        dir, (long long)info.pid, info.host);
    for (int i = 1; i < 100000; i++) {
        if (snprintf(to, cap, "%s.%d", dir, i) >= (int)cap)
            return ens_fail(err, ENS_EIO, "%s: path too long", dir);
        if (lstat(to, &st) != 0 && errno == ENOENT)
            break;
    }
    if (rename(dir, to) != 0)
        return ens_fail_errno(err, ENS_EIO, "cannot rename %s to %s", dir, to);
    return ens_file_sync_parent(dir, err);
}

/* -- host ------------------------------------------------------------------ */

/* Text behind "key<blanks>: " of a line of /proc/cpuinfo. */
static void cpu_line(const char *text, const char *key, struct ens_buf *out)
{
    const char *p = strstr(text, key);
    const char *colon = p == NULL ? NULL : strchr(p, ':');

    if (colon == NULL)
        return;
    colon += 1 + strspn(colon + 1, " ");
    ens_buf_put(out, colon, strcspn(colon, "\n"));
}

void ens_folder_host(struct ens_buf *host, struct ens_buf *cpu)
{
    struct ens_buf info = ENS_BUF_INIT;
    struct ens_buf flags = ENS_BUF_INIT;
    char name[256] = "unknown";
    const char *text;
    char hex[ENS_HEX64_BYTES];

    gethostname(name, sizeof(name) - 1);
    ens_buf_puts(host, name);
    ens_file_read(&info, "/proc/cpuinfo", (size_t)16 << 20, NULL);
    text = ens_buf_text(&info);
    cpu_line(text, "model name", cpu);
    cpu_line(text, "flags", &flags);
    ens_hex64(hex, ens_hash64(flags.data, flags.len));
    ens_buf_printf(cpu, " (%s)", hex);
    ens_buf_fini(&info);
    ens_buf_fini(&flags);
}
