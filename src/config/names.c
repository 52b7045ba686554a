#include "config/names.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define LONGEST 63

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t m = a < b ? a : b;

    return m < c ? m : c;
}

size_t ens_name_distance(const char *a, const char *b)
{
    size_t d[3][LONGEST + 1]; /* rows i-2, i-1, i of the usual table */
    size_t na = strlen(a);
    size_t nb = strlen(b);

    if (na > LONGEST || nb > LONGEST)
        return 2 * LONGEST;
    for (size_t j = 0; j <= nb; j++)
        d[0][j] = j;
    for (size_t i = 1; i <= na; i++) {
        size_t *row = d[i % 3];
        const size_t *up = d[(i + 2) % 3];

        row[0] = i;
        for (size_t j = 1; j <= nb; j++) {
            int x = lower(a[i - 1]);
            int y = lower(b[j - 1]);

            row[j] = min3(up[j] + 1, row[j - 1] + 1, up[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == lower(b[j - 2]) &&
                y == lower(a[i - 2]) && d[(i + 1) % 3][j - 2] + 1 < row[j])
                row[j] = d[(i + 1) % 3][j - 2] + 1;
        }
    }
    return d[na % 3][nb];
}

void ens_near_init(struct ens_near *near, const char *want)
{
    memset(near, 0, sizeof(*near));
    near->want = want;
    near->distance = SIZE_MAX;
}

/* Is name already an element of "a, b, c"? */
static int is_listed(const char *all, const char *name)
{
    size_t n = strlen(name);

    for (const char *p = all; (p = strstr(p, name)) != NULL; p++)
        if ((p == all || p[-1] == ' ') && (p[n] == ',' || p[n] == '\0'))
            return 1;
    return 0;
}

static void list(struct ens_near *near, const char *name)
{
    size_t room = sizeof(near->all) - near->len;
    int n;

    if (room < strlen(name) + 8) {
        if (room > 5 && strcmp(near->all + near->len - 3, "...") != 0) {
            snprintf(near->all + near->len, room, ", ...");
            near->len += 5;
        }
        return;
    }
    n = snprintf(near->all + near->len, room, "%s%s", near->n > 1 ? ", " : "",
                 name);
    near->len += (size_t)n;
}

void ens_near_add(struct ens_near *near, const char *name)
{
    size_t d = ens_name_distance(near->want, name);

    if (*name == '\0' || is_listed(near->all, name))
        return;
    near->n++;
    list(near, name);
    if (d < near->distance) {
        near->distance = d;
        snprintf(near->best, sizeof(near->best), "%s", name);
    }
}

void ens_near_add_choices(struct ens_near *near, const char *choices)
{
    for (const char *p = choices; *p != '\0';) {
        size_t n = strcspn(p, "|");
        char one[LONGEST + 1];

        if (n <= LONGEST) {
            memcpy(one, p, n);
            one[n] = '\0';
            ens_near_add(near, one);
        }
        p += n + (p[n] == '|');
    }
}

const char *ens_near_text(struct ens_near *near)
{
    size_t len = strlen(near->want);

    if (near->n == 0)
        return "none is allowed";
    if (*near->best != '\0' && near->distance <= 1 + len / 3)
        snprintf(near->text, sizeof(near->text), "did you mean %s?",
                 near->best);
    else
        snprintf(near->text, sizeof(near->text), "allowed: %s", near->all);
    return near->text;
}
