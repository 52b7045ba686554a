/* The interface of an output format of `ensrun convert`.
 *
 * A format is a const struct ens_writer in a file of its own and a line in
 * writers.def. It reads the mapped input and writes to a file that appears
 * under its name only when all went well; its own memory is bounded.
 */
#ifndef ENS_CONVERT_WRITER_H
#define ENS_CONVERT_WRITER_H

#include "convert/convert.h"
#include "export/out.h"

struct ens_writing {
    const struct ens_convert_options *options;
    const struct ens_input *in;
    struct ens_out *out;
    uint64_t n_elements; /* of the input */
    uint64_t n_done;     /* of them; counted by ens_writing_done */
};

struct ens_writer {
    const char *name;
    const char *help;
    const char *extensions; /* "csv tsv csv.gz": the longest one counts */
    int is_text;            /* may go to a terminal */
    int seeks;              /* cannot go to standard output */
    /** The options that it knows, as in ens_convert_option (convert.h). */
    unsigned takes;
    /** Write all of it. ENS_EINPUT when the format cannot hold the input.
     * Failures of the output are sticky in `out`. Required. */
    enum ens_status (*write)(struct ens_writing *w, struct ens_error *err);
};

#define ENS_WRITER(name) extern const struct ens_writer ens_writer_##name;
#include "convert/writers.def"
#undef ENS_WRITER

/** Count elements as written; tells the progress. ENS_ESTOPPED when the caller
 * wants no more, or the error of the output: the writer returns it. */
enum ens_status ens_writing_done(struct ens_writing *w, uint64_t n,
                                 struct ens_error *err);

#endif
