/* The line that a persistent program answers: one JSON object. Drawn in
 * launch/clients/README.md. */
#ifndef ENS_PROGRAM_ANSWER_H
#define ENS_PROGRAM_ANSWER_H

#include <ensrun/error.h>
#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct ens_answer {
    json_t *root;
};

/**
 * An answer to the task; to be closed when ENS_OK. ENS_EPROTOCOL when it is no
 * JSON object with its "task": lines and answers are out of step, the program
 * is of no more use. ENS_EDOMAIN when it has an "error": the text.
 */
enum ens_status ens_answer_open(struct ens_answer *a, const char *line,
                                size_t n, const char *task,
                                struct ens_error *err);
void ens_answer_close(struct ens_answer *a);

int ens_answer_has(const struct ens_answer *a, const char *key);
/** A member that is a count, 0 .. most; ENS_EDOMAIN when it is not there. */
enum ens_status ens_answer_count(const struct ens_answer *a, const char *key,
                                 uint64_t most, uint64_t *n,
                                 struct ens_error *err);
/** A number; left alone when it is null or not there. */
enum ens_status ens_answer_number(const struct ens_answer *a, const char *key,
                                  double *v, struct ens_error *err);
/**
 * One number for each name: an object with members of those names, or a list
 * in their order. value[n]; null and what is not there leave theirs alone.
 * "(Intercept)" is "intercept". ENS_EDOMAIN: no numbers, other names.
 */
enum ens_status ens_answer_numbers(const struct ens_answer *a, const char *key,
                                   const char *const *name, size_t n,
                                   double *value, struct ens_error *err);
/** A text, or a list of texts; those behind `most` are left out. Lent until
 * close. */
enum ens_status ens_answer_texts(const struct ens_answer *a, const char *key,
                                 const char **text, size_t most, size_t *n,
                                 struct ens_error *err);
/** A field for each name: members of the object itself, as by
 * ens_answer_numbers; "task" and "warnings" are no fields. */
enum ens_status ens_answer_fields(const struct ens_answer *a,
                                  const char *const *name, size_t n,
                                  double *value, struct ens_error *err);

#endif
