/* numpy's .npz: a zip archive of one stored member, which numpy.load and
 * [input] read, the latter in place: its bytes begin at a multiple of 64.
 *
 *   0   30  "PK\3\4", sizes 0xffffffff (they are in the extra field)
 *  30    n  the name, with .npy
 *           extra field 1: bytes, packed bytes (8 each)
 *           extra field 0xd935: zeros up to a multiple of 64
 *           the member
 *   then    the directory: "PK\1\2", the name, extra field 1
 *   then    the end records "PK\6\6", "PK\6\7", "PK\5\6"
 *
 * All sizes are of 64 bits, as numpy writes them. The checksum is only known
 * at the end and put into its place then. Source: as input/npz.h.
 */
#include "convert/source.h"
#include "convert/writer.h"

#include <string.h>
#include <zlib.h>

#define CRC_OFFSET 14u
#define VERSION    45u /* 4.5: sizes of 64 bits */
#define DATE       33u /* 1 January 1980: the same bytes whenever written */
#define PADDING    0xd935u
#define NAME_BYTES 1024u

struct npz {
    struct ens_out *out;
    uint32_t crc;
    uint64_t bytes; /* of the member */
};

static void put(void *arg, const void *p, size_t n)
{
    struct npz *z = arg;
    const unsigned char *at = p;

    z->bytes += n;
    ens_out_put(z->out, p, n);
    while (n > 0) {
        uInt k = n < (1u << 30) ? (uInt)n : 1u << 30;

        z->crc = (uint32_t)crc32(z->crc, at, k);
        at += k;
        n -= k;
    }
}

/* What the member's own head and the directory share, from the version on. */
static void put_common(struct ens_buf *b, uint32_t crc, size_t n_name,
                       size_t n_extra)
{
    ens_buf_u16(b, VERSION);
    ens_buf_u16(b, 1u << 11); /* the name is UTF-8 */
    ens_buf_u16(b, 0);        /* stored */
    ens_buf_u16(b, 0);        /* time */
    ens_buf_u16(b, DATE);
    ens_buf_u32(b, crc);
    ens_buf_u32(b, UINT32_MAX);
    ens_buf_u32(b, UINT32_MAX);
    ens_buf_u16(b, (uint16_t)n_name);
    ens_buf_u16(b, (uint16_t)n_extra);
}

static void put_sizes(struct ens_buf *b, uint64_t bytes)
{
    ens_buf_u16(b, 1);
    ens_buf_u16(b, 16);
    ens_buf_u64(b, bytes);
    ens_buf_u64(b, bytes);
}

static void put_head(struct ens_buf *b, const char *name, uint64_t bytes)
{
    size_t n = strlen(name);
    size_t fixed = 30 + n + 20 + 4;
    size_t zeros = (64 - fixed % 64) % 64;

    ens_buf_put(b, "PK\3\4", 4);
    put_common(b, 0, n, 20 + 4 + zeros);
    ens_buf_put(b, name, n);
    put_sizes(b, bytes);
    ens_buf_u16(b, PADDING);
    ens_buf_u16(b, (uint16_t)zeros);
    while (zeros-- > 0)
        ens_buf_u8(b, 0);
}

static void put_end(struct ens_buf *b, const char *name, uint32_t crc,
                    uint64_t bytes, uint64_t at)
{
    size_t n = strlen(name);
    size_t start = b->len;
    uint64_t directory;

    ens_buf_put(b, "PK\1\2", 4);
    ens_buf_u16(b, VERSION);
    put_common(b, crc, n, 20);
    for (size_t i = 0; i < 14; i++) /* no comment, disk 0, attributes, head 0 */
        ens_buf_u8(b, 0);
    ens_buf_put(b, name, n);
    put_sizes(b, bytes);
    directory = b->len - start;
    ens_buf_put(b, "PK\6\6", 4);
    ens_buf_u64(b, 44); /* bytes of this record behind here */
    ens_buf_u16(b, VERSION);
    ens_buf_u16(b, VERSION);
    ens_buf_u64(b, 0); /* disks */
    ens_buf_u64(b, 1); /* entries on this one, and in all */
    ens_buf_u64(b, 1);
    ens_buf_u64(b, directory);
    ens_buf_u64(b, at);
    ens_buf_put(b, "PK\6\7\0\0\0\0", 8);
    ens_buf_u64(b, at + directory);
    ens_buf_u32(b, 1);
    ens_buf_put(b, "PK\5\6\0\0\0\0\1\0\1\0", 12);
    ens_buf_u32(b, (uint32_t)directory);
    ens_buf_u32(b, UINT32_MAX); /* where it is: in the record above */
    ens_buf_u16(b, 0);
}

static enum ens_status write_all(struct npz *z, const struct ens_source *source,
                                 struct ens_writing *w, const char *name,
                                 struct ens_error *err)
{
    struct ens_buf head = ENS_BUF_INIT;
    struct ens_buf npy = ENS_BUF_INIT;
    struct ens_buf end = ENS_BUF_INIT;
    uint64_t bytes = ens_dtype_bytes(source->dtype);
    enum ens_status s = ENS_OK;

    ens_source_npy_head(source, &npy);
    for (uint32_t i = 0; i < source->ndim; i++)
        bytes *= source->shape[i];
    put_head(&head, name, npy.len + bytes);
    if (head.failed || npy.failed)
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    ens_out_put(w->out, head.data, head.len);
    put(z, npy.data, npy.len);
    if (s == ENS_OK)
        s = ens_source_write(source, w, put, z, err);
    if (s == ENS_OK) {
        put_end(&end, name, z->crc, z->bytes, head.len + z->bytes);
        ens_out_put(w->out, end.data, end.len);
        ens_buf_clear(&head);
        ens_buf_u32(&head, z->crc);
        if (end.failed || head.failed)
            s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
        else
            s = ens_out_patch(w->out, CRC_OFFSET, head.data, head.len, err);
    }
    ens_buf_fini(&head);
    ens_buf_fini(&npy);
    ens_buf_fini(&end);
    return s;
}

static enum ens_status write_npz(struct ens_writing *w, struct ens_error *err)
{
    const char *name = w->options->dataset;
    struct npz z = {.out = w->out};
    struct ens_source source;
    enum ens_status s = ENS_OK;
    struct ens_buf file = ENS_BUF_INIT;

    if (name == NULL)
        name = "X";
    if (*name == '\0' || strlen(name) > NAME_BYTES || strchr(name, '/') != NULL)
        return ens_fail(err, ENS_EUSAGE,
                        "--to-dataset '%s'; expected a name of 1 to %u bytes",
                        name, NAME_BYTES);
    ens_buf_puts(&file, name);
    ens_buf_puts(&file, ".npy");
    if (ens_buf_text(&file)[0] == '\0')
        s = ens_fail(err, ENS_ENOMEMORY, "out of memory");
    if (s == ENS_OK)
        s = ens_source_init(&source, w, 1, err);
    if (s == ENS_OK) {
        s = write_all(&z, &source, w, ens_buf_text(&file), err);
        ens_source_fini(&source);
    }
    ens_buf_fini(&file);
    return s;
}

const struct ens_writer ens_writer_npz = {
    .name = "npz",
    .help = "an archive of one array, not compressed, for numpy.load",
    .extensions = "npz",
    .seeks = 1,
    .takes = ENS_TO_DTYPE | ENS_TO_DATASET | ENS_TO_FLATTEN | ENS_TO_CODES,
    .write = write_npz,
};
