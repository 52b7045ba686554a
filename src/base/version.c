#include <ensrun/version.h>

const char *ens_version(void)
{
    return ENS_VERSION;
}
