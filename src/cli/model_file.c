#include "cli/model_file.h"

#include "input/mapped.h"
#include "run/folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static enum ens_status find(struct ens_model_file *f, const char *word,
                            struct ens_error *err)
{
    const char *slash = strrchr(word, '/');
    struct stat st;
    int n;

    if (strlen(word) + sizeof(ENS_MODEL_FILE) + 1 > PATH_MAX)
        return ens_fail(err, ENS_EUSAGE, "%s: path too long", word);
    if (stat(word, &st) == 0 && S_ISDIR(st.st_mode)) {
        memcpy(f->dir, word, strlen(word) + 1);
        n = snprintf(f->path, PATH_MAX, "%s/" ENS_MODEL_FILE, word);
        if (n > 0 && stat(f->path, &st) == 0)
            return ENS_OK;
        return ens_fail(err, ENS_ENOTFOUND,
                        "%s: no " ENS_MODEL_FILE " in it; a study of kind "
                        "superlearner writes it when it has finished, with "
                        "type = select none",
                        word);
    }
    memcpy(f->path, word, strlen(word) + 1);
    if (slash == NULL)
        memcpy(f->dir, ".", 2);
    else
        memcpy(f->dir, word, slash == word ? 1 : (size_t)(slash - word));
    return ENS_OK;
}

enum ens_status ens_model_file_open(struct ens_model_file *f, const char *path,
                                    struct ens_error *err)
{
    struct stat st;
    enum ens_status s;
    void *p;
    int fd;

    memset(f, 0, sizeof(*f));
    s = find(f, path, err);
    if (s != ENS_OK)
        return s;
    fd = open(f->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return ens_fail_errno(err, ENS_ENOTFOUND, "%s", f->path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
        close(fd);
        return ens_fail(err, ENS_ECORRUPT, "%s: not a model of ensrun",
                        f->path);
    }
    p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (p == MAP_FAILED)
        return ens_fail_errno(err, ENS_EIO, "cannot map %s", f->path);
    f->data = p;
    f->bytes = (size_t)st.st_size;
    return ENS_OK;
}

void ens_model_file_close(struct ens_model_file *f)
{
    if (f->data != NULL)
        munmap(f->data, f->bytes);
    f->data = NULL;
}

enum ens_status ens_model_file_read(const struct ens_model_file *f,
                                    struct ens_model *m,
                                    struct ens_arena *arena,
                                    struct ens_error *err)
{
    enum ens_status s = ens_model_read(m, f->data, f->bytes, arena, err);

    return s == ENS_OK ? s : ens_wrap(err, s, "%s", f->path);
}

/* Neither touched nor, if so, another content. */
static enum ens_status check_input(const struct ens_folder_input *known,
                                   const struct ens_mapped *m,
                                   struct ens_error *err)
{
    atomic_int stop = 0;
    struct ens_hash128 now;
    enum ens_status s;

    if (!known->has_digest || ens_file_id_same(&known->id, &m->id))
        return ENS_OK;
    s = ens_mapped_digest(m, &stop, &now, err);
    if (s != ENS_OK)
        return s;
    if (now.low == known->digest.low && now.high == known->digest.high)
        return ENS_OK;
    return ens_fail(err, ENS_ECHANGED,
                    "input %s: %s has other content than what the model was "
                    "fitted on; put it back, or fit again",
                    m->input.name, m->source);
}

enum ens_status ens_model_file_check(const struct ens_model_file *f,
                                     const struct ens_study *study,
                                     const struct ens_inputs *in,
                                     struct ens_error *err)
{
    struct ens_folder folder;
    enum ens_status s = ens_folder_read(&folder, f->dir, study, err);

    for (size_t i = 0; s == ENS_OK && i < in->n && i < folder.n_inputs; i++)
        s = check_input(&folder.input[i], &in->item[i], err);
    ens_folder_fini(&folder);
    return s;
}
