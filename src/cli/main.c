#include "base/number.h"
#include "cli/command.h"
#include "kinds/kinds.h"
#include "worker/zygote.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* `ensrun --zygote SOCKET` is the internal mode of worker/zygote.h. */
static int zygote(const char *text)
{
    int64_t fd;

    if (ens_number_parse_i64(text, strlen(text), &fd) != 0 || fd < 0 ||
        fd > INT32_MAX)
        return 70;
    return ens_zygote_main((int)fd, &ens_kinds);
}

/* A standard file that is closed would become the next file we open: messages
 * would go into a journal. Writing to such a stdout stays an error. */
static void fill_standard_files(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && errno == EBADF &&
            open("/dev/null", fd == 2 ? O_WRONLY : O_RDONLY) != fd)
            _exit(3);
}

int main(int argc, char **argv)
{
    fill_standard_files();
    if (argc == 3 && strcmp(argv[1], "--zygote") == 0)
        return zygote(argv[2]);
    return ens_cli_main(argc, argv);
}
