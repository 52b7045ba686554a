/* A shared library for this machine, before the loader meets it: its own
 * texts are vague, and what lies behind the end of a cut file kills by
 * SIGBUS. */
#include "kind/plugin.h"

#include <elf.h>
#include <link.h>
#include <string.h>

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#elif defined(__riscv)
#define MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define MACHINE EM_PPC64
#elif defined(__s390x__)
#define MACHINE EM_S390
#elif defined(__i386__)
#define MACHINE EM_386
#elif defined(__arm__)
#define MACHINE EM_ARM
#endif

static const struct {
    unsigned machine;
    const char *name;
} machines[] = {{EM_X86_64, "x86-64"}, {EM_AARCH64, "ARM 64"},
                {EM_RISCV, "RISC-V"},  {EM_PPC64, "POWER"},
                {EM_S390, "S/390"},    {EM_386, "x86 32-bit"},
                {EM_ARM, "ARM 32-bit"}};

static const char *machine_name(unsigned machine)
{
    for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
        if (machines[i].machine == machine)
            return machines[i].name;
    return "another machine";
}

static enum ens_status check_segments(const unsigned char *p, size_t n,
                                      const ElfW(Ehdr) * head,
                                      struct ens_error *err)
{
    for (size_t i = 0; i < head->e_phnum; i++) {
        uint64_t at = head->e_phoff + i * sizeof(ElfW(Phdr));
        ElfW(Phdr) segment;

        if (head->e_phentsize != sizeof(segment) || at > n ||
            n - at < sizeof(segment))
            return ens_fail(err, ENS_ESTUDY, "is cut short or damaged");
        memcpy(&segment, p + at, sizeof(segment));
        if (segment.p_type == PT_LOAD &&
            (segment.p_offset > n || n - segment.p_offset < segment.p_filesz))
            return ens_fail(
                err, ENS_ESTUDY,
                "is cut short: %zu bytes, expected %llu or more", n,
                (unsigned long long)(segment.p_offset + segment.p_filesz));
    }
    return ENS_OK;
}

enum ens_status ens_plugin_check_file(const void *bytes, size_t n,
                                      struct ens_error *err)
{
    const int class = sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32;
    const unsigned char *p = bytes;
    ElfW(Ehdr) head;
    uint16_t machine;

    if (n < EI_NIDENT + 4 || memcmp(p, ELFMAG, SELFMAG) != 0)
        return ens_fail(err, ENS_ESTUDY,
                        "is not a shared library (compile it: cc -shared "
                        "-fPIC -o FILE.so FILE.c)");
    memcpy(&machine, p + EI_NIDENT + 2, sizeof(machine));
#ifdef MACHINE
    if (p[EI_CLASS] != class || machine != MACHINE)
        return ens_fail(err, ENS_ESTUDY, "is built for %s, this is %s",
                        machine_name(machine), machine_name(MACHINE));
#endif
    if (n < sizeof(head))
        return ens_fail(err, ENS_ESTUDY, "is cut short or damaged");
    memcpy(&head, p, sizeof(head));
    if (head.e_type != ET_DYN)
        return ens_fail(err, ENS_ESTUDY,
                        "is %s, not a shared library (link it with -shared)",
                        head.e_type == ET_REL    ? "an object file"
                        : head.e_type == ET_EXEC ? "a program"
                                                 : "something else");
    return check_segments(p, n, &head, err);
}
