/* The libraries whose versions decide the last bits of results, or their
 * format: for run.json. */
#ifndef ENS_RUN_ABOUT_H
#define ENS_RUN_ABOUT_H

struct json_t;

/** A new object: name of the library -> its version as it says at run time. */
struct json_t *ens_about_libraries(void);

#endif
