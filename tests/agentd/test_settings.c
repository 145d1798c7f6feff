/* What is wrong in a configuration is told with its place, and nothing is started or written. */
#include "rig.h"
#include "settings.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A sound configuration, in which a row replaces one text by another. */
static const char sound[] = "device_id: dev-1\n"                                 /* 1 */
                            "device_type: pump\n"                                /* 2 */
                            "hw_revision: Rev-B\n"                               /* 3 */
                            "flash: {file: flash.img, durable: no, page: 256}\n" /* 4 */
                            "keys:\n"                                            /* 5 */
                            "  - {cert_id: rel, public_key: rel.pub}\n"          /* 6 */
                            "mqtt: {host: localhost, port: 8883, ca: ca.crt}\n"  /* 7 */
                            "health: {fault_free: 1s}\n"                         /* 8 */
                            "watchdog: 120s\n";                                  /* 9 */

static const struct {
    const char *from, *to; /* to NULL: from stands alone */
    const char *expect;    /* part of the message */
} bad[] = {
    {"device_id: dev-1\n", "", "agent.yaml: device_id: is missing"},
    {"device_id: dev-1", "device_id: a/b", ":1:12: device_id: 'a/b' holds another character"},
    {"device_id: dev-1", "device_id:", ":1:1: device_id: no value"},
    {"device_id: dev-1", "device_id: [a]", ":1:12: device_id: a list"},
    {"device_id: dev-1", "device: dev-1", ":1:1: device: unknown key; accepted: device_id"},
    {"device_id: dev-1", "device_id: dev-1\ndevice_id: x", ":2:1: device_id: this key is given tw"},
    {"durable: no", "durable: maybe", ":4:35: flash.durable: 'maybe' is neither yes nor no"},
    {"durable: no", "size: 4", ":4:26: size: unknown key; accepted: file, records, durable"},
    {"page: 256", "page: 100", "flash.page: 100 bytes; accepted: a power of two"},
    {"page: 256", "slot: 10000", ":4:45: flash.slot: 10000 bytes; accepted: a multiple"},
    {"page: 256", "slot: 4MB", "flash.slot: '4MB' is not a size"},
    {"page: 256", "slot: 99999GiB", "flash.slot: '99999GiB' is out of range"},
    {"page: 256", "boot_config: 3x4KiB", "flash.boot_config: '3x4KiB' is not two sectors"},
    {"page: 256", "boot_config: 2x8KiB", "flash.boot_config: sectors of 8192"},
    {"page: 256", "journal: 20KiB", "flash.journal: 20480 bytes; accepted: an even number"},
    {"public_key: rel.pub", "public_key: nothing", "keys[].public_key: "},
    {"public_key: rel.pub", "public_key: ca.crt", "holds no PEM public key"},
    {"cert_id: rel, ", "", "keys: entry 1: both cert_id and public_key"},
    {"  - {cert_id: rel, public_key: rel.pub}\n", "  []\n", "keys: is missing"},
    {"  - {cert_id: rel, public_key: rel.pub}\n", "  - rel\n", ":6:5: keys[]: a single value"},
    {"  - {cert_id: rel, public_key: rel.pub}\n",
     "  - {cert_id: rel, public_key: rel.pub}\n  - {cert_id: rel, public_key: rel.pub}\n",
     "keys: rel is there twice"},
    {"port: 8883", "port: 0", ":7:31: mqtt.port: '0' is out of range; accepted: 1 to 65535"},
    {"port: 8883", "port: x", "mqtt.port: 'x' is not a whole number"},
    {"port: 8883", "port: 8883, certificate: a", "mqtt.certificate: stands alone"},
    {"port: 8883", "port: 8883, secret: a, secret_file: b", "mqtt.secret_file: and mqtt.secret"},
    {"fault_free: 1s", "fault_free: 1", ":8:22: health.fault_free: '1' is not a duration"},
    {"watchdog: 120s", "watchdog: 20s", ":9:11: watchdog: ends every trial"},
    {"watchdog: 120s", "ota_window: sometimes", "ota_window: 'sometimes' is no window"},
    {"watchdog: 120s", "zone: \"?\"", "zone: '?' is no zone"},
    {"watchdog: 120s", "log: {a.b: loud}", ":9:7: a.b: unknown key; accepted: level"},
    {"watchdog: 120s", "log: {level: loud}", "log.level: 'loud' is no level"},
    {"watchdog: 120s", "exit_to_reboot: 4", "exit_to_reboot: '4' is neither yes nor no"},
    {"watchdog: 120s", "behaviour: {hang: 1.0.0}", "behaviour.hang: a single value"},
    {"watchdog: 120s", "watchdog: &a 120s", "anchors"},
    {"watchdog: 120s", "watchdog: !t 120s", "tags"},
    {"watchdog: 120s", "retry: {first: 2h, max: 1h}", "retry.max: is less than retry.first"},
    {"watchdog: 120s", "clock_offset: 4000d", "clock_offset: '4000d' is out of range"},
    {"watchdog: 120s", "watchdog: \"x", "not YAML"},
    {"watchdog: 120s", "- 1", ""},
};

/* Writes agent.yaml with one text replaced. */
static void write_with(const struct rig *rig, const char *from, const char *to)
{
    char text[2048];
    const char *at = strstr(sound, from);
    cr_assert(at, "%s", from);
    int len =
        snprintf(text, sizeof text, "%.*s%s%s", (int)(at - sound), sound, to, at + strlen(from));
    rig_write(rig, "agent.yaml", text, (size_t)len);
}

static int read_settings(const struct rig *rig, struct agent_settings *out, char *message)
{
    char path[320];
    snprintf(path, sizeof path, "%s/agent.yaml", rig->dir);
    return agent_settings_read(out, path, message);
}

Test(agentd_settings, what_is_wrong_is_told_with_its_place)
{
    static struct agent_settings settings;
    struct rig *rig = calloc(1, sizeof *rig);
    char message[AGENT_MESSAGE_MAX];
    rig_init(rig);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        message[0] = '\0';
        write_with(rig, bad[i].from, bad[i].to);
        cr_expect_neq(read_settings(rig, &settings, message), 0, "%s", bad[i].to);
        cr_expect(strstr(message, bad[i].expect), "'%s': %s", bad[i].to, message);
        cr_expect(strstr(message, "agent.yaml:"), "%s", message);
    }
    rig_free(rig);
    free(rig);
}

Test(agentd_settings, defaults_are_those_of_a_scenario)
{
    static struct agent_settings s;
    struct rig *rig = calloc(1, sizeof *rig);
    char message[AGENT_MESSAGE_MAX] = "";
    rig_init(rig);
    write_with(rig, "", "");
    cr_assert_eq(read_settings(rig, &s, message), 0, "%s", message);
    const struct boot_layout *layout = &s.flash.layout;
    cr_expect_eq(layout->bootloader_bytes, 65536);
    cr_expect_eq(layout->config_addr, 65536);
    cr_expect_eq(layout->slot_addr[0], 73728);
    cr_expect_eq(layout->slot_bytes, 4194304);
    cr_expect_eq(layout->data_bytes, 8388608);
    cr_expect_eq(layout->journal_bytes, 65536);
    cr_expect_eq(s.mqtt_within_ms, 30000);
    cr_expect_eq(s.watchdog_ms, 120000);
    cr_expect_eq(s.trial_boots, 3);
    cr_expect_str_eq(s.mqtt.server_name, "localhost");
    cr_expect_str_eq(s.http.ca, s.mqtt.ca);
    cr_expect(strncmp(s.flash.file, rig->dir, strlen(rig->dir)) == 0, "by the file's folder");
    rig_free(rig);
    free(rig);
}

Test(agentd_settings, a_bad_configuration_exits_1_and_writes_nothing)
{
    struct rig *rig = calloc(1, sizeof *rig);
    rig_init(rig);
    rig_config(rig, ", durable: perhaps", "");
    cr_assert_eq(rig_run(rig, "ls >before; %s --config agent.yaml 2>said; echo $? >code; exit 0",
                         rig_program("ota-agent")),
                 0);
    cr_expect_eq(rig_run(rig, "grep -q '^1$' code"), 0);
    cr_expect_eq(rig_run(rig, "grep -q '^agent.yaml:4:.*durable' said"), 0);
    cr_expect_eq(rig_run(rig, "rm said code; ls | cmp - before"), 0, "nothing was written");
    rig_free(rig);
    free(rig);
}

/* The first yaml block of agent/README.md. */
static char *readme_example(void)
{
    size_t len;
    struct rig source = {0};
    snprintf(source.dir, sizeof source.dir, "%s", getenv("BRICKYARD_SOURCE"));
    char *text = rig_read(&source, "agent/README.md", &len);
    cr_assert(text);
    char *from = strstr(text, "```yaml\n"), *to = from ? strstr(from + 8, "```") : NULL;
    cr_assert(to);
    char *example = strndup(from + 8, (size_t)(to - from - 8));
    free(text);
    return example;
}

Test(agentd_settings, the_example_of_the_readme_is_accepted)
{
    static struct agent_settings s;
    struct rig *rig = calloc(1, sizeof *rig);
    char message[AGENT_MESSAGE_MAX] = "", *example = readme_example();
    rig_init(rig);
    rig_write(rig, "agent.yaml", example, strlen(example));
    cr_assert_eq(rig_run(rig, "cp rel.pub release-2026.pub.pem; echo secret >mqtt.secret"), 0);
    cr_expect_eq(read_settings(rig, &s, message), 0, "%s", message);
    cr_expect_str_eq(s.mqtt.secret, "secret");
    free(example);
    rig_free(rig);
    free(rig);
}
