/* The file's bytes, block by block, into a scanner: both passes over a CSV. */
#ifndef ENS_INPUT_CSV_STREAM_H
#define ENS_INPUT_CSV_STREAM_H

#include "input/csv.h"
#include "input/inflate.h"

struct ens_csv_stream {
    int fd;
    uint64_t size; /* of the file */
    uint64_t skip; /* (unpacked) bytes that are not for the scanner */
    enum ens_packing packing;
    struct ens_csv_scan *scan;
    int want_digest;
    struct ens_hash128 digest; /* out, of all bytes */
    ens_csv_progress_fn *progress;
    void *progress_arg;
    uint64_t progress_base; /* bytes of earlier passes */
    uint64_t fed;           /* so far, unpacked */
};

/** Feeds and finishes the scanner. ENS_EINPUT when the file ends early. */
enum ens_status ens_csv_stream(struct ens_csv_stream *st,
                               struct ens_error *err);

/** s for an error text: printable, whole characters, at most 40 bytes. */
const char *ens_csv_shown(char to[48], const char *s, size_t n);

#endif
