#include "sim/net.h"
#include <string.h>

/* Field figures, rounded: 3GPP TR 45.820 and GSMA deployment guides for LTE-M and NB-IoT, LoRa
 * Alliance regional parameters (222 bytes at DR4 and up), geostationary round trip for satellite.
 */
static const struct sim_link links[] = {
    {"ethernet", 2000, 1000, 100000000, 10, 65535},
    {"wifi", 8000, 12000, 20000000, 5000, 65535},
    {"lte-m", 80000, 60000, 600000, 10000, 65535},
    {"nb-iot", 1000000, 2000000, 60000, 30000, 1358},
    {"lorawan", 1500000, 1000000, 5000, 50000, 222},
    {"satellite", 600000, 100000, 1000000, 10000, 65535},
};

const struct sim_link *sim_link_find(const char *name)
{
    for (size_t i = 0; i < sizeof links / sizeof *links; i++)
        if (!strcmp(links[i].name, name))
            return &links[i];
    return NULL;
}

static int64_t retransmissions_us(const struct sim_link *link, struct sim_rng *rng)
{
    int64_t wait = 0;
    /* Twelve losses in a row are no packet loss any more: that is an outage, which is modelled
     * apart. */
    for (int tries = 0; tries < 12 && sim_rng_below(rng, 1000000) < link->loss_ppm; tries++)
        wait += 2 * link->latency_us + 1000000;
    return wait;
}

int64_t sim_link_piece_us(const struct sim_link *link, struct sim_rng *rng, uint32_t bytes)
{
    int64_t us = (int64_t)bytes * 8 * 1000000 / link->bits_per_s;
    return us + retransmissions_us(link, rng);
}

int64_t sim_link_delay_us(const struct sim_link *link, struct sim_rng *rng, uint32_t bytes)
{
    int64_t us = 0;
    do {
        uint32_t part = bytes < link->message_bytes ? bytes : link->message_bytes;
        us += link->latency_us + sim_rng_below(rng, (uint32_t)link->jitter_us + 1);
        us += sim_link_piece_us(link, rng, part);
        bytes -= part;
    } while (bytes > 0);
    return us;
}
