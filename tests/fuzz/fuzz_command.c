/* Kind command: what programs print, and command lines. The first byte
 * chooses: a command line (words, shell) or output (any, declared fields; both
 * also as the answer of a persistent program). */
#include "program/output.h"
#include "program/answer.h"
#include "program/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char *value(void *arg, const char *name)
{
    (void)arg;
    return strlen(name) % 2 ? "it's" : NULL;
}

static void read_line(const char *text, int shell)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_buf words = ENS_BUF_INIT;
    struct ens_error err = {0};
    struct ens_words c;
    size_t ends = 0;

    if (ens_words_parse(&c, text, shell, &arena, &err) != ENS_OK) {
        if (err.status != ENS_ESTUDY)
            abort();
    } else if (ens_words_expand(&c, "/f", value, NULL, &words, &err) ==
               ENS_OK) {
        for (size_t i = 0; i < words.len; i++)
            ends += words.data[i] == '\0';
        if (ends != c.n_words || c.n_words == 0)
            abort();
    } else if (err.status != ENS_EDOMAIN) {
        abort();
    }
    ens_buf_fini(&words);
    ens_arena_fini(&arena);
}

static void read_output(const char *text, size_t n, int declared)
{
    static const struct ens_field field[] = {{"a", ENS_F64, "", ""},
                                             {"b", ENS_I64, "", ""},
                                             {"c", ENS_TEXT, "", ""}};
    struct ens_output_fields fields = {declared ? 3 : 0, field};
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_output_items items;
    struct ens_error err = {0};

    if (ens_output_read(&items, text, n, &fields, &arena, &err) == ENS_OK) {
        for (size_t i = 0; i < items.n; i++)
            if (!items.item[i].missing && items.item[i].type == ENS_TEXT &&
                items.item[i].text == NULL)
                abort();
    } else if (err.status != ENS_EDOMAIN || err.text[0] == '\0') {
        abort();
    }
    ens_arena_fini(&arena);
}

/* Every form that generators, fitters and metrics are read in. */
static void take_all(const struct ens_answer *a)
{
    static const char *const name[] = {"intercept", "x", "y"};
    static const char *const key[] = {"estimate", "rows", "warnings", "df"};
    struct ens_error err = {0};
    const char *text[4];
    double v[3] = {0};
    uint64_t count = 0;
    size_t n = 0;

    for (size_t i = 0; i < 4; i++) {
        enum ens_status s[] = {ens_answer_numbers(a, key[i], name, 3, v, &err),
                               ens_answer_number(a, key[i], v, &err),
                               ens_answer_count(a, key[i], 1000, &count, &err),
                               ens_answer_texts(a, key[i], text, 4, &n, &err),
                               ens_answer_fields(a, name, 3, v, &err)};

        for (size_t k = 0; k < sizeof(s) / sizeof(s[0]); k++)
            if (s[k] != ENS_OK && s[k] != ENS_EDOMAIN)
                abort();
        if (count > 1000 || n > 4)
            abort();
        while (n > 0)
            if (strlen(text[--n]) > 1 << 20)
                abort();
    }
}

static void read_answer(const char *text, size_t n)
{
    struct ens_error err = {0};
    struct ens_answer answer;
    enum ens_status s = ens_answer_open(&answer, text, n, "t", &err);

    if (s != ENS_OK &&
        ((s != ENS_EPROTOCOL && s != ENS_EDOMAIN) || err.status != (int)s))
        abort();
    if (s == ENS_OK) {
        take_all(&answer);
        ens_answer_close(&answer);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text;

    if (n == 0 || (text = malloc(n)) == NULL)
        return 0;
    memcpy(text, data + 1, n - 1);
    text[n - 1] = '\0';
    if (data[0] % 4 < 2) {
        read_line(text, data[0] % 4);
    } else {
        read_answer(text, n - 1);
        read_output(text, n - 1, data[0] % 4 == 3);
    }
    free(text);
    return 0;
}
