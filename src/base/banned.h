/* Functions that stop the build (force-included in every source of src/). */
#ifndef ENS_BASE_BANNED_H
#define ENS_BASE_BANNED_H

#include <alloca.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef alloca
#pragma GCC poison strcpy strcat sprintf vsprintf atoi atol atof strtok gets
#pragma GCC poison rand srand alloca

#endif
