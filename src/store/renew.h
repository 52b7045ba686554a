/* Output arrays on new inodes: what a stale owner has open is not ours. */
#ifndef ENS_STORE_RENEW_H
#define ENS_STORE_RENEW_H

#include <ensrun/error.h>

/** Copy every file of dir/arrays to a new one of the same name. */
enum ens_status ens_arrays_renew(const char *dir, struct ens_error *err);

#endif
