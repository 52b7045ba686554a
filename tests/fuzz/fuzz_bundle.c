/* Bundles: any bytes are refused with a text, or are files within them whose
 * names stay in a folder. */
#include "record/bundle.h"

#include "base/bug.h"
#include "base/file.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_name(const struct ens_bundle_file *f)
{
    ENS_BUG_ON(strlen(f->name) != f->name_bytes || f->name[0] == '/' ||
               strcmp(f->name, "..") == 0 || strncmp(f->name, "../", 3) == 0 ||
               strstr(f->name, "/../") != NULL ||
               strstr(f->name, "//") != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int fd = -1;
    struct ens_bundle_file f;
    struct ens_error err = {0};
    struct ens_bundle b;
    uint64_t from = 0;
    int more;
    enum ens_status s;

    if (fd < 0)
        fd = memfd_create("bundle", 0);
    ENS_BUG_ON(fd < 0 || ftruncate(fd, 0) != 0 || lseek(fd, 0, SEEK_SET) != 0 ||
               ens_write_all(fd, data, size) != 0);
    if (!ens_bundle_is(fd, 0, size))
        return 0;
    ens_bundle_init(&b, fd, 0, size);
    while ((s = ens_bundle_next(&b, &more, &f, &err)) == ENS_OK && more) {
        check_name(&f);
        ENS_BUG_ON(f.offset < from || f.offset > size ||
                   f.length > size - f.offset);
        from = f.offset + f.length;
    }
    ENS_BUG_ON(s != ENS_OK && (s != ENS_ECORRUPT || err.text[0] == '\0'));
    return 0;
}
