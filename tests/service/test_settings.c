/* What is wrong with a configuration is told by place and key, and nothing is started. */
#include "bench.h"
#include "sim/service.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILES "scenario: s.yaml\nmanifest: m.json\ndatabase: d.db\n"
#define BROKER "broker: {host: h, ca: ca.pem}\n"

enum { ROWS_BEHIND = 12 };
static const struct {
    const char *text, *message;
} rows[] = {
    {"", ": scenario: is missing; accepted: the path of a scenario"},
    {"scenario: s.yaml\n", ": manifest: is missing"},
    {"- a\n", ":1:1: a list; accepted: a single value or a mapping of keys"},
    {"5\n", ":1:1: a single value; accepted: a mapping of keys"},
    {FILES, "broker.host: is missing; accepted: a name or an address"},
    {FILES "broker: 5\n", ":4:9: broker: '5' is not a single value; accepted: a mapping"},
    {FILES "broker:\n", ":4:1: broker: no value; accepted: a mapping"},
    {FILES "broker: [h]\n", ":4:9: broker: a list"},
    {FILES "broker: {host: h, ca: ca.pem, prot: 1}\n",
     ":4:31: prot: unknown key; accepted: host, port, ca, server_name, user, secret, secret_file, "
     "certificate, key, client_id"},
    {FILES BROKER "tock: 1s\n",
     ":5:1: tock: unknown key; accepted: scenario, manifest, database, broker, report, control, "
     "tick, settle, when_stopped"},
    {FILES "broker: {host: h, ca: ca.pem, port: 65536}\n",
     ":4:37: broker.port: '65536' is out of range; accepted: 1 to 65535"},
    {FILES "broker: {host: h, ca: ca.pem, port: x}\n", "is not a whole number"},
    {FILES "broker: {host: '', ca: ca.pem}\n",
     ":4:16: broker.host: '' is empty; accepted: a name or an address"},
    {FILES BROKER "tick: 5\n",
     ":5:7: tick: '5' is not a duration; accepted: a duration, 1ms to 60s"},
    {FILES BROKER "tick: 0s\n", "tick: '0s' is out of range"},
    {FILES BROKER "settle: 2h\n", "settle: '2h' is out of range; accepted: a duration, 0 to 1h"},
    {FILES BROKER "when_stopped: never\n",
     "when_stopped: 'never' is neither exit nor wait; accepted: exit or wait"},
    {FILES BROKER "tick: 1s\ntick: 2s\n", ":6:1: tick: is given twice"},
    {FILES BROKER "report: {json: {a: 1}}\n", "report.json: a mapping where a value belongs"},
    {FILES "broker: &b {host: h, ca: ca.pem}\n", "anchors and tags are not accepted"},
    {FILES BROKER "tick: *b\n", "alias"},
    {FILES BROKER "---\ntick: 1s\n", "a second document; accepted: one"},
    {FILES BROKER "tick: \"1s\n", "not YAML"},
    {FILES "broker: {host: h, ca: ca.pem, key: k.pem}\n",
     ":4:36: broker.key: stands alone; accepted: broker.certificate and broker.key"},
    {FILES "broker: {host: h, ca: ca.pem, certificate: k.pem}\n",
     "broker.certificate: stands alone"},
    {FILES "broker: {host: h, ca: ca.pem, secret: x}\n", "broker.secret: without broker.user"},
    {FILES "broker: {host: h, ca: ca.pem, user: u, secret: x, secret_file: f}\n",
     "broker.secret is given too; accepted: one of them"},
    {FILES "broker: {host: h, ca: ca.pem, user: u, secret_file: absent}\n", "No such file"},
    {FILES BROKER "control: {socket: "
                  "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                  "aaaaaaaaaaaaaaaaaa"
                  "aaaaaaaaaaaaaaa}\n",
     "is too long; accepted: a path of at most 107 bytes"},
    /* Good by itself; what it names is not: ROWS_BEHIND of them. */
    {FILES BROKER "report: {json: a, junit: a}\n", "both name"},
    {FILES BROKER "report: {db: absent/r.db}\n", "report.db"},
    {FILES BROKER, "s.yaml: "},
    {"scenario: scenario.yaml\nmanifest: absent.json\ndatabase: d.db\n" BROKER, "absent.json: "},
    {"scenario: scenario.yaml\nmanifest: broken.json\ndatabase: d.db\n" BROKER,
     "broken.json:1:2: "},
    {"scenario: scenario.yaml\nmanifest: short.json\ndatabase: d.db\n" BROKER,
     "short.json: lacks a member that devices need; accepted: a manifest as `brickyard firmware "
     "manifest` writes it"},
    {"scenario: scenario.yaml\nmanifest: other.json\ndatabase: d.db\n" BROKER,
     "other.json: version: '2.5.0'; accepted: '2.4.0', the scenario's campaign.to"},
    {"scenario: scenario.yaml\nmanifest: manifest.json\ndatabase: d.db\n" BROKER, "ca.pem"},
    {"scenario: scenario.yaml\nmanifest: manifest.json\ndatabase: d.db\n"
     "broker: {host: h, ca: pki/ca.pem, certificate: absent, key: absent}\n",
     "absent"},
    {"scenario: scenario.yaml\nmanifest: manifest.json\ndatabase: scenario.yaml\n"
     "broker: {host: h, ca: pki/ca.pem}\n",
     "file is not a database"},
    {"scenario: scenario.yaml\nmanifest: manifest.json\ndatabase: foreign.db\n"
     "broker: {host: h, ca: pki/ca.pem}\n",
     "foreign.db: not the database of a service; accepted: one, or a new file"},
    {"scenario: scenario.yaml\nmanifest: manifest.json\ndatabase: absent/d.db\n"
     "broker: {host: h, ca: pki/ca.pem}\n",
     "absent/d.db.lock: No such file"},
};

static struct bench bench;

static void make_files(void)
{
    char command[512];
    snprintf(command, sizeof command,
             "cd %s && printf '{x' >broken.json && echo '{\"version\": \"2.4.0\"}' >short.json && "
             "sed 's/\"2.4.0\"/\"2.5.0\"/' manifest.json >other.json",
             bench.dir);
    cr_assert_eq(system(command), 0);
    snprintf(command, sizeof command, "%s/foreign.db", bench.dir);
    sqlite3 *db;
    cr_assert(!sqlite3_open(command, &db));
    cr_assert(!sqlite3_exec(db, "CREATE TABLE t (a)", NULL, NULL, NULL));
    sqlite3_close(db);
}

/* By the program: what it finds behind the file, and one error in it; by the reader alone: the
 * others, since a program for each of them costs more than all the rest. */
static void tell(size_t row, char said[SIM_SERVICE_MESSAGE_MAX], size_t *by_program)
{
    struct sim_service_settings settings;
    bench_write(&bench, "service.yaml", rows[row].text);
    if (row && sim_service_settings_read(&settings, bench.config, said))
        return;
    cr_expect_eq(bench_run(&bench, "", said, SIM_SERVICE_MESSAGE_MAX), 1, "%s: %s", rows[row].text,
                 said);
    ++*by_program;
}

Test(service_settings, each_error_is_told_and_nothing_is_started)
{
    char said[SIM_SERVICE_MESSAGE_MAX], path[128];
    size_t by_program = 0;
    bench_open(&bench);
    bench_round(&bench, 0, bench_good);
    make_files();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        tell(i, said, &by_program);
        cr_expect(strstr(said, rows[i].message), "%s\nwanted: %s\nsaid: %s", rows[i].text,
                  rows[i].message, said);
    }
    cr_expect_eq(by_program, 1 + ROWS_BEHIND, "%zu", by_program);
    snprintf(path, sizeof path, "%s/d.db", bench.dir);
    cr_expect(access(path, F_OK), "no database was begun");
    bench_round_end(&bench);
    bench_close(&bench);
}

Test(service_settings, a_database_goes_on_with_its_own_files_only)
{
    char said[4096], command[256];
    bench_open(&bench);
    bench_round(&bench, 0, bench_good);
    cr_expect_eq(bench_run(&bench, "--check", said, sizeof said), 0, "%s", said);
    bench_spawn(&bench);
    cr_assert_eq(bench_exit_code(&bench), 0, "%s", bench.said);
    snprintf(command, sizeof command, "sed -i 's/example/example.org/' %s/manifest.json",
             bench.dir);
    cr_assert_eq(system(command), 0);
    cr_expect_eq(bench_run(&bench, "", said, sizeof said), 1);
    cr_expect(strstr(said, "it holds a campaign of another scenario or manifest"), "%s", said);
    bench_round_end(&bench);
    bench_close(&bench);
}
