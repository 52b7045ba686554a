/* Messages between ranks, and parcels of results in frames: the first byte
 * chooses the reader. */
#include "record/parcel.h"
#include "transport/relay.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sink;

static void touch(const void *p, size_t n)
{
    const unsigned char *at = p;

    for (size_t i = 0; i < n; i++)
        sink += at[i];
}

static void use_item(const struct ens_relay_item *item)
{
    struct ens_relay_hello hello;
    struct ens_relay_setup setup;
    struct ens_relay_opened opened;
    struct ens_relay_file file;
    struct ens_relay_cost cost;
    struct ens_staged_part part;
    uint64_t value;
    struct ens_death death;
    struct ens_error err;

    touch(item->body, item->n);
    if (ens_relay_get_hello(&hello, item) == 0)
        touch(&hello, sizeof(hello));
    if (ens_relay_get_setup(&setup, item) == 0) {
        touch(setup.study_text, setup.study_bytes);
        for (size_t i = 0; i < setup.n_inputs; i++) {
            struct ens_staged_file f = ens_relay_staged_file(&setup, i);

            touch(&f, sizeof(f));
        }
    }
    if (ens_relay_get_file(&file, item) == 0) {
        touch(file.data, file.n);
        if (strstr(file.path, "..") == file.path || file.path[0] == '/')
            abort();
    }
    if (ens_relay_get_part(&part, item) == 0)
        touch(part.data, part.n);
    ens_relay_get_u64(&value, item);
    ens_relay_get_opened(&opened, item);
    ens_relay_get_cost(&cost, item);
    if (ens_relay_get_death(&death, item) == 0 &&
        death.phase > ENS_PHASE_SENDING)
        abort();
    if (ens_relay_get_error(&err, item) == 0)
        touch(err.text, strlen(err.text));
}

static void use_message(const uint8_t *data, size_t n)
{
    struct ens_relay_item item;
    size_t k;

    while ((k = ens_relay_read(&item, data, n)) > 0) {
        if (k > n || item.n > k)
            abort();
        use_item(&item);
        data += k;
        n -= k;
    }
}

static void use_parcel(const uint8_t *data, size_t n)
{
    struct ens_parcel p;

    if (ens_parcel_read(&p, data, n, NULL) != ENS_OK)
        return;
    touch(p.name, p.name_bytes);
    if (p.data != NULL)
        touch(p.data, (size_t)p.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    if (data[0] % 2 == 0)
        use_message(data + 1, size - 1);
    else
        use_parcel(data + 1, size - 1);
    return 0;
}
