#include <ensrun/version.h>
#include <stdio.h>

int main(void)
{
    printf("ensrun %s\n", ens_version());
    return 0;
}
