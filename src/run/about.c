#include "run/about.h"

#include <gnu/libc-version.h>
#include <gsl/gsl_version.h>
#include <jansson.h>
#include <stdio.h>
#include <uv.h>
#include <xxhash.h>

char *openblas_get_config(void); /* its header clashes with lapacke's */

struct json_t *ens_about_libraries(void)
{
    json_t *o = json_object();
    unsigned xxh = XXH_versionNumber();
    char text[32];

    snprintf(text, sizeof(text), "%u.%u.%u", xxh / 10000, xxh / 100 % 100,
             xxh % 100);
    json_object_set_new(o, "glibc", json_string(gnu_get_libc_version()));
    json_object_set_new(o, "gsl", json_string(gsl_version));
    json_object_set_new(o, "openblas", json_string(openblas_get_config()));
    json_object_set_new(o, "jansson", json_string(jansson_version_str()));
    json_object_set_new(o, "libuv", json_string(uv_version_string()));
    json_object_set_new(o, "xxhash", json_string(text));
    return o;
}
