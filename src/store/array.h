/* Output arrays: arrays/NAME.CELLID.npy, allocated when created and filled
 * with NaN (integers: 0), written block by block in place. */
#ifndef ENS_STORE_ARRAY_H
#define ENS_STORE_ARRAY_H

#include "store/io.h"
#include <ensrun/error.h>
#include <ensrun/view.h>
#include <stdint.h>

/** "DIR/arrays/NAME.CELLID.npy". */
void ens_array_path(char *to, size_t cap, const char *dir, const char *name,
                    uint64_t cell_id);
/**
 * Make sure the file is there with this shape: taken back from arrays/unused
 * when it lies there; else created (temporary, allocated, filled, synced,
 * renamed). *created set when it is new (then no block in it is done).
 * ENS_ECORRUPT when a file of another shape is in the way.
 */
enum ens_status ens_array_create(const char *dir, const char *name,
                                 uint64_t cell_id, enum ens_dtype dtype,
                                 uint32_t ndim, const uint64_t *shape,
                                 struct ens_io *io, int *created,
                                 struct ens_error *err);
/** Make the names of arrays that were created durable: one sync for all of
 * them. */
enum ens_status ens_array_settle(const char *dir, struct ens_error *err);
/** Open for writing blocks; *data_offset of element 0. */
enum ens_status ens_array_open(const char *dir, const char *name,
                               uint64_t cell_id, int *fd, uint64_t *data_offset,
                               struct ens_error *err);
enum ens_status ens_array_write(int fd, uint64_t data_offset, size_t size,
                                uint64_t first, uint64_t n, const void *data,
                                struct ens_io *io, struct ens_error *err);
/** Fill a block with NaN or 0 (a task that is not ok). */
enum ens_status ens_array_fill(int fd, uint64_t data_offset,
                               enum ens_dtype dtype, uint64_t first, uint64_t n,
                               struct ens_io *io, struct ens_error *err);
/** Map read-only; release with ens_array_unmap. */
enum ens_status ens_array_map(const char *dir, const char *name,
                              uint64_t cell_id, struct ens_view *view,
                              void **base, uint64_t *map_bytes,
                              struct ens_error *err);
/** The same wherever it lies: in arrays/ or, as its cell has left the study,
 * in arrays/unused. */
enum ens_status ens_array_map_any(const char *dir, const char *name,
                                  uint64_t cell_id, struct ens_view *view,
                                  void **base, uint64_t *map_bytes,
                                  struct ens_error *err);
/** Open its file for reading, wherever it lies. */
enum ens_status ens_array_open_any(const char *dir, const char *name,
                                   uint64_t cell_id, int *fd,
                                   struct ens_error *err);
void ens_array_unmap(void *base, uint64_t map_bytes);
/** Move files of arrays/ whose cell is not kept(arg, cell_id, name) into
 * arrays/unused/. */
enum ens_status ens_array_retire(const char *dir,
                                 int (*kept)(void *arg, const char *name,
                                             uint64_t cell_id),
                                 void *arg, struct ens_error *err);
/** Remove the file of one, wherever it lies; none is no error. */
enum ens_status ens_array_drop(const char *dir, const char *name,
                               uint64_t cell_id, struct ens_error *err);
/** Remove those that gone(arg, name, cell_id) names, of arrays/ and
 * arrays/unused. */
enum ens_status ens_array_remove(const char *dir,
                                 int (*gone)(void *arg, const char *name,
                                             uint64_t cell_id),
                                 void *arg, struct ens_error *err);

#endif
