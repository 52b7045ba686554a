/* A command line as a study file has it, and the words a program is given.
 *
 * Words are separated by blanks. 'text' and "text" quote (in "..." a \ before
 * " or \ takes it as it is; outside of quotes before any byte). {NAME} stands
 * for a value, which never makes more than one word and needs no quotes; {{
 * is a brace. A word that begins with ./ or ../ is a path from the study's
 * folder.
 *
 * For a shell the line stays as it is, each value quoted for it; ./ means what
 * the shell makes of it.
 */
#ifndef ENS_PROGRAM_WORDS_H
#define ENS_PROGRAM_WORDS_H

#include "base/arena.h"
#include "base/buf.h"
#include <ensrun/error.h>

struct ens_words_piece {
    int is_value;     /* text is the name of a value */
    int ends_word;    /* the last piece of its word */
    const char *text; /* NUL-terminated */
};

struct ens_words {
    int shell;
    size_t n_words;
    size_t n;
    const struct ens_words_piece *piece;
};

/** ENS_ESTUDY: quotes or braces do not match, nothing to run. The pieces live
 * as long as the arena. */
enum ens_status ens_words_parse(struct ens_words *c, const char *text,
                                int shell, struct ens_arena *arena,
                                struct ens_error *err);

/** The value of a name; NULL when there is none. */
typedef const char *ens_words_value_fn(void *arg, const char *name);

/**
 * The words, each ended by a NUL, put behind one another into `to`: n_words of
 * them, or the one line for a shell. folder: what ./ is relative to.
 * ENS_EDOMAIN: a name without a value.
 */
enum ens_status ens_words_expand(const struct ens_words *c, const char *folder,
                                 ens_words_value_fn *value, void *arg,
                                 struct ens_buf *to, struct ens_error *err);
/** Is there such a program? To be told once, not as the failure of every task.
 * Where that depends on a value, or for a shell: ENS_OK. ENS_EINPUT. */
enum ens_status ens_words_check_program(const struct ens_words *c,
                                        const char *folder,
                                        struct ens_arena *arena,
                                        struct ens_error *err);

#endif
