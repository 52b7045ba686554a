#include "program/mapped.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* One line of /proc/self/maps. */
struct span {
    uint64_t begin, end, offset, inode;
    unsigned major_, minor_;
    const char *path;
};

static int read_span(char *line, struct span *s)
{
    int n = 0;

    /* begin-end rwxp offset major:minor inode   path */
    if (sscanf(line,
               "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %x:%x %" SCNu64 " %n",
               &s->begin, &s->end, &s->offset, &s->major_, &s->minor_,
               &s->inode, &n) != 6 ||
        n == 0)
        return -1;
    s->path = line + n;
    line[n + (int)strcspn(s->path, "\n")] = '\0';
    return 0;
}

/* Does the path lead to that very file? It may be gone (" (deleted)"), or have
 * been replaced; line feeds in a name are written as \012. */
static int leads_there(const struct span *s)
{
    struct stat st;

    return s->path[0] == '/' && strchr(s->path, '\\') == NULL &&
           stat(s->path, &st) == 0 && S_ISREG(st.st_mode) &&
           st.st_ino == s->inode && major(st.st_dev) == s->major_ &&
           minor(st.st_dev) == s->minor_;
}

int ens_mapped_file(const void *p, size_t bytes, char *path, size_t cap,
                    uint64_t *at)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    uint64_t begin = (uint64_t)(uintptr_t)p;
    char *line = NULL;
    size_t size = 0;
    int found = -1;

    if (maps == NULL)
        return -1;
    while (found != 0 && getline(&line, &size, maps) > 0) {
        struct span s;

        if (read_span(line, &s) != 0 || begin < s.begin || begin >= s.end)
            continue;
        if (bytes > s.end - begin || !leads_there(&s) || strlen(s.path) >= cap)
            break;
        memcpy(path, s.path, strlen(s.path) + 1);
        *at = s.offset + (begin - s.begin);
        found = 0;
    }
    free(line);
    fclose(maps);
    return found;
}
