/* The field columns of a table: the union of the schemas of the records that
 * are ok, in task order. */
#ifndef ENS_EXPORT_FIELDS_H
#define ENS_EXPORT_FIELDS_H

#include "base/arena.h"
#include "export/datum.h"
#include "store/places.h"

struct ens_fields_map {
    uint64_t hash;
    const struct ens_schema *schema;
    const uint32_t *column; /* of each field */
};

struct ens_fields {
    struct ens_arena arena;
    size_t n, cap;
    struct ens_table_column *column;
    size_t n_maps, cap_maps;
    struct ens_fields_map *map;
};

enum ens_status ens_fields_init(struct ens_fields *f,
                                const struct ens_places *const *stage,
                                size_t n_stages, struct ens_error *err);
void ens_fields_fini(struct ens_fields *f);
/** NULL when no record that is ok has this schema. */
const struct ens_fields_map *ens_fields_find(const struct ens_fields *f,
                                             uint64_t hash);
/** Value of a field of a record. */
void ens_fields_value(const struct ens_record *r, const struct ens_schema *s,
                      size_t i, struct ens_datum *d);

#endif
