/* A journal of one segment with any bytes. First byte: bit 0, the epoch is
 * closed at the end of the file; bit 1, the hashes of frames and groups are
 * made right, so that what is behind them is reached. */
#include "base/file.h"
#include "base/hash.h"
#include "record/frame.h"
#include "record/little.h"
#include "store/commit.h"
#include "store/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RUN 0x0123456789abcdefu

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char dir[64], segment[128], epoch[128];

static void check(int ok)
{
    if (!ok)
        abort();
}

static void clean(void)
{
    char path[128];

    unlink(segment);
    unlink(epoch);
    snprintf(path, sizeof(path), "%s/journal", dir);
    rmdir(path);
    snprintf(path, sizeof(path), "%s/epochs", dir);
    rmdir(path);
    rmdir(dir);
}

static void setup(void)
{
    snprintf(dir, sizeof(dir), "/tmp/ensrun-fuzz-XXXXXX");
    check(mkdtemp(dir) != NULL);
    snprintf(segment, sizeof(segment), "%s/journal/000001-01.ej", dir);
    snprintf(epoch, sizeof(epoch), "%s/epochs/000001", dir);
    *strrchr(segment, '/') = '\0';
    *strrchr(epoch, '/') = '\0';
    check(mkdir(segment, 0777) == 0 && mkdir(epoch, 0777) == 0);
    segment[strlen(segment)] = '/';
    epoch[strlen(epoch)] = '/';
    atexit(clean);
}

static void store(const char *path, const void *p, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);

    check(fd >= 0 && ens_write_all(fd, p, n) == 0);
    close(fd);
}

static void store_epoch(int closed, size_t end)
{
    char text[256];
    int n = snprintf(text, sizeof(text),
                     "counter=0\nhost=h\nboot=b\npidns=p\npid=1\nstart=1\n"
                     "run_id=0123456789abcdef\n");

    if (closed)
        n += snprintf(text + n, sizeof(text) - (size_t)n, "closed=%zu\n", end);
    store(epoch, text, (size_t)n);
}

static void repair(unsigned char *p, size_t n)
{
    uint64_t start = 0;
    size_t at = 0;

    while (n - at >= ENS_FRAME_HEAD) {
        unsigned char *f = p + at;
        size_t bytes = ens_frame_bytes(ens_get32(f + 8));

        if (ens_get32(f + 8) > ENS_FRAME_PAYLOAD_MAX || bytes > n - at)
            return;
        if (f[5] == ENS_FRAME_COMMIT && bytes == ENS_COMMIT_BYTES &&
            ens_get64(f + ENS_FRAME_HEAD + 8) == start)
            ens_put64(f + ENS_FRAME_HEAD + 24,
                      ens_hash64_seed(p + start, at - start, RUN));
        ens_put64(f + bytes - 8, ens_hash64_seed(f, bytes - 8, RUN));
        at += bytes;
        if (start == 0 || f[5] == ENS_FRAME_COMMIT)
            start = at;
    }
}

static enum ens_status visit(void *arg, const struct ens_segment *s,
                             struct ens_log_at at, const struct ens_frame *f,
                             struct ens_error *err)
{
    uint64_t *sum = arg;

    (void)err;
    check(at.offset + f->total_bytes <= s->end);
    *sum += ens_hash64(f->payload, f->length);
    return ENS_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ens_log log;
    struct ens_error err;
    uint64_t sum = 0;
    enum ens_status s;
    unsigned char *copy;

    if (size == 0)
        return 0;
    if (dir[0] == '\0')
        setup();
    copy = malloc(size);
    check(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    if (data[0] & 2)
        repair(copy, size - 1);
    store(segment, copy, size - 1);
    store_epoch(data[0] & 1, size - 1);
    free(copy);
    s = ens_log_open(&log, dir, NULL, &err);
    check(s == ENS_OK || s == ENS_ECORRUPT);
    if (s != ENS_OK)
        return 0;
    s = ens_log_walk(&log, NULL, visit, &sum, &err);
    check(s == ENS_OK || s == ENS_ECORRUPT);
    ens_log_close(&log);
    return 0;
}
