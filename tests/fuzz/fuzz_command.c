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

static void read_answer(const char *text, size_t n)
{
    struct ens_error err = {0};
    struct ens_answer answer;
    enum ens_status s = ens_answer_open(&answer, text, n, "t", &err);

    if (s != ENS_OK &&
        ((s != ENS_EPROTOCOL && s != ENS_EDOMAIN) || err.status != (int)s))
        abort();
    if (s == ENS_OK)
        ens_answer_close(&answer);
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
