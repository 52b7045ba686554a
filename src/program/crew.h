/* The programs of one worker that stay: for each command line one, started
 * when it is first needed, all in one process group, which ends as a whole:
 * with the worker, with any of them that dies (and the worker with it), or
 * when one of them talks nonsense.
 *
 * Besides its three each has two files open: 3 holds the numbers of a request,
 * 4 those of an answer.
 */
#ifndef ENS_PROGRAM_CREW_H
#define ENS_PROGRAM_CREW_H

#include "program/answer.h"
#include "program/servant.h"
#include "program/share.h"
#include "program/values.h"

#define ENS_CREW_DATA_PATH   "/proc/self/fd/3"
#define ENS_CREW_ANSWER_PATH "/proc/self/fd/4"

struct ens_crew_member {
    const char *run, *folder;
    struct ens_servant servant;
    struct ens_share data, answer;
};

struct ens_crew {
    struct ens_arena arena; /* as long as the worker */
    size_t n;
    struct ens_crew_member **member;
    char *work; /* folder of the worker; NULL before the first task */
    int alone;  /* in no worker: servant.h */
    struct ens_buf line;
};

enum ens_status ens_crew_open(struct ens_crew **crew, struct ens_error *err);
void ens_crew_close(struct ens_crew *crew);

/** The program of a command line, started unless it runs; its folder emptied,
 * its numbers forgotten. folder: what ./ is relative to. */
enum ens_status ens_crew_get(struct ens_crew *crew, const char *run,
                             const char *folder, const struct ens_job *job,
                             struct ens_crew_member **member,
                             struct ens_error *err);
/**
 * Send crew->line, wait for the answer (to be closed when ENS_OK). What it
 * wrote to standard error is among the task's warnings when it failed. Does
 * not return when the program dies; of a crew that is alone that is
 * ENS_EDOMAIN.
 */
enum ens_status ens_crew_ask(struct ens_crew *crew,
                             struct ens_crew_member *member,
                             const struct ens_job *job, const char *task,
                             struct ens_answer *answer, struct ens_error *err);

#endif
