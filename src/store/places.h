/* The place index: for each task of a stage, where its record is. 8 bytes per
 * place in an unlinked scratch file of the results folder: segment (14 bits),
 * frame offset / 8 (39 bits), record in the frame (11 bits). All ones: none.
 *
 * With it, records are read in task order, through the mapped journal. */
#ifndef ENS_STORE_PLACES_H
#define ENS_STORE_PLACES_H

#include "config/study.h"
#include "record/schema.h"
#include "record/stage.h"
#include "store/log.h"
#include <ensrun/view.h>

struct ens_places;

/**
 * Scan the log once and index the records of a stage: first of its round
 * wins, highest round wins. Records of cells that are not in the stage are
 * left out. from: where its records begin at the earliest (NULL: the start;
 * a frame's position); before it only CELLS and SCHEMA frames are looked at,
 * by their heads. log and study are lent for as long as the index lives.
 */
enum ens_status ens_places_build(struct ens_places **p, const char *dir,
                                 const struct ens_log *log,
                                 const struct ens_log_at *from,
                                 const struct ens_study *study,
                                 const struct ens_stage *stage,
                                 struct ens_error *err);
void ens_places_free(struct ens_places *p);
const struct ens_stage *ens_places_stage(const struct ens_places *p);
/** Schemas met in the scan. */
const struct ens_schemas *ens_places_schemas(const struct ens_places *p);
/** Record at a place (its cell translated to the present ordinal); 0 when it
 * has none. *epoch that of its segment. */
int ens_places_get(const struct ens_places *p, uint64_t place,
                   struct ens_record *r, uint32_t *epoch);

/** struct ens_records of the kind interface: places [first, first + n). */
struct ens_records {
    const struct ens_places *places; /* NULL: none */
    uint64_t first, next, end;
    const struct ens_study *study;
    const char *dir;
    int no_facts; /* seconds NaN, worker and attempts 0 in all records */
    const struct ens_schema *schema; /* cache of the last one */
    /* arrays mapped for read_array; released by ens_records_fini */
    size_t n_maps, cap_maps;
    struct ens_records_map *map;
    /* of the record given last: */
    struct ens_record last;
    uint32_t last_epoch;
    void *artifact; /* map; NULL: none is lent */
    size_t artifact_bytes;
    struct ens_records *other; /* given by ens_records_of; owned */
};
struct ens_records_map {
    char name[ENS_STAGE_KEY_MAX + 1];
    uint64_t cell;
    struct ens_view view;
    void *base;
    uint64_t bytes;
};
void ens_records_init(struct ens_records *in, const struct ens_places *p,
                      const char *dir, uint64_t first, uint64_t n);
/** Of a stage that has none yet; arrays can be read. */
void ens_records_none(struct ens_records *in, const struct ens_study *study,
                      const char *dir);
void ens_records_fini(struct ens_records *in);
/* Slots of struct ens_host. *schema is NULL for a record without one. An
 * array stays mapped until fini; its cell is an ordinal. */
int ens_records_next(struct ens_records *in, struct ens_record *rec,
                     const struct ens_schema **schema);
void ens_records_rewind(struct ens_records *in);
enum ens_status ens_records_of(struct ens_records *in, uint64_t cell,
                               struct ens_records **other,
                               struct ens_error *err);
enum ens_status ens_records_artifact(struct ens_records *in, const char *item,
                                     const void **data, size_t *bytes,
                                     struct ens_error *err);
/** Take back what it lent. */
void ens_records_drop_artifact(struct ens_records *in);
enum ens_status ens_records_array(struct ens_records *in, const char *name,
                                  uint64_t cell, struct ens_view *view,
                                  struct ens_error *err);

#endif
