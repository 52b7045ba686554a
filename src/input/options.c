#include "input/options.h"

#include "base/bug.h"
#include "base/number.h"

#include <string.h>

static int read_row(const char *s, size_t n, uint64_t missing, uint64_t *row)
{
    while (n > 0 && *s == ' ') {
        s++;
        n--;
    }
    while (n > 0 && s[n - 1] == ' ')
        n--;
    *row = missing;
    if (n == 0)
        return 0;
    return ens_number_parse_u64(s, n, row) != 0 || *row == 0 ? -1 : 0;
}

enum ens_status ens_options_rows(struct ens_input_options *o, const char *text,
                                 struct ens_error *err)
{
    const char *colon = strchr(text, ':');
    size_t n = colon != NULL ? (size_t)(colon - text) : strlen(text);
    uint64_t first;
    uint64_t last;

    if (read_row(text, n, 1, &first) != 0)
        goto fail;
    last = first;
    if (colon != NULL && read_row(colon + 1, strlen(colon + 1), 0, &last) != 0)
        goto fail;
    if (*text == '\0' || (last != 0 && last < first))
        goto fail;
    o->has_rows = 1;
    o->first_row = first;
    o->last_row = last;
    return ENS_OK;

fail:
    return ens_fail(err, ENS_EINPUT,
                    "rows '%s'; expected a:b with "
                    "1 <= a <= b, or a: for all from a on",
                    text);
}

enum ens_status ens_options_delimiter(struct ens_input_options *o,
                                      const char *text, struct ens_error *err)
{
    static const struct {
        const char *text;
        char delimiter;
    } names[] = {
        {"", 0},        {"auto", 0},    {"comma", ','}, {"semicolon", ';'},
        {"tab", '\t'},  {"\\t", '\t'},  {"bar", '|'},   {"pipe", '|'},
        {"blank", ' '}, {"space", ' '},
    };

    for (size_t i = 0; i < ENS_COUNT(names); i++)
        if (strcmp(names[i].text, text) == 0) {
            o->delimiter = names[i].delimiter;
            return ENS_OK;
        }
    if (strlen(text) != 1 || (unsigned char)text[0] > 126 ||
        strchr("\"\r\n", text[0]) != NULL)
        return ens_fail(err, ENS_EINPUT,
                        "delimiter '%s'; expected a character "
                        "or one of comma semicolon tab bar blank auto",
                        text);
    o->delimiter = text[0];
    return ENS_OK;
}

enum ens_status ens_options_shape(struct ens_input_options *o, const char *text,
                                  struct ens_error *err)
{
    const char *separators = " ,()\t";

    for (const char *p = text + strspn(text, separators); *p != '\0';) {
        size_t n = strcspn(p, separators);
        int64_t v;

        if (ens_number_parse_i64(p, n, &v) != 0 || v < -1 ||
            o->n_shape == ENS_MAX_NDIM)
            return ens_fail(err, ENS_EINPUT,
                            "shape '%s'; expected at most %d "
                            "whole numbers >= 0, one of them may be -1 (from "
                            "the file's size)",
                            text, ENS_MAX_NDIM);
        o->shape[o->n_shape++] = v;
        o->has_shape = 1;
        p += n;
        p += strspn(p, separators);
    }
    return ENS_OK;
}
