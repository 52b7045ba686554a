/* A rule of [stop]: read or refused, and read again the same from what was
 * read. */
#include "stop/rules.h"

#include "base/buf.h"
#include "base/number.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    struct ens_stop_rule rule, again;
    struct ens_buf b = ENS_BUF_INIT;
    struct ens_error err;
    char number[ENS_NUMBER_BYTES];

    if (text == NULL)
        return 0;
    memcpy(text, data, size);
    text[size] = '\0';
    if (ens_stop_rule_parse(&rule, text, &err) == ENS_OK) {
        if (!(rule.below > 0) || rule.measure[0] == '\0' ||
            rule.term[0] == '\0' || strlen(rule.measure) >= ENS_STOP_NAME ||
            strlen(rule.term) >= ENS_STOP_NAME)
            abort();
        ens_number_format(number, rule.below);
        ens_buf_printf(&b, "mcse(%s, %s) < %s", rule.measure, rule.term,
                       number);
        if (ens_stop_rule_parse(&again, ens_buf_text(&b), &err) != ENS_OK ||
            strcmp(again.measure, rule.measure) != 0 ||
            strcmp(again.term, rule.term) != 0 || again.below != rule.below)
            abort();
        ens_buf_fini(&b);
    }
    free(text);
    return 0;
}
