/* One run's servers as a whole: its folder, and what is to go when something fails. */
#include "files.h"
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

const char *sim_servers_error_name(int error)
{
    static const char *const name[] = {
        "SIM_SERVERS_OK",       "SIM_SERVERS_ECONFIG", "SIM_SERVERS_EIO",     "SIM_SERVERS_ECRYPTO",
        "SIM_SERVERS_EPROGRAM", "SIM_SERVERS_EPORT",   "SIM_SERVERS_EEXITED", "SIM_SERVERS_ETIME"};
    if (error > 0 || error < SIM_SERVERS_ETIME)
        return "SIM_SERVERS_?";
    return name[-error];
}

static int check_room(const char *folder, size_t room, char *message, size_t len)
{
    if (strlen(folder) < room)
        return sim_folder_check(folder, message, len);
    return sim_fail(SIM_SERVERS_ECONFIG, message, len, "%.64s...: path longer than %zu", folder,
                    room - 1);
}

static int new_folder(struct sim_servers *servers, char *message, size_t len)
{
    const char *below = getenv("TMPDIR");
    char *path = NULL;
    if (asprintf(&path, "%s/brickyard-servers-XXXXXX", below && *below ? below : "/tmp") < 0)
        return sim_fail(SIM_SERVERS_EIO, message, len, "no memory");
    int error = check_room(path, sizeof servers->folder, message, len);
    if (!error && !mkdtemp(path))
        error = sim_fail(SIM_SERVERS_EIO, message, len, "%s: %s", path, strerror(errno));
    if (!error)
        snprintf(servers->folder, sizeof servers->folder, "%s", path);
    free(path);
    return error;
}

/* servers->folder is set only when the folder is ours to remove. */
static int take_folder(struct sim_servers *servers, const char *folder, char *message, size_t len)
{
    if (!folder)
        return new_folder(servers, message, len);
    int error = check_room(folder, sizeof servers->folder, message, len);
    if (!error)
        error = sim_folder_take(folder, message, len);
    if (!error)
        snprintf(servers->folder, sizeof servers->folder, "%s", folder);
    return error;
}

static int part_folder(const struct sim_servers *servers, char out[SIM_PKI_PATH_MAX],
                       const char *name, char *message, size_t len)
{
    sim_path_join(out, servers->folder, name);
    return sim_folder_make(out, message, len);
}

static int start_all(struct sim_servers *servers, const struct sim_servers_config *config,
                     char *message, size_t len)
{
    char path[SIM_PKI_PATH_MAX];
    uint32_t days = config->validity_days ? config->validity_days : 30;
    int error = part_folder(servers, path, "pki", message, len);
    if (!error)
        error = sim_pki_create(&servers->pki, path, days, config->now_ms, message, len);
    if (!error && !config->no_broker)
        error = part_folder(servers, path, "broker", message, len);
    if (!error && !config->no_broker)
        error =
            sim_broker_start(&servers->broker, path, &servers->pki, &config->broker, message, len);
    if (!error && !config->no_store)
        error = part_folder(servers, path, "store", message, len);
    if (!error && !config->no_store)
        error = sim_store_start(&servers->store, path, &servers->pki, &config->store, message, len);
    return error;
}

int sim_servers_start(struct sim_servers *out, const struct sim_servers_config *config,
                      char *message, size_t len)
{
    memset(out, 0, sizeof *out);
    int error = take_folder(out, config->folder, message, len);
    if (!error)
        error = start_all(out, config, message, len);
    if (error) {
        sim_servers_stop(out);
        return error;
    }
    out->keep = config->keep;
    return SIM_SERVERS_OK;
}

void sim_servers_stop(struct sim_servers *servers)
{
    sim_store_stop(&servers->store);
    sim_broker_stop(&servers->broker);
    sim_pki_close(&servers->pki);
    if (servers->folder[0] && !servers->keep)
        sim_folder_remove(servers->folder);
    memset(servers, 0, sizeof *servers);
}
