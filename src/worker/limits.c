#include "worker/limits.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/number.h"

#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define STATUS_MAX 65536

/* "VmData:\t  1234 kB" of /proc/self/status. */
static enum ens_status data_bytes(uint64_t *bytes, struct ens_error *err)
{
    struct ens_buf b = ENS_BUF_INIT;
    enum ens_status s = ens_file_read(&b, "/proc/self/status", STATUS_MAX, err);
    const char *at = s == ENS_OK ? strstr(ens_buf_text(&b), "VmData:") : NULL;
    uint64_t kib = 0;

    if (at != NULL) {
        at += strlen("VmData:");
        at += strspn(at, " \t");
        if (ens_number_parse_u64(at, strspn(at, "0123456789"), &kib) != 0)
            at = NULL;
    }
    ens_buf_fini(&b);
    if (s != ENS_OK)
        return s;
    if (at == NULL)
        return ens_fail(err, ENS_EPROCESS, "/proc/self/status has no VmData");
    *bytes = kib * 1024;
    return ENS_OK;
}

enum ens_status ens_limit_memory(uint64_t bytes, struct ens_error *err)
{
    struct rlimit lim;
    uint64_t used = 0;
    enum ens_status s = data_bytes(&used, err);

    if (s != ENS_OK)
        return s;
    if (getrlimit(RLIMIT_DATA, &lim) != 0)
        return ens_fail_errno(err, ENS_EPROCESS, "cannot read RLIMIT_DATA");
    if (lim.rlim_cur != RLIM_INFINITY && lim.rlim_cur <= used + bytes)
        return ENS_OK; /* the system's is tighter */
    lim.rlim_cur = used + bytes;
    if (setrlimit(RLIMIT_DATA, &lim) != 0)
        return ens_fail_errno(err, ENS_EPROCESS, "cannot set RLIMIT_DATA");
    return ENS_OK;
}

void ens_limit_oom_first(void)
{
    int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return; /* no /proc: nothing to gain */
    (void)!write(fd, "1000", 4);
    close(fd);
}
