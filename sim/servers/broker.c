#include "accounts.h"
#include "files.h"
#include "process.h"
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { PORTS_MAX = SIM_CERT_KINDS + 1, ATTEMPTS_MAX = 8, SAVE_WITHIN_MS = 10000 };

/* ------------------------------------------------------------------------ configuration */

static void write_listener(FILE *file, const struct sim_pki *pki, uint16_t port, enum sim_cert kind,
                           bool mutual)
{
    char ca[SIM_PKI_PATH_MAX], certificate[SIM_PKI_PATH_MAX], key[SIM_PKI_PATH_MAX];
    sim_pki_ca_path(pki, ca);
    sim_pki_server_path(pki, certificate, SIM_BROKER_NAME, kind, SIM_PEM_CERTIFICATE);
    sim_pki_server_path(pki, key, SIM_BROKER_NAME, kind, SIM_PEM_KEY);
    fprintf(file,
            "\n"
            "listener %u 127.0.0.1\n"
            "certfile %s\n"
            "keyfile %s\n"
            "tls_version tlsv1.2\n"
            "max_connections -1\n"
            "use_username_as_clientid true\n",
            port, certificate, key);
    if (mutual)
        fprintf(file,
                "cafile %s\n"
                "require_certificate true\n"
                "use_identity_as_username true\n",
                ca);
}

/* mosquitto.conf(5); every relative path is below the child's working directory. The log goes to
 * standard error: so it holds what went wrong before mosquitto had read where to log. */
static void write_settings(FILE *file, uint32_t autosave_s)
{
    if (geteuid() == 0)
        fputs("user root\n", file); /* else it becomes one who may not read the folder */
    fprintf(file,
            "log_dest stderr\n"
            "log_type error\nlog_type warning\nlog_type notice\nlog_type information\n"
            "connection_messages true\n"
            "sys_interval 0\n"
            "allow_anonymous false\n"
            "password_file passwords\n"
            "acl_file acl\n"
            "persistence true\n"
            "persistence_location ./\n"
            "persistence_file sessions.db\n"
            "autosave_interval %" PRIu32 "\n"
            "message_size_limit 65536\n"
            "max_queued_messages 100000\n"
            "max_queued_bytes 0\n"
            "max_inflight_messages 100\n"
            "set_tcp_nodelay true\n",
            autosave_s);
}

static int write_configuration(const struct sim_broker *broker, const struct sim_pki *pki,
                               uint32_t autosave_s, char *message, size_t len)
{
    FILE *file = sim_file_create(broker->folder, "mosquitto.conf", 0600, message, len);
    if (!file)
        return SIM_SERVERS_EIO;
    write_settings(file, autosave_s);
    for (int kind = 0; kind < SIM_CERT_KINDS; kind++)
        if (broker->port[kind])
            write_listener(file, pki, broker->port[kind], (enum sim_cert)kind, false);
    if (broker->mutual_port)
        write_listener(file, pki, broker->mutual_port, SIM_CERT_GOOD, true);
    return sim_file_close(file, broker->folder, "mosquitto.conf", message, len);
}

/* ------------------------------------------------------------------------ start */

static size_t ports_of(const struct sim_broker *broker, uint16_t out[PORTS_MAX])
{
    size_t count = 0;
    for (int kind = 0; kind < SIM_CERT_KINDS; kind++)
        if (broker->port[kind])
            out[count++] = broker->port[kind];
    if (broker->mutual_port)
        out[count++] = broker->mutual_port;
    return count;
}

static int pick_ports(struct sim_broker *broker, const struct sim_broker_config *config,
                      char *message, size_t len)
{
    uint16_t port[PORTS_MAX];
    size_t listeners = config->bad_certificates ? SIM_CERT_KINDS : 1;
    int error = sim_ports_pick(port, listeners + config->mutual_tls, message, len);
    if (error)
        return error;
    memcpy(broker->port, port, listeners * sizeof port[0]);
    broker->mutual_port = config->mutual_tls ? port[listeners] : 0;
    return SIM_SERVERS_OK;
}

static int launch(struct sim_broker *broker, char *message, size_t len)
{
    char *argv[] = {broker->program, "-c", "mosquitto.conf", NULL};
    struct sim_command command = {.name = "mosquitto",
                                  .program = broker->program,
                                  .argv = argv,
                                  .folder = broker->folder,
                                  .death_signal = SIGKILL};
    uint16_t port[PORTS_MAX];
    size_t count = ports_of(broker, port);
    int error = sim_process_start(&broker->process, &command, message, len);
    return error ? error : sim_process_await_ports(&broker->process, port, count, message, len);
}

/* Between the look at a port and mosquitto's bind, somebody else may take it: then others. */
static int launch_on_free_ports(struct sim_broker *broker, const struct sim_pki *pki,
                                const struct sim_broker_config *config, char *message, size_t len)
{
    int error = SIM_SERVERS_EPORT;
    for (int attempt = 0; error == SIM_SERVERS_EPORT && attempt < ATTEMPTS_MAX; attempt++) {
        error = pick_ports(broker, config, message, len);
        if (error)
            return error;
        error = write_configuration(broker, pki, config->autosave_s, message, len);
        if (!error)
            error = launch(broker, message, len);
    }
    return error;
}

int sim_broker_write_access(const struct sim_broker_config *config, const char *folder,
                            char *message, size_t len)
{
    int error = sim_accounts_write_passwords(config, folder, message, len);
    return error ? error : sim_accounts_write_acl(folder, message, len);
}

int sim_broker_start(struct sim_broker *out, const char *folder, const struct sim_pki *pki,
                     const struct sim_broker_config *config, char *message, size_t len)
{
    assert(config->account || config->account_count == 0);
    memset(out, 0, sizeof *out);
    int error = sim_folder_check(folder, message, len);
    if (error)
        return error;
    snprintf(out->folder, sizeof out->folder, "%s", folder);
    error = sim_program_find(out->program, config->program ? config->program : "mosquitto",
                             "mosquitto", message, len);
    if (!error)
        error = sim_broker_write_access(config, folder, message, len);
    if (!error)
        error = launch_on_free_ports(out, pki, config, message, len);
    if (error)
        memset(out, 0, sizeof *out);
    return error;
}

/* ------------------------------------------------------------------------ stop, save, again */

void sim_broker_stop(struct sim_broker *broker)
{
    sim_process_stop(&broker->process, SIGTERM);
}

void sim_broker_kill(struct sim_broker *broker)
{
    sim_process_stop(&broker->process, SIGKILL);
}

bool sim_broker_runs(struct sim_broker *broker)
{
    return sim_process_runs(&broker->process);
}

/* The saved file's number; 0 when there is none. mosquitto writes a new file and renames it, so a
 * save is complete when the number is another. */
static ino_t saved_file(const struct sim_broker *broker)
{
    char path[SIM_PKI_PATH_MAX];
    struct stat facts;
    sim_path_join(path, broker->folder, "sessions.db");
    return stat(path, &facts) == 0 ? facts.st_ino : 0;
}

int sim_broker_save(struct sim_broker *broker, char *message, size_t len)
{
    struct timespec now;
    if (!sim_broker_runs(broker))
        return sim_fail(SIM_SERVERS_EEXITED, message, len, "mosquitto is not running");
    ino_t before = saved_file(broker);
    kill(broker->process.pid, SIGUSR1);
    clock_gettime(CLOCK_MONOTONIC, &now);
    time_t until = now.tv_sec + SAVE_WITHIN_MS / 1000;
    while (saved_file(broker) == before && now.tv_sec <= until) {
        if (!sim_broker_runs(broker))
            return sim_fail(SIM_SERVERS_EEXITED, message, len, "mosquitto ended while it saved");
        sim_process_pause();
        clock_gettime(CLOCK_MONOTONIC, &now);
    }
    if (saved_file(broker) != before)
        return SIM_SERVERS_OK;
    return sim_fail(SIM_SERVERS_ETIME, message, len, "mosquitto: not saved within %d s; %s",
                    SAVE_WITHIN_MS / 1000, broker->process.log);
}

int sim_broker_start_again(struct sim_broker *broker, enum sim_memory memory, char *message,
                           size_t len)
{
    assert(broker->process.pid == 0 && broker->program[0]);
    char path[SIM_PKI_PATH_MAX];
    sim_path_join(path, broker->folder, "sessions.db");
    if (memory == SIM_MEMORY_LOST && unlink(path) != 0 && errno != ENOENT)
        return sim_fail(SIM_SERVERS_EIO, message, len, "%s: %s", path, strerror(errno));
    return launch(broker, message, len);
}

int sim_broker_restart(struct sim_broker *broker, enum sim_memory memory, char *message, size_t len)
{
    sim_broker_stop(broker);
    return sim_broker_start_again(broker, memory, message, len);
}

/* "1700000000: New client connected from 127.0.0.1:40000 as ...": only at the beginning of a line,
 * as other lines hold what clients chose. */
static bool tells_of_a_client(const char *line)
{
    static const char event[] = ": New client connected from ";
    return strncmp(line + strspn(line, "0123456789"), event, sizeof event - 1) == 0;
}

uint64_t sim_broker_connected(struct sim_broker *broker)
{
    FILE *log = fopen(broker->process.log, "re");
    if (!log)
        return broker->connected;
    char line[1024];
    if (fseeko(log, (off_t)broker->log_offset, SEEK_SET) == 0)
        while (fgets(line, sizeof line, log)) {
            size_t size = strlen(line);
            if (line[size - 1] != '\n' && size < sizeof line - 1)
                break; /* still being written: counted by the next call */
            broker->log_offset += size;
            broker->connected += tells_of_a_client(line);
        }
    fclose(log);
    return broker->connected;
}
