/* Folders that are in use: held by processes, through a lock that ends with
 * them, however they end. Children that do not exec hold what their parent
 * held. Where a file system has no locks nobody can tell: nothing is free. */
#ifndef ENS_BASE_FOLDER_H
#define ENS_BASE_FOLDER_H

/** Hold it until the descriptor is closed. -1 with errno; ENOENT also when it
 * was removed meanwhile. */
int ens_folder_hold(const char *path);
/** Does anybody hold it? If not, a descriptor that keeps others from that;
 * else -1 with errno. */
int ens_folder_take(const char *path);

#endif
