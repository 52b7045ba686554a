#ifndef ENS_BASE_THREADS_H
#define ENS_BASE_THREADS_H

/** Threads of this process; 1 when that cannot be known. */
unsigned ens_threads_count(void);

#endif
