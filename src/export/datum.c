#include "export/datum.h"

#include "base/number.h"

#include <math.h>
#include <string.h>

const char *ens_datum_type_text(enum ens_datum_type t)
{
    switch (t) {
    case ENS_DATUM_TEXT:
        return "text";
    case ENS_DATUM_NUM:
        return "number";
    case ENS_DATUM_INT:
    case ENS_DATUM_WORD:
        return "integer";
    case ENS_DATUM_NONE:
        break;
    }
    return "";
}

double ens_datum_num(const struct ens_datum *d)
{
    switch (d->type) {
    case ENS_DATUM_NUM:
        return d->as.num;
    case ENS_DATUM_INT:
        return (double)d->as.integer;
    case ENS_DATUM_WORD:
        return (double)d->as.word;
    case ENS_DATUM_TEXT:
    case ENS_DATUM_NONE:
        break;
    }
    return NAN;
}

const char *ens_datum_text(const struct ens_datum *d, char *tmp, size_t *n)
{
    *n = 0;
    switch (d->type) {
    case ENS_DATUM_TEXT:
        *n = d->as.text.n;
        return d->as.text.p;
    case ENS_DATUM_NUM:
        *n = ens_number_format(tmp, d->as.num);
        return tmp;
    case ENS_DATUM_INT:
        *n = ens_number_format_i64(tmp, d->as.integer);
        return tmp;
    case ENS_DATUM_WORD:
        *n = ens_number_format_u64(tmp, d->as.word);
        return tmp;
    case ENS_DATUM_NONE:
        break;
    }
    return "";
}
