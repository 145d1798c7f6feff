/* Where the devices find the servers: the run's own ones, somebody else's, or proxies before them.
 */
#include "loopback_internal.h"
#include <arpa/inet.h>

void lb_where(const struct sim_loopback *lb, uint32_t device, enum sim_rough_server server,
              struct lb_where *out)
{
    struct sockaddr_in at = sim_rough_where(lb->rough, device, server);
    inet_ntop(AF_INET, &at.sin_addr, out->ip, sizeof out->ip);
    out->port = ntohs(at.sin_port);
    out->on_this_host = ntohl(at.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

void lb_given_rough(struct sim_loopback *lb, struct sim_rough_config *out)
{
    const struct sim_yard *yard = &lb->yard;
    if (sim_yard_is_given(yard, SIM_GIVEN_BROKER))
        out->given[SIM_ROUGH_BROKER] = yard->given->server[SIM_GIVEN_BROKER].address;
    if (!sim_yard_is_given(yard, SIM_GIVEN_STORE))
        return;
    const struct sim_given_server *store = &yard->given->server[SIM_GIVEN_STORE];
    out->given[SIM_ROUGH_STORE] = store->address;
    out->store_path = store->path;
    if (!sim_yard_stands_in(yard))
        return;
    sim_pki_stand_in_path(&yard->servers.pki, lb->stand_in_cert, SIM_PEM_CERTIFICATE);
    sim_pki_stand_in_path(&yard->servers.pki, lb->stand_in_key, SIM_PEM_KEY);
    out->store_cert = lb->stand_in_cert;
    out->store_key = lb->stand_in_key;
}
