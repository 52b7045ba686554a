/* `grid` in a row section: axes that vary together.
 *
 *   grid = @design.csv                       a header of keys, then one
 *                                            combination per record
 *   grid = (n, slope), (10, 1 2), (20, 0 0)  the same, written here; so the
 *                                            resolved study file has it
 *   grid = random(50, n = randint(10, 99), slope = choice(0, 1 2))
 *                                            50 different combinations drawn,
 *                                            each key by itself
 *
 * All of the combinations are one axis of the section, where `grid` stands,
 * crossed with its others. Each field is read as if it stood behind its key;
 * it is one value (no list, no range). Cells are those of the same values
 * written by hand: the file is not part of any identity.
 */
#ifndef ENS_CONFIG_GRID_H
#define ENS_CONFIG_GRID_H

#include "config/resolve.h"
#include "config/value_parse.h"

struct ens_grid {
    struct ens_pos pos;
    const char *file; /* as written; NULL: it stands in the study file */
    int is_random;
    size_t n_keys;
    size_t n; /* combinations */
    const char **key;
    const char **text; /* [n][n_keys] */
    uint32_t *line;    /* of the header, then of each combination */
};

/** Read what entry e of a section says. NULL: nothing, or errors in diag. */
struct ens_grid *ens_grid_read(struct ens_resolve *r, const char *section,
                               struct ens_entry *e);
/** "random(...)"? Then what stands between its brackets. */
int ens_grid_is_random(struct ens_slice text, struct ens_slice *args);
/**
 * The inline form of random(args): "(KEY, ...), (VALUE, ...), ...".
 * Method: draw i of a key is the upper 53 bits of XXH3 of (XXH3 of its name by
 *         the seed, i), i from 0; numbers are rounded to seven digits;
 *         combinations drawn before are passed over.
 * ENS_ESTUDY: err says what is wrong.
 */
enum ens_status ens_grid_draw(struct ens_arena *a, struct ens_slice args,
                              uint64_t seed, struct ens_buf *out,
                              struct ens_error *err);
/** Column of a key; n_keys when there is none (or no grid: 0 of 0). */
size_t ens_grid_find(const struct ens_grid *g, const char *key);
/** Give key->value the column's different values, and key->pick. */
void ens_grid_fill(struct ens_resolve *r, const struct ens_row *row,
                   struct ens_key *key, const struct ens_grid *g);
/** Once all keys are filled: columns that are no axes of the section, and
 * combinations that are there twice. */
void ens_grid_check(struct ens_resolve *r, const struct ens_row *row,
                    const struct ens_tables *t, const struct ens_grid *g);
/** Add an error "[section] grid: FILE:LINE: text"; at: 0 the header, else the
 * combination. */
void ens_grid_error(struct ens_resolve *r, const char *section,
                    const struct ens_grid *g, size_t at, const char *text);
/** "grid = ..." with the values of a row's axes axis[0..n-1], those of one
 * grid. */
void ens_grid_write(struct ens_key *const *axis, size_t n, struct ens_buf *out);

#endif
