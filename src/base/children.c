#include "base/children.h"

#include "base/clock.h"
#include "base/number.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Parent in /proc/PID/stat: "PID (COMM) S PPID ..."; COMM may hold anything,
 * so look behind its last parenthesis. 0 when the process is gone. */
static uint64_t parent_of(const char *pid)
{
    char path[64];
    char text[512];
    uint64_t parent = 0;
    const char *at;
    ssize_t n;
    int fd;

    snprintf(path, sizeof(path), "/proc/%.20s/stat", pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    n = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (n <= 0)
        return 0;
    text[n] = '\0';
    at = strrchr(text, ')');
    if (at == NULL || strlen(at) < 4)
        return 0;
    at += 4; /* ") S " */
    if (ens_number_parse_u64(at, strspn(at, "0123456789"), &parent) != 0)
        return 0;
    return parent;
}

void ens_children_each(void (*visit)(void *arg, int32_t pid), void *arg)
{
    DIR *d = opendir("/proc");
    uint64_t self = (uint64_t)getpid();
    const struct dirent *e;
    uint64_t pid;

    if (d == NULL)
        return;
    while ((e = readdir(d)) != NULL)
        if (ens_number_parse_u64(e->d_name, strlen(e->d_name), &pid) == 0 &&
            parent_of(e->d_name) == self)
            visit(arg, (int32_t)pid);
    closedir(d);
}

static void kill_one(void *arg, int32_t pid)
{
    (void)arg;
    kill(pid, SIGKILL);
}

void ens_children_end(double seconds)
{
    const struct timespec pause = {0, 1000000};
    uint64_t start = ens_clock_ns();

    do {
        pid_t p;

        ens_children_each(kill_one, NULL);
        do
            p = waitpid(-1, NULL, WNOHANG);
        while (p > 0 || (p < 0 && errno == EINTR));
        if (p < 0)
            return; /* ECHILD */
        nanosleep(&pause, NULL);
    } while ((double)(ens_clock_ns() - start) < seconds * 1e9);
}
