/* Signals that stop a job. A batch system sends them to every process of it,
 * programs of tasks too, and what a program says after one is no result, even
 * if it ends well: a child of it may have died. The task is run again by
 * whoever goes on with the study.
 *
 * Workers block these signals, so that one that came stays to be seen.
 */
#ifndef ENS_PROGRAM_STOP_H
#define ENS_PROGRAM_STOP_H

/** Once per process, before its first program. */
void ens_stop_watch(void);
/** A program has ended with this status, as of waitpid, or (0) has answered or
 * is to be started. When this process was sent such a signal it does not
 * return: the worker ends by it, after a moment in which the coordinator
 * learns of its own. */
void ens_stop_yield(int status);

#endif
