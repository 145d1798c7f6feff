#include "sim/device.h"
#include <stdlib.h>
#include <string.h>

int sim_shard_init(struct sim_shard *shard, const struct sim_world *world)
{
    memset(shard, 0, sizeof *shard);
    if (boot_openssl_init(&shard->openssl))
        return -1;
    boot_openssl_port(&shard->openssl, &shard->crypto);
    return sim_oracle_create(&shard->oracle, &world->layout, &world->trust);
}

void sim_shard_free(struct sim_shard *shard)
{
    boot_openssl_free(&shard->openssl);
    sim_oracle_free(shard->oracle);
    free(shard->up);
    free(shard->text);
    memset(shard, 0, sizeof *shard);
}
