/* Files that kinds have beside their tables. */
#include "export/table.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static enum ens_status put(void *arg, const void *p, size_t n,
                           struct ens_error *err)
{
    struct ens_out *out = arg;

    ens_out_put(out, p, n);
    return out->error.status == ENS_OK ? ENS_OK : ens_out_flush(out, err);
}

/* What an earlier run wrote is of no study now. */
static enum ens_status take_away(const char *path, struct ens_error *err)
{
    if (unlink(path) != 0 && errno != ENOENT)
        return ens_fail_errno(err, ENS_EIO, "cannot remove %s", path);
    return ENS_OK;
}

enum ens_status ens_file_write(const struct ens_tables *t,
                               const struct ens_file_def *def,
                               struct ens_error *err)
{
    struct ens_out out;
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s/%s", t->rq.dir, def->name);
    enum ens_status s;

    if (n < 0 || (size_t)n >= sizeof(path))
        return ens_fail(err, ENS_EIO, "%s: path too long", t->rq.dir);
    s = ens_out_create(&out, path, t->rq.io, err);
    if (s != ENS_OK)
        return s;
    ens_tables_in_rewind(t->in, 0);
    s = def->write(t->rq.host, t->rq.plan, t->in, put, &out, err);
    if (s == ENS_OK)
        return ens_out_commit(&out, err);
    ens_out_abort(&out);
    return s == ENS_ENOTFOUND ? take_away(path, err)
                              : ens_wrap(err, s, "%s", def->name);
}
