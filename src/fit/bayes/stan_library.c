#include "fit/bayes/stan_library.h"

#include <dlfcn.h>
#include <string.h>

/* "what: why", in the words of dlopen, which begin with the path. */
static enum ens_status fail(const char *path, const char *why,
                            struct ens_error *err)
{
    size_t n = strlen(path);

    if (why && strncmp(why, path, n) == 0 && strncmp(why + n, ": ", 2) == 0)
        why += n + 2;
    return ens_fail(err, ENS_EINPUT, "%.200s: %.250s", path,
                    why ? why : "cannot be loaded");
}

enum ens_status ens_stan_load(struct ens_stan_library *l, const char *path,
                              struct ens_error *err)
{
    static const char *const symbol[] = {
#define SYMBOL(member, symbol, result, arguments) symbol,
        ENS_STAN_FUNCTIONS(SYMBOL)
#undef SYMBOL
    };
    void *function[sizeof(symbol) / sizeof(symbol[0])];
    struct ens_stan_library loaded;
    const int *major;
    void *handle;

    _Static_assert(sizeof(function) == sizeof(loaded), "one pointer each");
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!handle)
        return fail(path, dlerror(), err);
    major = dlsym(handle, "bs_major_version");
    if (!major || *major != 2)
        return fail(path,
                    major ? "is of another version of BridgeStan than 2"
                          : "has no bs_major_version: not a model compiled "
                            "by BridgeStan 2",
                    err);
    for (size_t i = 0; i < sizeof(symbol) / sizeof(symbol[0]); i++) {
        function[i] = dlsym(handle, symbol[i]);
        if (!function[i])
            return ens_fail(err, ENS_EINPUT, "%.200s: has no %s", path,
                            symbol[i]);
    }
    memcpy(&loaded, function, sizeof(loaded));
    *l = loaded;
    return ENS_OK;
}
