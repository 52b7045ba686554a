/* Delimited text, cut into records and fields: pushed in by blocks of any
 * size, handed out by callbacks. No memory but the struct.
 *
 * RFC 4180 and what is met besides: records end in LF, CRLF or CR; a field in
 * double quotes may hold delimiters, line ends, doubled quotes and blanks at
 * its ends; blanks around a field do not count; records with nothing but blanks
 * are skipped. With the delimiter ' ' runs of blanks and tabs separate fields.
 */
#ifndef ENS_BASE_CSV_SCAN_H
#define ENS_BASE_CSV_SCAN_H

#include <ensrun/error.h>
#include <stddef.h>

/* longer than any number or name; ends a quote that is never closed */
#define ENS_CSV_FIELD_BYTES 65536

struct ens_csv_scan;

/** A field, without its quotes and what blanks are outside of them; not
 * terminated. */
typedef enum ens_status ens_csv_field_fn(void *arg, const char *s, size_t n,
                                         struct ens_error *err);
/** The end of a record that had at least one field. */
typedef enum ens_status ens_csv_record_fn(void *arg, struct ens_error *err);

struct ens_csv_scan {
    ens_csv_field_fn *field;
    ens_csv_record_fn *record;
    void *arg;
    char delimiter;
    int state;
    int after_cr;
    int quoted;           /* the present field */
    uint64_t line;        /* of the next byte, from 1 */
    uint64_t record_line; /* where the present record began */
    uint64_t quote_line;  /* where the present quote opened */
    uint64_t n_fields;    /* handed out in the present record */
    size_t n;
    unsigned char special[256];
    char text[ENS_CSV_FIELD_BYTES];
};

void ens_csv_scan_init(struct ens_csv_scan *c, char delimiter,
                       ens_csv_field_fn *field, ens_csv_record_fn *record,
                       void *arg);
/** ENS_EINPUT with the line; or what a callback returned. */
enum ens_status ens_csv_scan_feed(struct ens_csv_scan *c, const char *p,
                                  size_t n, struct ens_error *err);
/** The end of the file: the last record may lack its line end. */
enum ens_status ens_csv_scan_finish(struct ens_csv_scan *c,
                                    struct ens_error *err);

/**
 * The delimiter of a text from its beginning: the first of tab ; | , and
 * blank that cuts the first records into equally many fields, more than one.
 * whole: p is all of the file.
 */
char ens_csv_sniff(const char *p, size_t n, int whole);

#endif
