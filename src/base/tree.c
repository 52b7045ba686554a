#include "base/tree.h"

#include "base/number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES 1024 /* more than stat has */

void ens_tree_fini(struct ens_tree *t)
{
    free(t->process);
    memset(t, 0, sizeof(*t));
}

/* /proc/PID/stat, NUL-terminated; -1: it is gone. */
static int read_text(int32_t pid, char to[TEXT_BYTES])
{
    char path[64];
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    n = read(fd, to, TEXT_BYTES - 1); /* it comes whole */
    close(fd);
    to[n > 0 ? n : 0] = '\0';
    return n > 0 ? 0 : -1;
}

/* "PID (COMM) S PPID ...": COMM may hold anything, so look behind its last
 * parenthesis. Fields 14 to 17 are CPU times in ticks. */
static int read_stat(struct ens_tree_process *p, long ticks_per_s)
{
    char text[TEXT_BYTES];
    unsigned long long user, sys, waited_user, waited_sys;
    const char *at;
    char state;
    int parent;

    if (read_text(p->pid, text) != 0)
        return -1;
    at = strrchr(text, ')');
    if (at == NULL ||
        sscanf(at,
               ") %c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %llu %llu "
               "%llu",
               &state, &parent, &user, &sys, &waited_user, &waited_sys) != 6)
        return -1;
    p->parent = parent;
    p->is_ended = state == 'Z' || state == 'X' || state == 'x';
    p->cpu_ns = (uint64_t)((double)(user + sys + waited_user + waited_sys) *
                           1e9 / (double)ticks_per_s);
    return 0;
}

/* A line "KEY:  N kB"? Its bytes, else 0. */
static uint64_t bytes_of(const char *line, const char *key)
{
    size_t n = strlen(key);
    uint64_t kib;

    if (strncmp(line, key, n) != 0)
        return 0;
    line += n + strspn(line + n, " ");
    return ens_number_parse_u64(line, strspn(line, "0123456789"), &kib) == 0
               ? kib * 1024
               : 0;
}

/* Of a process, mapping by mapping. What nobody else maps is its own where it
 * is anonymous: of a page of a file that only means that no other process has
 * looked at it. smaps_rollup has both sums and not what they have in common. */
static void add_mappings(struct ens_memory *m, FILE *f)
{
    char line[256];
    uint64_t alone = 0; /* of the present mapping */
    int is_start = 1;   /* of a line */

    while (fgets(line, sizeof(line), f) != NULL) {
        uint64_t anonymous = is_start ? bytes_of(line, "Anonymous:") : 0;

        if (is_start) {
            m->rss += bytes_of(line, "Rss:");
            m->pss += bytes_of(line, "Pss:");
            if (strncmp(line, "Rss:", 4) == 0)
                alone = 0;
            alone += bytes_of(line, "Private_Clean:") +
                     bytes_of(line, "Private_Dirty:");
            m->own_bytes += anonymous < alone ? anonymous : alone;
        }
        is_start = strchr(line, '\n') != NULL;
    }
}

static void read_memory(struct ens_tree_process *p)
{
    char path[64];
    FILE *f;

    if (p->is_ended)
        return;
    snprintf(path, sizeof(path), "/proc/%d/smaps", (int)p->pid);
    f = fopen(path, "re");
    p->is_hidden = f == NULL && (errno == EACCES || errno == EPERM);
    if (f == NULL)
        return; /* another user's, or it has ended */
    add_mappings(&p->memory, f);
    fclose(f);
}

static struct ens_tree_process *add(struct ens_tree *t)
{
    size_t cap = t->cap == 0 ? 256 : 2 * t->cap;
    struct ens_tree_process *p;

    if (t->n == t->cap) {
        p = realloc(t->process, cap * sizeof(*p));
        if (p == NULL)
            return NULL;
        t->process = p;
        t->cap = cap;
    }
    p = &t->process[t->n++];
    memset(p, 0, sizeof(*p));
    return p;
}

/* All processes that there are. */
static int read_all(struct ens_tree *t)
{
    long ticks = sysconf(_SC_CLK_TCK);
    DIR *d = opendir("/proc");
    const struct dirent *e;
    struct ens_tree_process *p;
    uint64_t pid;

    t->n = 0;
    if (d == NULL)
        return -1;
    while ((e = readdir(d)) != NULL) {
        if (ens_number_parse_u64(e->d_name, strlen(e->d_name), &pid) != 0)
            continue;
        p = add(t);
        if (p == NULL)
            break;
        p->pid = (int32_t)pid;
        if (read_stat(p, ticks) != 0)
            t->n--; /* it has ended */
    }
    closedir(d);
    return e == NULL ? 0 : -1;
}

static void swap(struct ens_tree *t, size_t a, size_t b)
{
    struct ens_tree_process p = t->process[a];

    t->process[a] = t->process[b];
    t->process[b] = p;
}

/* Moves root and then, generation by generation, all below it to the front. */
static size_t keep_below(struct ens_tree *t, int32_t root)
{
    size_t n = 0;

    for (size_t i = 0; i < t->n && n == 0; i++)
        if (t->process[i].pid == root)
            swap(t, i, n++);
    for (size_t k = 0; k < n; k++)
        for (size_t i = n; i < t->n; i++)
            if (t->process[i].parent == t->process[k].pid)
                swap(t, i, n++);
    return n;
}

int ens_tree_read_list(struct ens_tree *t, const int32_t *pid, size_t n)
{
    t->n = 0;
    for (size_t i = 0; i < n; i++) {
        struct ens_tree_process *p = add(t);

        if (p == NULL)
            return -1;
        p->pid = pid[i];
        read_memory(p);
    }
    return 0;
}

int ens_tree_read(struct ens_tree *t, int32_t root)
{
    if (read_all(t) != 0) {
        t->n = 0;
        return -1;
    }
    t->n = keep_below(t, root);
    for (size_t i = 0; i < t->n; i++)
        read_memory(&t->process[i]);
    return 0;
}
