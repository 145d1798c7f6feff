#include "rig.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char *rig_program(const char *name)
{
    static char path[512];
    const char *brickyard = getenv("BRICKYARD_BIN");
    cr_assert(brickyard, "BRICKYARD_BIN is set by CTest");
    const char *slash = strrchr(brickyard, '/');
    snprintf(path, sizeof path, "%.*s%s", (int)(slash + 1 - brickyard), brickyard, name);
    return path;
}

int rig_run(const struct rig *rig, const char *fmt, ...)
{
    char command[2048];
    int len = snprintf(command, sizeof command, "cd %s && ", rig->dir);
    va_list args;
    va_start(args, fmt);
    len += vsnprintf(command + len, sizeof command - (size_t)len, fmt, args);
    va_end(args);
    cr_assert(len < (int)sizeof command);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void rig_write(const struct rig *rig, const char *name, const void *bytes, size_t len)
{
    char path[320];
    snprintf(path, sizeof path, "%s/%s", rig->dir, name);
    FILE *file = fopen(path, "wb");
    cr_assert(file && fwrite(bytes, 1, len, file) == len && !fclose(file), "%s", path);
}

char *rig_read(const struct rig *rig, const char *name, size_t *len)
{
    char path[320];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s", rig->dir, name);
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    cr_assert(!fstat(fileno(file), &status));
    char *bytes = calloc(1, (size_t)status.st_size + 1);
    *len = fread(bytes, 1, (size_t)status.st_size, file);
    fclose(file);
    return bytes;
}

static void make_image(const struct rig *rig, const char *version)
{
    const char *brickyard = rig_program("brickyard");
    cr_assert_eq(rig_run(rig,
                         "%s firmware build --size 65536 --seed 1 --version %s --device-type pump "
                         "--min-hw Rev-A --out %s.bin >/dev/null && "
                         "%s firmware sign --key rel.pem --image %s.bin --out %s.sig >/dev/null",
                         brickyard, version, version, brickyard, version, version),
                 0);
}

void rig_init(struct rig *rig)
{
    memset(rig, 0, sizeof *rig);
    strcpy(rig->dir, "/tmp/agentd-XXXXXX");
    cr_assert(mkdtemp(rig->dir));
    chmod(rig->dir, 0755); /* a broker that runs as root drops to another user */
    const char *brickyard = rig_program("brickyard");
    cr_assert_eq(rig_run(rig, "%s firmware keygen --id rel --out rel.pem --pub rel.pub >/dev/null",
                         brickyard),
                 0);
    cr_assert_eq(
        rig_run(rig, "%s firmware keygen --id other --out o.pem --pub o.pub >/dev/null", brickyard),
        0);
    make_image(rig, "1.0.0");
    make_image(rig, "1.1.0");
    rig_certificates(rig);
    rig_config(rig, "", "");
}

static void kill_if_runs(struct rig_process *process)
{
    if (process->pid > 0)
        rig_end(process, SIGKILL);
}

void rig_free(struct rig *rig)
{
    kill_if_runs(&rig->agent);
    kill_if_runs(&rig->listener);
    kill_if_runs(&rig->broker);
    kill_if_runs(&rig->server);
    rig_run(rig, "rm -rf %s", rig->dir);
}

/* One second without a fault instead of a minute; the 30 s for MQTT stay. The window is open now.
 */
void rig_config(const struct rig *rig, const char *flash, const char *extra)
{
    char text[2048];
    long hour = time(NULL) / 3600 % 24;
    int len = snprintf(text, sizeof text,
                       "device_id: dev-1\n"
                       "device_type: pump\n"
                       "hw_revision: Rev-B\n"
                       "flash: {file: flash.img, durable: no, slot: 128KiB, data: 128KiB%s}\n"
                       "keys: [{cert_id: rel, public_key: rel.pub}]\n"
                       "mqtt: {host: 127.0.0.1, server_name: localhost, port: %d, ca: ca.crt,\n"
                       "       reconnect: {first: 100ms}}\n"
                       "health: {fault_free: 1s}\n"
                       "retry: {first: 100ms, max: 1s}\n"
                       "ota_window: \"daily %02ld:00-%02ld:00 UTC\"\n"
                       "control: {socket: ctl.sock}\n"
                       "log: {level: debug}\n"
                       "%s",
                       flash, rig->mqtt_port ? rig->mqtt_port : 1, (hour + 23) % 24,
                       (hour + 2) % 24, extra);
    rig_write(rig, "agent.yaml", text, (size_t)len);
}

int rig_factory(const struct rig *rig, const char *version)
{
    return rig_run(rig,
                   "%s --config agent.yaml --factory %s.bin --signature %s.sig --cert-id rel "
                   "2>factory.log",
                   rig_program("ota-agent"), version, version);
}

void rig_agent(struct rig *rig)
{
    static char config[320];
    snprintf(config, sizeof config, "%s/agent.yaml", rig->dir);
    rig_spawn(rig, &rig->agent,
              (const char *const[]){rig_program("ota-agent"), "--config", config, NULL});
}

long rig_memory_kb(const struct rig_process *process)
{
    char path[64], line[128];
    long kb = -1;
    snprintf(path, sizeof path, "/proc/%d/status", (int)process->pid);
    FILE *file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "VmHWM: %ld", &kb) == 1)
            break;
    if (file)
        fclose(file);
    return kb;
}
