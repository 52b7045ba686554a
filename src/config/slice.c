#include "config/value_parse.h"

#include "base/number.h"

#include <string.h>

static int is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct ens_slice ens_slice_trim(struct ens_slice s)
{
    while (s.n > 0 && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* The end of the quoted text that begins at i: its closing quote; n: none. */
static size_t quote_end(struct ens_slice s, size_t i)
{
    for (i++; i < s.n; i++) {
        if (s.p[i] == '\\' && i + 1 < s.n &&
            (s.p[i + 1] == '"' || s.p[i + 1] == '\\'))
            i++;
        else if (s.p[i] == '"')
            return i;
    }
    return s.n;
}

int ens_slice_next(struct ens_slice text, char sep, size_t *at,
                   struct ens_slice *piece)
{
    char closer[64]; /* of the brackets that are open */
    size_t depth = 0;
    size_t i;

    if (*at > text.n || (*at == 0 && text.n == 0))
        return 0;
    for (i = *at; i < text.n; i++) {
        char c = text.p[i];

        if (c == sep && depth == 0)
            break;
        if (c == '"') {
            i = quote_end(text, i);
            if (i == text.n)
                return -1;
        } else if (c == '(' || c == '[' || c == '{') {
            if (depth == sizeof(closer))
                return -1;
            closer[depth++] = c == '(' ? ')' : c == '[' ? ']' : '}';
        } else if (c == ')' || c == ']' || c == '}') {
            if (depth == 0 || closer[--depth] != c)
                return -1;
        }
    }
    if (depth > 0)
        return -1;
    *piece = ens_slice_trim((struct ens_slice){text.p + *at, i - *at});
    *at = i + 1;
    return 1;
}

int ens_slice_unquote(struct ens_arena *a, struct ens_slice s,
                      struct ens_slice *content)
{
    char *p;
    size_t n = 0;

    if (s.n < 2 || s.p[0] != '"' || quote_end(s, 0) != s.n - 1)
        return 0;
    p = ens_arena_alloc(a, s.n, 1);
    if (p == NULL)
        return -1;
    for (size_t i = 1; i + 1 < s.n; i++) {
        if (s.p[i] == '\\' && (s.p[i + 1] == '"' || s.p[i + 1] == '\\'))
            i++;
        p[n++] = s.p[i];
    }
    *content = (struct ens_slice){p, n};
    return 1;
}

/* Would a reader take it for something else than this text? */
static int needs_quotes(const char *s, int in_list)
{
    size_t n = strlen(s);
    struct ens_slice piece;
    size_t at = 0;

    if (n == 0 || is_blank(s[0]) || is_blank(s[n - 1]) || s[n - 1] == ',' ||
        strpbrk(s, "\"\\;#") != NULL)
        return 1;
    return in_list &&
           (ens_slice_next((struct ens_slice){s, n}, ',', &at, &piece) != 1 ||
            at <= n);
}

/* Text of an axis may have been quoted because it looks like a number: in an
 * open section the form is the type. */
static int looks_numeric(const struct ens_setting *s, const char *text)
{
    double d;

    return s->type == ENS_T_TEXT && s->shape == ENS_AXIS &&
           (strchr("0123456789+-.", text[0]) != NULL ||
            strchr(text, '(') != NULL ||
            ens_number_parse(text, strlen(text), &d) == 0);
}

void ens_element_write(const struct ens_setting *s, const char *text,
                       struct ens_buf *out)
{
    int plain = s->type != ENS_T_TEXT && s->type != ENS_T_PATH &&
                s->type != ENS_T_FORMULA && s->type != ENS_T_INPUT &&
                s->type != ENS_T_ROW;

    if (plain ||
        (!needs_quotes(text, s->shape != ENS_ONE) && !looks_numeric(s, text))) {
        ens_buf_puts(out, text);
        return;
    }
    ens_buf_puts(out, "\"");
    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '"' || *p == '\\')
            ens_buf_puts(out, "\\");
        ens_buf_put(out, p, 1);
    }
    ens_buf_puts(out, "\"");
}
