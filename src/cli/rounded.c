#include "cli/rounded.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_DIGITS 12
#define MAX_FIXED  1e9 /* larger ones in powers of ten */

/* Behind the point; -1: the error does not say. */
static int digits_of(double error)
{
    int digits;

    if (!(error > 0) || isinf(error) || error > MAX_FIXED)
        return -1;
    digits = 1 - (int)floor(log10(error));
    return digits < 0 ? 0 : digits > MAX_DIGITS ? -1 : digits;
}

size_t ens_rounded_value(char to[ENS_ROUNDED_BYTES], double value, double error)
{
    int digits = digits_of(error);
    size_t n;

    *to = '\0';
    if (isnan(value))
        return 0;
    if (digits < 0 || fabs(value) > MAX_FIXED)
        snprintf(to, ENS_ROUNDED_BYTES, "%.6g", value);
    else
        snprintf(to, ENS_ROUNDED_BYTES, "%.*f", digits, value);
    n = strlen(to);
    if (*to == '-' && strspn(to, "-0.") == n)
        memmove(to, to + 1, n--); /* no negative zero */
    return n;
}

size_t ens_rounded_error(char to[ENS_ROUNDED_BYTES], double error)
{
    int digits = digits_of(error);

    *to = '\0';
    if (isnan(error))
        return 0;
    if (digits < 0)
        snprintf(to, ENS_ROUNDED_BYTES, "%.2g", error);
    else
        snprintf(to, ENS_ROUNDED_BYTES, "%.*f", digits, error);
    return strlen(to);
}

size_t ens_rounded_both(char to[ENS_ROUNDED_BYTES], double value, double error)
{
    char second[ENS_ROUNDED_BYTES];
    size_t n = ens_rounded_value(to, value, error);

    if (n == 0 || ens_rounded_error(second, error) == 0)
        return n;
    snprintf(to + n, ENS_ROUNDED_BYTES - n, " (%.60s)", second);
    return strlen(to);
}
