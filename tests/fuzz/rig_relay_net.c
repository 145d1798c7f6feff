/*
 * Any bytes as the answer of a device of the network: the first byte says whose. Nothing but an
 * accepted answer may set the state, a device's words must be printable, and what a second reading
 * says must be what the first one said.
 */
#include "answers.h"
#include "rig/port.h"
#include "snmp_kind.h"
#include <stdlib.h>
#include <string.h>

enum { SAID = 40, CHANNEL = 2, ID = 7 };

struct outcome {
    int error;
    bool on;
    char said[SAID];
};

static struct outcome read_one(unsigned which, const char *text, size_t len)
{
    struct outcome out = {.on = true};
    enum rig_scpi_dialect dialect = (enum rig_scpi_dialect)(which % 3);
    switch (which) {
    case 0:
    case 1:
    case 2:
        out.error = rig_scpi_state(&out.on, dialect, CHANNEL, text);
        break;
    case 3:
        out.error = rig_scpi_error(text);
        break;
    case 4:
        out.error = rig_tasmota_power(&out.on, CHANNEL, text, len, out.said, SAID);
        break;
    case 5:
        out.error = rig_tasmota_status(&out.on, 1, text, len, out.said, SAID);
        break;
    case 6:
        out.error = rig_shelly_was_on(ID, text, len, out.said, SAID);
        break;
    default:
        out.error = rig_shelly_output(&out.on, CHANNEL, ID, text, len, out.said, SAID);
        break;
    }
    return out;
}

static void check(const struct outcome *out)
{
    if (out->error != RIG_OK && out->error != RIG_EANSWER && out->error != RIG_EREFUSED)
        abort();
    if (out->error && !out->on)
        abort();
    if (!memchr(out->said, '\0', SAID))
        abort();
    for (const char *at = out->said; *at; at++)
        if (*at < ' ' || *at > '~')
            abort();
}

/* An OID fits where it is put, and begins as BER can pack it. */
static void check_oid(const char *text)
{
    unsigned long numbers[8] = {0};
    size_t n = rig_snmp_oid(numbers, 8, text, 200);
    if (n > 8 || (n && (n < 2 || numbers[0] > 2)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    unsigned which = data[0] % 9;
    char *text = malloc(size);
    if (!text)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    if (which == 8) {
        check_oid(text);
    } else {
        struct outcome once = read_one(which, text, size - 1), again;
        check(&once);
        again = read_one(which, text, size - 1);
        if (once.error != again.error || once.on != again.on || strcmp(once.said, again.said) != 0)
            abort();
    }
    free(text);
    return 0;
}
