#include "base/tree.h"

#include "base/number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_BYTES 4096 /* more than stat and smaps_rollup have */

void ens_tree_fini(struct ens_tree *t)
{
    free(t->process);
    memset(t, 0, sizeof(*t));
}

/* Bytes of /proc/PID/NAME, NUL-terminated; -1 with errno. */
static ssize_t read_text(int32_t pid, const char *name, char to[TEXT_BYTES])
{
    char path[64];
    ssize_t n = 0, got;
    int fd, why;

    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    do {
        got = read(fd, to + n, TEXT_BYTES - 1 - (size_t)n);
        n += got > 0 ? got : 0;
    } while (got > 0 || (got < 0 && errno == EINTR));
    why = errno;
    close(fd);
    errno = why;
    to[n] = '\0';
    return got < 0 ? -1 : n;
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

    if (read_text(p->pid, "stat", text) < 0)
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

/* A line "KEY:  N kB". */
static uint64_t find_bytes(const char *text, const char *key)
{
    const char *p = strstr(text, key);
    unsigned long long kib = 0;

    return p != NULL && sscanf(p + strlen(key), " %llu", &kib) == 1 ? kib * 1024
                                                                    : 0;
}

static void read_memory(struct ens_tree_process *p)
{
    char text[TEXT_BYTES];

    if (p->is_ended)
        return;
    if (read_text(p->pid, "smaps_rollup", text) < 0) {
        p->is_hidden = errno == EACCES || errno == EPERM;
        return; /* else it has ended */
    }
    p->memory.pss = find_bytes(text, "\nPss:");
    p->memory.rss = find_bytes(text, "\nRss:");
    p->memory.own_bytes = find_bytes(text, "\nPrivate_Dirty:");
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
