"""For tests of plugins: the headers as they are installed, a compiler, a
minimal plugin to be spoilt."""
import pathlib
import shutil
import subprocess

from harness import BUILD, SOURCE, Failure, check

EXAMPLES = SOURCE / "launch" / "examples" / "plugin"

# A kind with one field; TASK is what run does, PLUGIN the members of the table.
KIND = """
#define _GNU_SOURCE
#include <ensrun/plugin.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static const struct ens_host *host;
static const struct ens_setting settings[] = {{.section = "toy",
    .key = "u", .type = ENS_T_NUM, .shape = ENS_AXIS, .cls = ENS_C_CELL,
    .def = "1", .help = "a number"}};
static const struct ens_role roles[] = {{.name = "toy"}};
static enum ens_status plan(const struct ens_host *h, struct ens_plan *p,
                            struct ens_error *err)
{
    static const struct ens_field field = {"x", ENS_F64, "", "a number"};
    uint32_t index;
    enum ens_status s = h->plan_schema(p, &field, 1, &index, err);
    return s ? s : h->plan_stage(p, "toy", 0, NULL, NULL, NULL, 0, err);
}
static enum ens_status run(void *state, const struct ens_task *task,
                           struct ens_result *r, struct ens_error *err)
{
    double x = host->cell_value(&task->cell, "toy", "u")->d
               + host->uniform(host->rng(r, "x"));
    (void)state;
    (void)err;
    @TASK@;
    host->f64(r, 0, x);
    return ENS_OK;
}
@MORE@
static const struct ens_kind toy = {.abi = ENS_ABI, .name = "toy",
    .help = "a toy", .results_version = 1, .settings = settings,
    .n_settings = 1, .roles = roles, .n_roles = 1, .plan = plan, .run = run
    @KIND@};
static const struct ens_kind *const kinds[] = {&toy};
const struct ens_plugin ensrun_plugin = {ENS_PLUGIN_HEAD, .host = &host,
    .kinds = kinds, .n_kinds = 1 @PLUGIN@};
"""


def source(**parts):
    text = KIND
    for name in ("TASK", "MORE", "KIND", "PLUGIN"):
        text = text.replace(f"@{name}@", parts.get(name, ""))
    return text


def compiler():
    for line in (BUILD / "CMakeCache.txt").read_text().splitlines():
        if line.startswith("CMAKE_C_COMPILER:"):
            return line.split("=", 1)[1]
    return "cc"


def installed(work):
    """Folder that the program was installed into."""
    prefix = work.path / "opt"
    if not prefix.exists():
        subprocess.run(["cmake", "--install", BUILD, "--prefix", prefix],
                       check=True, stdout=subprocess.DEVNULL)
    return prefix


def compile_c(work, path, output, *flags, link=("-lm",)):
    command = [compiler(), "-std=c11", "-O2", "-Wall", "-Wextra",
               *(flags or ("-shared", "-fPIC")),
               f"-I{installed(work)}/include", "-o", str(output), str(path),
               *link]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode != 0:
        raise Failure(f"{' '.join(command)}\n{answer.stderr}")
    return pathlib.Path(output)


def plugin(work, name="toy", *flags, link=("-lm",), **parts):
    """Compile the minimal plugin, spoilt by parts; the .so."""
    path = work.path / f"{name}.c"
    path.write_text(source(**parts))
    return compile_c(work, path, work.path / f"{name}.so", *flags, link=link)


def example(work, name):
    """Compile an example; its study beside it in the work folder."""
    folder = work.path / "examples"
    if not folder.exists():
        shutil.copytree(EXAMPLES, folder)
    lines = (folder / f"{name}.c").read_text().splitlines()
    check(len(lines) < 80, f"{name}.c has {len(lines)} lines")
    command = next((line for line in lines if line.lstrip(" *").startswith(
        "cc ")), None)
    check(command is not None, f"{name}.c does not say how to compile it")
    words = command.lstrip(" *").split()
    words[0] = compiler()
    words[words.index("-I") + 1] = str(installed(work) / "include")
    answer = subprocess.run(words + ["-Wall", "-Wextra", "-Wpedantic",
                                     "-Werror"],
                            cwd=folder, capture_output=True, text=True)
    check(answer.returncode == 0, f"{' '.join(words)}\n{answer.stderr}")
    return folder / f"{name}.ini"
