/* Schemas by content: encoded, decoded, and a small registry of them.
 *
 * Encoding (payload of a SCHEMA frame): u32 n, then per field u8 type and
 * three texts (u32 length, bytes): name, unit, help. The schema's hash is the
 * XXH3-64 of these bytes.
 */
#ifndef ENS_RECORD_SCHEMA_H
#define ENS_RECORD_SCHEMA_H

#include "base/arena.h"
#include "base/buf.h"
#include <ensrun/record.h>

#define ENS_SCHEMA_MAX_FIELDS 4096 /* so that a record fits its frame */

/** Registry; owns what it holds; index = order of addition. */
struct ens_schemas {
    struct ens_arena arena;
    size_t n, cap;
    struct ens_schema **item;
};

#define ENS_SCHEMAS_INIT                                                       \
    {                                                                          \
        ENS_ARENA_INIT, 0, 0, NULL                                             \
    }

void ens_schemas_fini(struct ens_schemas *s);

/** Copy in (or find) a schema of these fields. ENS_EUSAGE: too many fields,
 * an empty or duplicate name, or more text than one frame holds. */
enum ens_status ens_schemas_add(struct ens_schemas *s,
                                const struct ens_field *fields, size_t n,
                                size_t *index, struct ens_error *err);
/** As above from encoded bytes; ENS_ECORRUPT when they are none. */
enum ens_status ens_schemas_add_encoded(struct ens_schemas *s, const void *p,
                                        size_t n, size_t *index,
                                        struct ens_error *err);
/** NULL when unknown. */
const struct ens_schema *ens_schemas_find(const struct ens_schemas *s,
                                          uint64_t hash);
void ens_schema_encode(const struct ens_schema *s, struct ens_buf *out);

#endif
