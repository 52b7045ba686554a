/* Version of ensrun and of its plugin interface. */
#ifndef ENSRUN_VERSION_H
#define ENSRUN_VERSION_H

#define ENS_VERSION "0.1.0"

/** Plugin interface; 0 = may still change between versions. */
#define ENS_ABI 0

#if defined(__GNUC__)
#define ENS_API                __attribute__((visibility("default")))
#define ENS_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#else
#define ENS_API
#define ENS_PRINTF(fmt, first)
#endif

/** Version of the library, as ENS_VERSION of its headers. */
ENS_API const char *ens_version(void);

#endif
