#include "cli/kinds_plugin.h"

#include "base/arena.h"
#include "config/plugin_name.h"
#include "kind/plugin.h"
#include "worker/worker.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void print_file(const struct ens_plugin_file *file)
{
    const struct ens_plugin *p = file->plugin;
    const char *base = strrchr(file->path, '/') + 1;

    printf("%s%s%s\nbuilt with ensrun %s, plugin interface %u\n\n", base,
           p->help != NULL ? ": " : "", p->help != NULL ? p->help : "",
           p->version, (unsigned)p->abi);
    for (size_t i = 0; i < p->n_kinds; i++)
        printf("kind = ./%s:%s\n    %s\n", base, p->kinds[i]->name,
               p->kinds[i]->help);
    for (size_t i = 0; i < p->n_parts; i++) {
        const struct ens_plugin_part *part = &p->parts[i];

        printf("%s = ./%s:%s\n    %s\n",
               strcmp(part->key, "metric") == 0 ? "[metrics] use" : part->key,
               base, part->impl.name, part->impl.help);
    }
    printf("\n`ensrun kinds FILE:NAME` lists the settings of one.\n");
}

static enum ens_status print_one(const struct ens_plugin_file *file,
                                 const char *name,
                                 const struct ens_kinds_printer *print,
                                 struct ens_error *err)
{
    const struct ens_plugin *p = file->plugin;
    const struct ens_kind *kind;
    int found = 0;

    for (size_t i = 0; i < p->n_kinds; i++)
        if (strcmp(p->kinds[i]->name, name) == 0) {
            print->kind(p->kinds[i]);
            found = 1;
        }
    for (size_t i = 0; i < p->n_parts; i++)
        if (strcmp(p->parts[i].impl.name, name) == 0) {
            print->impl(p->parts[i].key, &p->parts[i].impl);
            found = 1;
        }
    return found ? ENS_OK : ens_plugin_kind(file, name, &kind, err);
}

/* A file alone, or with a name. */
static enum ens_status read_word(struct ens_plugin_name *p,
                                 struct ens_arena *arena, const char *word,
                                 struct ens_error *err)
{
    char here[PATH_MAX];
    size_t n = strlen(word);

    if (getcwd(here, sizeof(here)) == NULL)
        return ens_fail_errno(err, ENS_EIO, "current folder");
    while (strncmp(word, "./", 2) == 0) {
        word += 2;
        n -= 2;
    }
    memset(p, 0, sizeof(*p));
    if (access(word, F_OK) != 0 && ens_plugin_name_end(word, n) == n &&
        strchr(word, ':') != NULL)
        return ens_plugin_name_read(p, arena, here, word, n, err);
    p->path =
        word[0] == '/' ? word : ens_arena_printf(arena, "%s/%s", here, word);
    return p->path != NULL ? ENS_OK
                           : ens_fail(err, ENS_ENOMEMORY, "out of memory");
}

enum ens_status ens_kinds_plugin(const char *word,
                                 const struct ens_kinds_printer *print,
                                 struct ens_error *err)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_plugin_file file = {0};
    struct ens_plugin_name p;
    enum ens_status s = read_word(&p, &arena, word, err);

    if (s == ENS_OK)
        s = ens_plugin_open(&file, p.path, &ens_host, 0, err);
    if (s == ENS_OK && p.name == NULL)
        print_file(&file);
    else if (s == ENS_OK)
        s = print_one(&file, p.name, print, err);
    ens_plugin_close(&file);
    ens_arena_fini(&arena);
    return s;
}
