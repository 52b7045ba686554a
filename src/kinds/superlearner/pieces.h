/* The pieces of rows that are summed once, of which the rows of fits are
 * unions.
 *
 * Without outer folds they are the groups of folds (learn/folds.h): of
 * partition j folds 1 .. K and the rows that are never tested, J (K + 1) of
 * them; of windows of time the rows between any two ends of windows. With outer
 * folds, of sample v = 0 .. V:
 *
 *   layer 1, blocks of rows   between any two ends of folds, of all samples:
 *                             one pass over X serves all of them
 *   drawn folds, later layers the groups of sample 0, of sample 1 ...: each
 *                             sample draws folds of its own, or sees
 *                             predictions of its own; a pass for each
 *
 * Sums of outer samples are made as long as they take less memory than the
 * rows (or 16 MiB), and less than 1 GiB; else fits of these read rows. So it is
 * with windows, of which there may be 4096 ends at most.
 */
#ifndef ENS_SUPERLEARNER_PIECES_H
#define ENS_SUPERLEARNER_PIECES_H

#include "base/arena.h"
#include "kinds/superlearner/shape.h"

/** Doubles of a piece in sumsL, of `width` columns. */
size_t ens_sl_sum_doubles(size_t width);
/** Samples whose fits have sums: 1 or all; of windows 1 or 0. */
uint32_t ens_sl_sum_samples(const struct ens_sl_layer *layer, size_t width);
/** B pieces, each in q lanes. Some may be empty. */
uint32_t ens_sl_sum_pieces(const struct ens_sl_layer *layer, size_t width);
uint32_t ens_sl_sum_lanes(const struct ens_sl_layer *layer, size_t width);

/** Sample in whose order of rows a piece lies. */
uint32_t ens_sl_piece_sample(const struct ens_sl_layer *layer, size_t width,
                             uint32_t piece);
/** Its n rows there, from position *first on. ENS_ENOMEMORY. */
enum ens_status ens_sl_piece_rows(const struct ens_sl_layer *layer,
                                  size_t width, uint32_t piece,
                                  const struct ens_folds *folds,
                                  struct ens_arena *arena, uint64_t *first,
                                  uint64_t *n);

/** Which rows of a fit. */
enum ens_sl_which { ENS_SL_TRAIN, ENS_SL_TEST };
/** Pieces that are those rows, of a fit of a sample that has sums; at most B.
 * TEST: of sample 0 of a layer without outer folds. ENS_ENOMEMORY. */
enum ens_status ens_sl_pieces_of(const struct ens_sl_layer *layer, size_t width,
                                 struct ens_sl_fit fit, enum ens_sl_which which,
                                 struct ens_arena *arena, uint32_t **piece,
                                 size_t *n);

#endif
