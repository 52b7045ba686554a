#include "program/json.h"

#include "base/number.h"

#include <math.h>

void ens_json_text(struct ens_buf *to, const char *text)
{
    ens_buf_puts(to, "\"");
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;

        if (c == '"' || c == '\\')
            ens_buf_printf(to, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            ens_buf_printf(to, "\\u%04x", c);
        else
            ens_buf_put(to, text, 1);
    }
    ens_buf_puts(to, "\"");
}

void ens_json_number(struct ens_buf *to, double v)
{
    char text[ENS_NUMBER_BYTES];

    if (!isfinite(v)) {
        ens_buf_puts(to, "null");
        return;
    }
    ens_number_format(text, v);
    ens_buf_puts(to, text);
}

void ens_json_key(struct ens_buf *to, int *n, const char *key)
{
    ens_buf_puts(to, (*n)++ > 0 ? ", " : "");
    ens_json_text(to, key);
    ens_buf_puts(to, ": ");
}

void ens_json_texts(struct ens_buf *to, const char *const *text, size_t n)
{
    ens_buf_puts(to, "[");
    for (size_t i = 0; i < n; i++) {
        ens_buf_puts(to, i > 0 ? ", " : "");
        ens_json_text(to, text[i]);
    }
    ens_buf_puts(to, "]");
}
