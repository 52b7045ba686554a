#include "worker/slot.h"

#include "base/bug.h"

_Static_assert(sizeof(struct ens_slot) == 64, "a slot is a cache line");

const char *ens_phase_text(enum ens_phase p)
{
    static const char *const text[] = {"starting", "opening", "idle", "running",
                                       "sending"};
    size_t i = (size_t)p;

    return i < ENS_COUNT(text) ? text[i] : "unknown";
}
