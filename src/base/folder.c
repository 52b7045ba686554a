#include "base/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_folder(const char *path)
{
    return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* 0 = fd is what has that name now. */
static int check_name(int fd, const char *path)
{
    struct stat a, b;

    if (fstat(fd, &a) != 0 || lstat(path, &b) != 0)
        return -1;
    errno = ENOENT;
    return a.st_dev == b.st_dev && a.st_ino == b.st_ino ? 0 : -1;
}

static int fail(int fd)
{
    int e = errno;

    close(fd);
    errno = e;
    return -1;
}

int ens_folder_hold(const char *path)
{
    int fd = open_folder(path);

    if (fd < 0)
        return -1;
    while (flock(fd, LOCK_SH) != 0 && errno == EINTR)
        ;
    return check_name(fd, path) == 0 ? fd : fail(fd);
}

int ens_folder_take(const char *path)
{
    int fd = open_folder(path);

    if (fd < 0)
        return -1;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 || check_name(fd, path) != 0)
        return fail(fd);
    return fd;
}
