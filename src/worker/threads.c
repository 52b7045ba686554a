#include "worker/threads.h"

#include "base/buf.h"
#include "base/threads.h"

#include <link.h>
#include <string.h>

/* Libraries that start no threads, on every list and no help on it. */
static int is_plain(const char *name)
{
    static const char *const plain[] = {"linux-vdso", "ld-linux", "libc.so",
                                        "libm.so"};

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (strncmp(name, plain[i], strlen(plain[i])) == 0)
            return 1;
    return name[0] == '\0';
}

static int add_name(struct dl_phdr_info *info, size_t size, void *arg)
{
    const char *slash = strrchr(info->dlpi_name, '/');
    const char *name = slash != NULL ? slash + 1 : info->dlpi_name;
    struct ens_buf *b = arg;

    (void)size;
    if (!is_plain(name))
        ens_buf_printf(b, "%s%s", b->len > 0 ? " " : "", name);
    return 0;
}

enum ens_status ens_threads_check(struct ens_error *err)
{
    struct ens_buf b = ENS_BUF_INIT;
    unsigned n = ens_threads_count();

    if (n == 1)
        return ENS_OK;
    dl_iterate_phdr(add_name, &b);
    ens_fail(err, ENS_EPROCESS,
             "%u threads after opening, where workers are forked from one; "
             "one of these libraries starts them: %s",
             n, ens_buf_text(&b));
    ens_buf_fini(&b);
    return ENS_EPROCESS;
}
