/* Our own mistakes: print the place and abort, in every build. */
#ifndef ENS_BASE_BUG_H
#define ENS_BASE_BUG_H

void ens_bug(const char *file, int line, const char *what)
    __attribute__((noreturn));

#define ENS_BUG_ON(cond)                                                       \
    do {                                                                       \
        if (cond)                                                              \
            ens_bug(__FILE__, __LINE__, #cond);                                \
    } while (0)

#define ENS_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
