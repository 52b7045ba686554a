/* Plugins: a file is refused with a text, or its segments lie within it; the
 * same bytes as a name, FILE:NAME, are refused with a text, or split. */
#include "config/plugin_name.h"
#include "kind/plugin.h"

#include "base/bug.h"

#include <elf.h>
#include <link.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_file(const uint8_t *data, size_t size)
{
    struct ens_error err = {0};
    ElfW(Ehdr) head;
    ElfW(Phdr) segment;

    if (ens_plugin_check_file(data, size, &err) != ENS_OK) {
        ENS_BUG_ON(err.text[0] == '\0');
        return;
    }
    memcpy(&head, data, sizeof(head));
    for (size_t i = 0; i < head.e_phnum; i++) {
        memcpy(&segment, data + head.e_phoff + i * sizeof(segment),
               sizeof(segment));
        ENS_BUG_ON(segment.p_type == PT_LOAD &&
                   (segment.p_offset > size ||
                    segment.p_filesz > size - segment.p_offset));
    }
}

static void read_name(const char *text, size_t n)
{
    struct ens_arena arena = ENS_ARENA_INIT;
    struct ens_plugin_name p;
    struct ens_error err = {0};
    size_t end = ens_plugin_name_end(text, n);

    ENS_BUG_ON(end > n);
    if (ens_plugin_name_read(&p, &arena, "/dir", text, n, &err) == ENS_OK) {
        ENS_BUG_ON(p.path[0] != '/' || strchr(p.label, '/') != NULL);
        ENS_BUG_ON(strncmp(p.full, p.path, strlen(p.path)) != 0);
        ENS_BUG_ON(strcmp(p.full + strlen(p.path) + 1, p.name) != 0);
        ENS_BUG_ON(!ens_plugin_is_name(text, n));
    } else {
        ENS_BUG_ON(err.text[0] == '\0');
    }
    ens_arena_fini(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_file(data, size);
    if (size > 0 && size < 4096 && memchr(data, '\0', size) == NULL)
        read_name((const char *)data, size);
    return 0;
}
