/* Progress of a command that writes for a long time, and the signals that end
 * it: what is half written is removed first.
 *
 * One per process: signals are. */
#ifndef ENS_CLI_SCREEN_H
#define ENS_CLI_SCREEN_H

#include <stdint.h>

struct ens_screen {
    int bar, lines;
    int drawn;
    uint64_t start_ns, told_ns;
};

/** look: "bar", "lines", "none"; NULL: by the terminal. From now on INT, TERM
 * and HUP end the process only while nothing is being written. */
void ens_screen_init(struct ens_screen *s, const char *look);
/** A callback for writers, arg a struct ens_screen: nothing for two seconds,
 * then half a second (bar) or a minute (lines) apart. all 0: not known, done
 * is bytes. A phase that begins with "writing" is one. Not 0: a signal came,
 * clean up and return. */
int ens_screen_tell(void *arg, const char *phase, uint64_t done, uint64_t all);
/** Processes that a signal kills at once while we are writing, so that nobody
 * waits for them; 0: none. */
void ens_screen_group(int32_t pgid);
/** Remove what was drawn. */
void ens_screen_clear(struct ens_screen *s);
/** End by the signal that came, as if it had never been caught, for the shell.
 * Returns when there was none. */
void ens_screen_raise(void);

#endif
