#include "embed/program.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int is_program(const char *path)
{
    return access(path, X_OK) == 0;
}

/* What PATH --version prints, and that it ended well. */
static int read_version(const char *path, char *to, size_t cap)
{
    char flag[] = "--version";
    char *argv[] = {(char *)(uintptr_t)path, flag, NULL};
    posix_spawn_file_actions_t files;
    size_t n = 0;
    ssize_t k = 1;
    int status = -1;
    int fd[2];
    pid_t pid;
    int r;

    if (pipe2(fd, O_CLOEXEC) != 0)
        return -1;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&files, fd[1], 1);
    r = posix_spawn(&pid, path, &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    close(fd[1]);
    while (r == 0 && n + 1 < cap && k > 0) {
        k = read(fd[0], to + n, cap - 1 - n);
        n += k > 0 ? (size_t)k : 0;
    }
    to[n] = '\0';
    close(fd[0]);
    if (r == 0)
        waitpid(pid, &status, 0);
    return r == 0 ? 0 : -1;
}

/* Both speak the same protocol when they are of one version. */
static enum ens_status check_version(const char *path, struct ens_error *err)
{
    static const char mine[] = "ensrun " ENS_VERSION;
    char text[128];

    if (read_version(path, text, sizeof(text)) != 0)
        return ens_fail_errno(err, ENS_EPROCESS, "cannot run %s", path);
    text[strcspn(text, "\n")] = '\0';
    if (strcmp(text, mine) == 0)
        return ENS_OK;
    return ens_fail(err, ENS_EPROCESS,
                    "%s: is not the program of this library (%s): "
                    "`%s --version` says \"%.60s\"",
                    path, mine, path, text);
}

static enum ens_status check(const char *path, const char *from, char *to,
                             size_t cap, struct ens_error *err)
{
    if (!is_program(path))
        return ens_fail_errno(err, ENS_EPROCESS,
                              "%s: %s cannot be run as the ensrun program",
                              from, path);
    if ((size_t)snprintf(to, cap, "%s", path) >= cap)
        return ens_fail(err, ENS_EPROCESS, "%s: path too long", from);
    return check_version(path, err);
}

enum ens_status ens_program_find(const char *given, char *to, size_t cap,
                                 struct ens_error *err)
{
    static const char *const beside[] = {ENS_BIN_FROM_LIB "/ensrun", "ensrun"};
    const char *set = getenv("ENSRUN_PROGRAM");
    char library[PATH_MAX];
    char tried[2][PATH_MAX + 64];
    Dl_info info;
    char *slash;

    if (given != NULL)
        return check(given, "program", to, cap, err);
    if (set != NULL && *set != '\0')
        return check(set, "ENSRUN_PROGRAM", to, cap, err);
    if (dladdr(beside, &info) == 0 || info.dli_fname == NULL ||
        realpath(info.dli_fname, library) == NULL)
        return ens_fail(err, ENS_EPROCESS,
                        "cannot tell where libensrun is; set ENSRUN_PROGRAM "
                        "to the path of the ensrun program");
    slash = strrchr(library, '/');
    *slash = '\0';
    for (size_t i = 0; i < 2; i++) {
        snprintf(tried[i], sizeof(tried[i]), "%s/%s", library, beside[i]);
        if (is_program(tried[i]))
            return check(tried[i], "program", to, cap, err);
    }
    return ens_fail(err, ENS_EPROCESS,
                    "cannot find the ensrun program: there is no %.180s and "
                    "no %.180s; set ENSRUN_PROGRAM to its path",
                    tried[0], tried[1]);
}
