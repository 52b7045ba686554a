#include "kinds/synthetic/lanes.h"

#include <math.h>

#define CHUNK 512u

uint32_t ens_lanes(uint64_t n)
{
    uint64_t lanes = n / 65536 + (n % 65536 != 0);

    if (lanes < 16)
        lanes = 16;
    if (lanes > ENS_LANES_MAX)
        lanes = ENS_LANES_MAX;
    if (lanes > n)
        lanes = n;
    return (uint32_t)lanes;
}

static double sum_rows(const struct ens_view *v, uint64_t first, uint64_t end)
{
    double x[CHUNK], sum = 0;
    uint64_t n, i;

    for (; first < end; first += n) {
        n = end - first < CHUNK ? end - first : CHUNK;
        ens_view_f64(v, first, n, x);
        for (i = 0; i < n; i++)
            if (!isnan(x[i]))
                sum += x[i];
    }
    return sum;
}

/* floor(i n / L) without overflow: n = q L + r. */
static uint64_t lane_start(uint64_t n, uint32_t lanes, uint32_t i)
{
    return n / lanes * i + n % lanes * i / lanes;
}

double ens_lanes_sum(const struct ens_view *v)
{
    double lane[ENS_LANES_MAX];
    uint64_t n = v->shape[0];
    uint32_t lanes = ens_lanes(n), left, i;

    if (n == 0)
        return 0;
    for (i = 0; i < lanes; i++)
        lane[i] =
            sum_rows(v, lane_start(n, lanes, i), lane_start(n, lanes, i + 1));
    for (left = lanes; left > 1; left = left / 2 + left % 2) {
        for (i = 0; i < left / 2; i++)
            lane[i] = lane[2 * i] + lane[2 * i + 1];
        if (left % 2)
            lane[left / 2] = lane[left - 1];
    }
    return lane[0];
}
