#include <ensrun/error.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *text;
    int exit_code;
} table[] = {
#define ENS_STATUS_ROW(name, text, exit_code) {text, exit_code},
    ENS_STATUS_LIST(ENS_STATUS_ROW)
#undef ENS_STATUS_ROW
};

const char *ens_status_text(enum ens_status s)
{
    size_t i = (size_t)s;

    return i < sizeof(table) / sizeof(table[0]) ? table[i].text : "unknown";
}

int ens_status_exit(enum ens_status s)
{
    size_t i = (size_t)s;

    return i < sizeof(table) / sizeof(table[0]) ? table[i].exit_code : 70;
}

static void mark_cut(struct ens_error *err, int n)
{
    size_t cap = sizeof(err->text);

    if (n < 0 || (size_t)n >= cap)
        memcpy(err->text + cap - 4, "...", 4);
}

enum ens_status ens_fail(struct ens_error *err, enum ens_status s,
                         const char *fmt, ...)
{
    va_list ap;

    if (err == NULL)
        return s;
    memset(err, 0, sizeof(*err));
    err->status = (int32_t)s;
    va_start(ap, fmt);
    mark_cut(err, vsnprintf(err->text, sizeof(err->text), fmt, ap));
    va_end(ap);
    return s;
}

static enum ens_status from_errno(int e, enum ens_status s)
{
    if (e == ENOSPC || e == EDQUOT)
        return ENS_ENOSPACE;
    if (e == ENOMEM)
        return ENS_ENOMEMORY;
    return s;
}

enum ens_status ens_fail_errno(struct ens_error *err, enum ens_status s,
                               const char *fmt, ...)
{
    int e = errno;
    size_t cap = sizeof(err->text);
    size_t used;
    va_list ap;

    s = from_errno(e, s);
    if (err == NULL)
        return s;
    memset(err, 0, sizeof(*err));
    err->status = (int32_t)s;
    err->sys_errno = e;
    va_start(ap, fmt);
    mark_cut(err, vsnprintf(err->text, cap, fmt, ap));
    va_end(ap);
    used = strlen(err->text);
    mark_cut(err, (int)used + snprintf(err->text + used, cap - used, ": %s",
                                       strerror(e)));
    return s;
}

enum ens_status ens_wrap(struct ens_error *err, enum ens_status s,
                         const char *fmt, ...)
{
    char old[sizeof(err->text)];
    size_t cap = sizeof(err->text);
    size_t used;
    va_list ap;

    if (err == NULL)
        return s;
    memcpy(old, err->text, sizeof(old));
    va_start(ap, fmt);
    mark_cut(err, vsnprintf(err->text, cap, fmt, ap));
    va_end(ap);
    used = strlen(err->text);
    mark_cut(err,
             (int)used + snprintf(err->text + used, cap - used, ": %s", old));
    err->status = (int32_t)s;
    return s;
}
