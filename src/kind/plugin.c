#include "kind/plugin.h"

#include "base/buf.h"
#include "base/threads.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SYMBOL "ensrun_plugin"

/* Not blocking: a FIFO would keep us waiting for a writer. */
static enum ens_status read_file(struct ens_plugin_file *file,
                                 struct ens_error *err)
{
    int fd = open(file->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum ens_status s = ENS_OK;
    struct stat st;
    void *p = NULL;

    if (fd < 0 || fstat(fd, &st) != 0) {
        s = ens_fail_errno(err, ENS_ESTUDY, "cannot open");
    } else if (!S_ISREG(st.st_mode) || st.st_size == 0) {
        s = ens_fail(err, ENS_ESTUDY, "is %s, not a shared library",
                     S_ISREG(st.st_mode) ? "empty" : "no file");
    } else {
        p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            s = ens_fail_errno(err, ENS_EIO, "cannot map");
    }
    if (fd >= 0)
        close(fd);
    if (s != ENS_OK)
        return s;
    s = ens_plugin_check_file(p, (size_t)st.st_size, err);
    if (s == ENS_OK)
        file->digest = ens_hash128(p, (size_t)st.st_size);
    munmap(p, (size_t)st.st_size);
    return s;
}

/* What dlerror says begins with the path, which our caller says too. */
static enum ens_status fail_dl(const char *path, struct ens_error *err)
{
    const char *text = dlerror();
    size_t n = strlen(path);

    if (text == NULL)
        text = "cannot be loaded";
    if (strncmp(text, path, n) == 0 && text[n] == ':')
        text += n + 1 + (text[n + 1] == ' ');
    return ens_fail(err, ENS_ESTUDY, "%s", text);
}

static enum ens_status check_version(const struct ens_plugin *p,
                                     struct ens_error *err)
{
    if (p->abi != ENS_ABI)
        return ens_fail(err, ENS_ESTUDY,
                        "is built for plugin interface %u, this program has "
                        "%u: rebuild it against include/ensrun of version %s",
                        (unsigned)p->abi, (unsigned)ENS_ABI, ENS_VERSION);
    if (p->layout != ENS_LAYOUT)
        return ens_fail(err, ENS_ESTUDY,
                        "is built for another state of plugin interface %u "
                        "(layout %u, this program has %u): rebuild it against "
                        "include/ensrun of version %s",
                        (unsigned)p->abi, (unsigned)p->layout,
                        (unsigned)ENS_LAYOUT, ENS_VERSION);
    return ENS_OK;
}

static enum ens_status load(struct ens_plugin_file *file, int alone,
                            struct ens_error *err)
{
    void *library;
    unsigned before = alone ? ens_threads_count() : 0;
    unsigned n;

    dlerror();
    library = dlopen(file->path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        return fail_dl(file->path, err);
    n = alone ? ens_threads_count() - before : 0;
    if (n > 0)
        return ens_fail(err, ENS_ESTUDY,
                        "starts %u thread%s when it is loaded (or a library "
                        "it is linked with does): workers are forked from "
                        "the process that loads it, so it must not",
                        n, n == 1 ? "" : "s");
    file->plugin = dlsym(library, SYMBOL);
    if (file->plugin == NULL)
        return ens_fail(err, ENS_ESTUDY,
                        "is no plugin: it has no symbol " SYMBOL
                        " (a const struct ens_plugin, see ensrun/plugin.h)");
    return check_version(file->plugin, err);
}

enum ens_status ens_plugin_open(struct ens_plugin_file *file, const char *path,
                                const struct ens_host *host, int alone,
                                struct ens_error *err)
{
    struct ens_plugin_file f = {.path = strdup(path)};
    enum ens_status s;

    if (f.path == NULL)
        return ens_fail(err, ENS_ENOMEMORY, "out of memory");
    s = read_file(&f, err);
    if (s == ENS_OK)
        s = load(&f, alone, err);
    if (s == ENS_OK)
        s = ens_plugin_check(f.plugin, err);
    if (s != ENS_OK) {
        ens_plugin_close(&f);
        return ens_wrap(err, s, "%s", path);
    }
    if (f.plugin->host != NULL)
        *f.plugin->host = host;
    *file = f;
    return ENS_OK;
}

void ens_plugin_close(struct ens_plugin_file *file)
{
    free(file->path);
    memset(file, 0, sizeof(*file));
}

/* -- what it has ----------------------------------------------------------- */

static enum ens_status unknown(const struct ens_plugin_file *file,
                               const char *key, const char *name,
                               struct ens_error *err)
{
    const struct ens_plugin *p = file->plugin;
    struct ens_buf has = ENS_BUF_INIT;

    for (size_t i = 0; i < p->n_kinds; i++)
        ens_buf_printf(&has, "%skind %s", has.len > 0 ? ", " : "",
                       p->kinds[i]->name);
    for (size_t i = 0; i < p->n_parts; i++)
        ens_buf_printf(&has, "%s%s %s", has.len > 0 ? ", " : "",
                       p->parts[i].key, p->parts[i].impl.name);
    ens_fail(err, ENS_ENOTFOUND, "%s has no %s %.60s; it has %s", file->path,
             key, name, has.len > 0 ? ens_buf_text(&has) : "nothing");
    ens_buf_fini(&has);
    return ENS_ENOTFOUND;
}

enum ens_status ens_plugin_kind(const struct ens_plugin_file *file,
                                const char *name, const struct ens_kind **kind,
                                struct ens_error *err)
{
    const struct ens_plugin *p = file->plugin;

    for (size_t i = 0; i < p->n_kinds; i++)
        if (strcmp(p->kinds[i]->name, name) == 0) {
            *kind = p->kinds[i];
            return ENS_OK;
        }
    return unknown(file, "kind", name, err);
}

enum ens_status ens_plugin_part(const struct ens_plugin_file *file,
                                const char *key, const char *name,
                                const struct ens_impl **impl,
                                struct ens_error *err)
{
    const struct ens_plugin *p = file->plugin;

    for (size_t i = 0; i < p->n_parts; i++)
        if (strcmp(p->parts[i].key, key) == 0 &&
            strcmp(p->parts[i].impl.name, name) == 0) {
            *impl = &p->parts[i].impl;
            return ENS_OK;
        }
    return unknown(file, key, name, err);
}
