/* The inside of the rough network: proxies and edge (rough.c), and a device's troubles. */
#ifndef SIM_ROUGH_INTERNAL_H
#define SIM_ROUGH_INTERNAL_H

#include "sim/queue.h"
#include "sim/rough.h"

/* What a fault does to a device's ways to the servers, from its beginning to its end. */
struct rough_trouble {
    uint32_t what;                 /* SIM_OUT_*; 0: the place is free */
    const struct sim_fault *fault; /* NULL: nobody is told */
    enum scn_fault_kind kind;
    enum scn_how how; /* as it was when this began: an instance that strikes again draws anew */
    const struct scn_fault *from;
    int64_t until_us;  /* 0: over, and still waiting for its effect, or to be told */
    bool struck, told; /* its effect was seen; it was told */
    bool hit;          /* a connection fell into its hole, and will show it */
    bool led;          /* a connection was led to its certificate */
};

struct rough_device {
    struct sim_rough *in;
    uint32_t number;
    bool rough; /* it goes through the proxies */
    bool spoil; /* how the next answer is to be spoiled */
    bool news;  /* an effect was seen, it is to be told */
    struct sim_edge_plan plan;
    struct rough_trouble trouble[SIM_ROUGH_TROUBLES_MAX];
};

struct sim_rough {
    struct sim_rough_config config;
    struct rough_device *device;
    uint32_t devices, roughs;
    struct sim_queue troubles; /* when the first trouble of each device ends */
    struct sim_proxy *proxy[SIM_ROUGH_SERVERS];
    struct sim_edge *edge;
    struct sim_edge_file *file;
    struct sockaddr_in edge_address;
    uint32_t *news, newses; /* devices with something to tell */
};

/* rough.c */
struct sockaddr_in rough_address(const struct sim_rough *rough, enum sim_rough_server server,
                                 enum sim_cert certificate);

/* trouble.c */
/* What the troubles make of a connection to this server. */
void rough_trouble_plan(const struct rough_device *dev, enum sim_rough_server server,
                        struct sim_proxy_plan *plan);
void rough_trouble_seen(struct rough_device *dev, enum sim_rough_server server,
                        enum sim_proxy_effect_kind kind);

#endif
