#include "program/report.h"

#include "config/reader.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define LINE_BYTES 300 /* of stderr in an error */

/* Its last bytes, cut where a line, or at least a character, begins; blanks
 * at the end left out; what is no text becomes '?'. */
static const char *clean(const struct ens_program_end *end, size_t most,
                         struct ens_arena *arena)
{
    const char *p = (const char *)end->err.data;
    size_t n = end->err.len;
    char *text;

    while (n > 0 && strchr(" \t\r\n", p[n - 1]) != NULL && p[n - 1] != '\0')
        n--;
    if (n > most) {
        p += n - most;
        n = most;
        while (n > 0 && ((unsigned char)*p & 0xc0) == 0x80) {
            p++;
            n--;
        }
    }
    text = ens_arena_strndup(arena, n > 0 ? p : "", n);
    for (size_t i = 0; text != NULL && i < n;) {
        i += ens_text_check(text + i, n - i);
        if (i < n && text[i] != '\n')
            text[i] = '?';
        i++;
    }
    return text;
}

const char *ens_program_stderr(const struct ens_program_end *end,
                               struct ens_arena *arena)
{
    const char *text = clean(end, ENS_PROGRAM_ERR_MAX, arena);

    text = text == NULL ? NULL : ens_arena_printf(arena, "stderr: %s", text);
    return text == NULL ? "stderr: out of memory" : text;
}

static enum ens_status fail(const struct ens_program_end *end, const char *what,
                            int number, const char *name, struct ens_error *err)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    const char *text = clean(end, ENS_PROGRAM_ERR_MAX, &arena);
    const char *last = text == NULL ? NULL : strrchr(text, '\n');

    last = last != NULL ? last + 1 : text != NULL ? text : "";
    if (strlen(last) > LINE_BYTES) /* its end says more than its beginning */
        last += strlen(last) - LINE_BYTES;
    while (((unsigned char)*last & 0xc0) == 0x80)
        last++;
    ens_fail(err, ENS_EDOMAIN, "%s %d%s%s%s", what, number, name,
             *last != '\0' ? ": " : "", last);
    ens_arena_fini(&arena);
    return ENS_EDOMAIN;
}

enum ens_status ens_program_verdict(const struct ens_program_end *end,
                                    struct ens_error *err)
{
    if (WIFSIGNALED(end->status)) {
        const char *name = sigabbrev_np(WTERMSIG(end->status));
        char of[32] = "";

        if (name != NULL) {
            strncat(of, " SIG", sizeof(of) - 1);
            strncat(of, name, sizeof(of) - strlen(of) - 1);
        }
        return fail(end, "ended by signal", WTERMSIG(end->status), of, err);
    }
    if (WEXITSTATUS(end->status) != 0)
        return fail(end, "exit status", WEXITSTATUS(end->status), "", err);
    if (end->out_cut)
        return ens_fail(err, ENS_EDOMAIN, "output: more than %zu bytes",
                        ENS_PROGRAM_OUT_MAX);
    return ENS_OK;
}
