#include "cli/options.h"

#include "base/bug.h"
#include "base/number.h"
#include "config/names.h"

#include <string.h>

const char *ens_nearest(const char *name, const char *const *names, size_t n)
{
    const char *best = NULL;
    size_t least = strlen(name) / 2 + 1; /* half of it wrong: no guess */

    for (size_t i = 0; i < n; i++) {
        size_t d = ens_name_distance(name, names[i]);

        if (d < least) {
            least = d;
            best = names[i];
        }
    }
    return best;
}

static const struct ens_option *find_name(const struct ens_options *o,
                                          const char *name, size_t n)
{
    for (size_t i = 0; i < o->n_table; i++)
        if (strlen(o->table[i].name) == n &&
            memcmp(o->table[i].name, name, n) == 0)
            return &o->table[i];
    return NULL;
}

static enum ens_status unknown(const struct ens_options *o, const char *word,
                               struct ens_error *err)
{
    const char *names[ENS_OPTIONS_MAX];
    char name[64];
    const char *near;
    size_t n = strcspn(word, "=");

    for (size_t i = 0; i < o->n_table; i++)
        names[i] = o->table[i].name;
    snprintf(name, sizeof(name), "%.*s", n > 2 ? (int)n - 2 : 0,
             n > 2 ? word + 2 : "");
    near = ens_nearest(name, names, o->n_table);
    if (near != NULL)
        return ens_fail(err, ENS_EUSAGE,
                        "unknown option %.*s; did you mean --%s?", (int)n, word,
                        near);
    return ens_fail(err, ENS_EUSAGE, "unknown option %.*s; --help lists them",
                    (int)n, word);
}

/* Is text one of the words of "a|b|c"? */
static int is_choice(const char *choices, const char *text)
{
    size_t n = strlen(text);

    for (const char *p = choices;; p++) {
        size_t len = strcspn(p, "|");

        if (len == n && memcmp(p, text, n) == 0)
            return 1;
        p += len;
        if (*p == '\0')
            return 0;
    }
}

static enum ens_status take(struct ens_options *o, const struct ens_option *x,
                            const char *text, struct ens_error *err)
{
    uint64_t v;

    if (x->kind == ENS_OPTION_COUNT &&
        (ens_number_parse_u64(text, strlen(text), &v) != 0 || v < x->min))
        return ens_fail(err, ENS_EUSAGE,
                        "--%s %s: expected an integer of at least %llu",
                        x->name, text, (unsigned long long)x->min);
    if (x->kind == ENS_OPTION_CHOICE && !is_choice(x->value, text))
        return ens_fail(err, ENS_EUSAGE, "--%s %s: expected one of %s", x->name,
                        text, x->value);
    o->given[o->n_given].option = x;
    o->given[o->n_given].text = text;
    o->n_given++;
    return ENS_OK;
}

static const struct ens_option *
find_option(const struct ens_options *o, const char *word, const char **inside)
{
    *inside = NULL;
    if (word[1] == '-') {
        size_t n = strcspn(word + 2, "=");

        if (word[2 + n] == '=')
            *inside = word + 2 + n + 1;
        return find_name(o, word + 2, n);
    }
    if (word[2] != '\0')
        *inside = word + 2; /* -oFILE */
    for (size_t i = 0; i < o->n_table; i++)
        if (o->table[i].letter != 0 && o->table[i].letter == word[1])
            return &o->table[i];
    return NULL;
}

/* The option in argv[*i] and its value, which may be the next word. */
static enum ens_status one_option(struct ens_options *o, int *i, int argc,
                                  char **argv, struct ens_error *err)
{
    const char *inside;
    const struct ens_option *x = find_option(o, argv[*i], &inside);

    if (x == NULL)
        return unknown(o, argv[*i], err);
    if (x->kind == ENS_OPTION_FLAG) {
        if (inside != NULL)
            return ens_fail(err, ENS_EUSAGE, "--%s takes no value", x->name);
        return take(o, x, "", err);
    }
    if (inside != NULL)
        return take(o, x, inside, err);
    if (*i + 1 >= argc)
        return ens_fail(err, ENS_EUSAGE, "--%s: %s is missing", x->name,
                        x->value);
    (*i)++;
    return take(o, x, argv[*i], err);
}

static int asks_help(int argc, char **argv)
{
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return 1;
    return 0;
}

enum ens_status ens_options_parse(struct ens_options *o,
                                  const struct ens_option *table,
                                  size_t n_table, int argc, char **argv,
                                  struct ens_error *err)
{
    enum ens_status s = ENS_OK;
    int only_words = 0;

    memset(o, 0, sizeof(*o));
    o->table = table;
    o->n_table = n_table;
    ENS_BUG_ON(n_table > ENS_OPTIONS_MAX);
    o->help = asks_help(argc, argv);
    if (o->help)
        return ENS_OK;
    if (argc > ENS_OPTIONS_MAX)
        return ens_fail(err, ENS_EUSAGE, "more than %d words", ENS_OPTIONS_MAX);
    for (int i = 0; i < argc && s == ENS_OK; i++) {
        if (only_words || argv[i][0] != '-' || argv[i][1] == '\0')
            o->word[o->n_words++] = argv[i];
        else if (strcmp(argv[i], "--") == 0)
            only_words = 1;
        else
            s = one_option(o, &i, argc, argv, err);
    }
    return s;
}

/* -- what was given -------------------------------------------------------- */

static const struct ens_option *known(const struct ens_options *o,
                                      const char *name)
{
    const struct ens_option *x = find_name(o, name, strlen(name));

    ENS_BUG_ON(x == NULL); /* a command asks for what is in its table */
    return x;
}

const char *ens_options_text(const struct ens_options *o, const char *name)
{
    const struct ens_option *x = known(o, name);

    for (size_t i = o->n_given; i > 0; i--)
        if (o->given[i - 1].option == x)
            return o->given[i - 1].text;
    return NULL;
}

int ens_options_has(const struct ens_options *o, const char *name)
{
    return ens_options_text(o, name) != NULL;
}

uint64_t ens_options_count(const struct ens_options *o, const char *name,
                           uint64_t def)
{
    const char *text = ens_options_text(o, name);

    if (text != NULL)
        ens_number_parse_u64(text, strlen(text), &def);
    return def;
}

const char *ens_options_item(const struct ens_options *o, const char *name,
                             size_t i)
{
    const struct ens_option *x = known(o, name);

    for (size_t k = 0; k < o->n_given; k++)
        if (o->given[k].option == x && i-- == 0)
            return o->given[k].text;
    return NULL;
}

const char *ens_options_joined(const struct ens_options *o, const char *name,
                               struct ens_buf *to)
{
    const char *text;

    for (size_t i = 0; (text = ens_options_item(o, name, i)) != NULL; i++)
        ens_buf_printf(to, "%s%s", i > 0 ? "," : "", text);
    return to->len > 0 ? ens_buf_text(to) : NULL;
}

void ens_options_print(FILE *f, const struct ens_option *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct ens_option *x = &table[i];
        char left[80];

        if (x->letter != 0)
            snprintf(left, sizeof(left), "-%c, --%s %s", x->letter, x->name,
                     x->value == NULL ? "" : x->value);
        else
            snprintf(left, sizeof(left), "--%s %s", x->name,
                     x->value == NULL ? "" : x->value);
        fprintf(f, "  %-32s %s\n", left, x->help);
    }
}
