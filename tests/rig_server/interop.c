/* Debian's own labgrid, pdudaemon and curl against the rig, in both directions, all of them run. */
#include "desk.h"
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const any_port[] = {"--listen", "127.0.0.1:0", NULL};
static const char token[] = "d1f0c0ffee5eed00d1f0c0ffee5eed00";

static const char *source(void)
{
    const char *path = getenv("BRICKYARD_SOURCE");
    return path ? path : ".";
}

/* ---- labgrid ---- */

static int labgrid(const struct desk *desk, const char *pdu, int port, const char *const *action,
                   char *said, size_t room)
{
    char text[512], script[256], environment[160];
    const char *argv[12] = {"/usr/bin/python3", script, environment};
    snprintf(text, sizeof text,
             "targets:\n"
             "  main:\n"
             "    resources:\n"
             "      PDUDaemonPort: {host: '127.0.0.1:%u', pdu: %s, index: %d}\n"
             "    drivers:\n"
             "      PDUDaemonDriver: {delay: 1.0}\n",
             desk->port, pdu, port);
    desk_write(desk, "environment.yaml", text, 0600);
    snprintf(script, sizeof script, "%s/tests/rig_server/switch.py", source());
    snprintf(environment, sizeof environment, "%s/environment.yaml", desk->folder);
    for (int n = 3; *action && n < 11; n++)
        argv[n] = *action++;
    return run(argv, desk->folder, said, room);
}

Test(rig_interop, labgrid_switches_the_rigs_relays)
{
    static const char *const action[] = {"on", "off", "cycle", NULL}, *const off[] = {"off", NULL};
    char said[8192];
    struct desk desk;
    desk_open(&desk, "", "");
    desk_serve(&desk, any_port);
    cr_expect_eq(labgrid(&desk, "bank-1", 1, action, said, sizeof said), 0, "%s", said);
    cr_expect_str_eq(said, "labgrid: on done\nlabgrid: off done\nlabgrid: cycle done\n");
    TOLD(&desk, 0xA0, 0x01, 0x01, 0xA2, 0xA0, 0x01, 0x00, 0xA1, 0xA0, 0x01, 0x00, 0xA1, 0xA0, 0x01,
         0x01, 0xA2);
    /* By the board's name, and by its number in the bench: pump-2's contact is inverted. */
    cr_expect_eq(labgrid(&desk, "pump-2", 0, off, said, sizeof said), 0, "%s", said);
    TOLD(&desk, 0xA0, 0x04, 0x01, 0xA5);
    cr_expect_eq(labgrid(&desk, "desk", 1, off, said, sizeof said), 0, "%s", said);
    TOLD(&desk, 0xA0, 0x01, 0x00, 0xA1);
    desk_close(&desk);
}

Test(rig_interop, labgrid_sees_an_unplugged_relay)
{
    static const char *const off[] = {"off", NULL};
    char said[16384];
    struct desk desk;
    desk_open(&desk, "", "");
    desk_serve(&desk, any_port);
    desk_unplug(&desk);
    cr_expect_eq(labgrid(&desk, "pump-1", 0, off, said, sizeof said), 1, "%s", said);
    cr_expect(strstr(said, "503 Server Error: Service Unavailable"), "%s", said);
    desk_close(&desk);
}

/* labgrid 0.4 sends no header of its own, but what ~/.netrc has for the host. */
Test(rig_interop, labgrid_shows_a_token_by_netrc)
{
    static const char *const off[] = {"off", NULL};
    char said[16384], file[160];
    struct desk desk;
    desk_open(&desk, "", "");
    desk_write(&desk, "token", token, 0600);
    snprintf(file, sizeof file, "%s/token", desk.folder);
    desk_serve(&desk, (const char *const[]){"--listen", "127.0.0.1:0", "--token-file", file, NULL});
    cr_expect_eq(labgrid(&desk, "pump-1", 0, off, said, sizeof said), 1);
    cr_expect(strstr(said, "401 Client Error"), "%s", said);
    desk_write(&desk, ".netrc", "machine 127.0.0.1 login labgrid password wrong\n", 0600);
    cr_expect_eq(labgrid(&desk, "pump-1", 0, off, said, sizeof said), 1);
    cr_expect(strstr(said, "401 Client Error"), "%s", said);
    snprintf(said, sizeof said, "machine 127.0.0.1 login labgrid password %s\n", token);
    desk_write(&desk, ".netrc", said, 0600);
    cr_expect_eq(labgrid(&desk, "pump-1", 0, off, said, sizeof said), 0, "%s", said);
    TOLD(&desk, 0xA0, 0x01, 0x00, 0xA1);
    desk_close(&desk);
}

/* ---- curl, as a LAVA device's commands have it ---- */

static int curl(const struct desk *desk, const char *target, const char *header, char *said,
                size_t room)
{
    char url[256];
    snprintf(url, sizeof url, "http://127.0.0.1:%u%s", desk->port, target);
    const char *const argv[] = {"curl", "-sS", "--fail-with-body", "-H", header, url, NULL};
    return run(argv, desk->folder, said, room);
}

Test(rig_interop, curl_as_lava_calls_it)
{
    char said[2048], bearer[96], file[160];
    struct desk desk;
    desk_open(&desk, "", "");
    desk_write(&desk, "token", token, 0640);
    snprintf(file, sizeof file, "%s/token", desk.folder);
    desk_serve(&desk, (const char *const[]){"--listen", "127.0.0.1:0", "--token-file", file, NULL});
    snprintf(bearer, sizeof bearer, "Authorization: Bearer %s", token);
    cr_expect_eq(curl(&desk, "/power/control/reboot?hostname=desk&port=1&delay=1", bearer, said,
                      sizeof said),
                 0, "%s", said);
    cr_expect_str_eq(said, "OK - accepted request\n");
    TOLD(&desk, 0xA0, 0x01, 0x00, 0xA1, 0xA0, 0x01, 0x01, 0xA2);
    cr_expect_eq(curl(&desk, "/power/control/off?hostname=desk&port=1", "X: y", said, sizeof said),
                 22, "%s", said);
    cr_expect(strstr(said, "401: Unauthorized"), "%s", said);
    cr_expect_eq(curl(&desk, "/power/control/off?hostname=desk&port=3", bearer, said, sizeof said),
                 22, "%s", said);
    cr_expect(strstr(said, "Invalid request\nport: no such board"), "%s", said);
    desk_unplug(&desk);
    cr_expect_eq(curl(&desk, "/power/control/off?hostname=desk&port=1", bearer, said, sizeof said),
                 22, "%s", said);
    cr_expect(strstr(said, "pump-1 power off: open: "), "%s", said);
    desk_close(&desk);
}

/* ---- pdudaemon ---- */

static pid_t pdudaemon(const struct desk *desk, const char *listener, const char *address,
                       uint16_t port, const char *pdus)
{
    char text[2048], path[160];
    snprintf(text, sizeof text,
             "{\"daemon\": {\"hostname\": \"%s\", \"port\": %u, \"listener\": \"%s\"},\n"
             " \"pdus\": {%s}}\n",
             address, port, listener, pdus);
    desk_write(desk, "pdudaemon.conf", text, 0600);
    snprintf(path, sizeof path, "%s/pdudaemon.conf", desk->folder);
    const char *const argv[] = {"/usr/sbin/pdudaemon", "--conf",    path,
                                "--logfile",           "/dev/null", NULL};
    pid_t pid = run_begin(argv, desk->folder, NULL);
    wait_for_port(address, port);
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGTERM);
    cr_expect_eq(waitpid(pid, NULL, 0), pid);
}

/* pduclient asks port 16421 and no other, so each test has a loopback address of its own. */
static void own_address(char out[static 24])
{
    unsigned pid = (unsigned)getpid();
    snprintf(out, 24, "127.%u.%u.%u", 16 + (pid >> 16 & 63), pid >> 8 & 255, pid & 255);
}

struct pdu_call {
    const char *http; /* "--http", or NULL: pdudaemon's own line protocol */
    const char *address, *hostname, *port, *command, *delay;
};

static int pduclient(const struct desk *desk, struct pdu_call call, char *said, size_t room)
{
    const char *argv[16] = {"pduclient",   "--daemon", call.address, "--hostname",
                            call.hostname, "--port",   call.port,    "--command",
                            call.command,  "--delay",  call.delay,   call.http};
    return run(argv, desk->folder, said, room);
}

Test(rig_interop, pduclient_switches_the_rigs_relays)
{
    static const char sent[] = "Command sent successfully.\n";
    char address[24], where[40], said[1024];
    struct desk desk;
    own_address(address);
    snprintf(where, sizeof where, "%s:16421", address);
    desk_open(&desk, "", "");
    desk_serve(&desk, (const char *const[]){"--listen", where, NULL});
    struct pdu_call call = {"--http", address, "desk", "1", "on", "0"};
    cr_expect_eq(pduclient(&desk, call, said, sizeof said), 0, "%s", said);
    cr_expect_str_eq(said, sent);
    TOLD(&desk, 0xA0, 0x01, 0x01, 0xA2);
    call = (struct pdu_call){"--http", address, "bank-1", "4", "reboot", "1"};
    cr_expect_eq(pduclient(&desk, call, said, sizeof said), 0, "%s", said);
    TOLD(&desk, 0xA0, 0x04, 0x01, 0xA5, 0xA0, 0x04, 0x00, 0xA4);
    call = (struct pdu_call){"--http", address, "pump-1", "0", "off", "0"};
    cr_expect_eq(pduclient(&desk, call, said, sizeof said), 0, "%s", said);
    TOLD(&desk, 0xA0, 0x01, 0x00, 0xA1);
    call.hostname = "nobody";
    cr_expect_eq(pduclient(&desk, call, said, sizeof said), 127);
    cr_expect(strstr(said, "<Response [500]>"), "%s", said);
    desk_unplug(&desk);
    call.hostname = "pump-1";
    cr_expect_eq(pduclient(&desk, call, said, sizeof said), 127);
    cr_expect(strstr(said, "<Response [503]>"), "%s", said);
    desk_close(&desk);
}

/* A lab that has pdudaemon puts the rig behind it as one more PDU. */
Test(rig_interop, pdudaemon_switches_the_rigs_relays)
{
    char pdus[1024], address[24], said[1024];
    struct desk desk;
    desk_open(&desk, "", "");
    desk_serve(&desk, any_port);
    snprintf(pdus, sizeof pdus,
             "\"rig\": {\"driver\": \"localcmdline\", "
             "\"cmd_on\": \"curl -fsSo /dev/null "
             "'http://127.0.0.1:%u/power/control/on?hostname=desk&port=%%s'\", "
             "\"cmd_off\": \"curl -fsSo /dev/null "
             "'http://127.0.0.1:%u/power/control/off?hostname=desk&port=%%s'\"}",
             desk.port, desk.port);
    own_address(address);
    pid_t pid = pdudaemon(&desk, "tcp", address, 16421, pdus);
    struct pdu_call call = {NULL, address, "rig", "1", "on", "0"};
    cr_expect_eq(pduclient(&desk, call, said, sizeof said), 0, "%s", said);
    TOLD(&desk, 0xA0, 0x01, 0x01, 0xA2);
    call = (struct pdu_call){NULL, address, "rig", "2", "reboot", "1"};
    cr_expect_eq(pduclient(&desk, call, said, sizeof said), 0, "%s", said);
    TOLD(&desk, 0xA0, 0x04, 0x01, 0xA5, 0xA0, 0x04, 0x00, 0xA4);
    call.hostname = "other";
    cr_expect_eq(pduclient(&desk, call, said, sizeof said), 127);
    cr_expect(strstr(said, "nack"), "%s", said);
    end(pid);
    desk_close(&desk);
}

static int rig_power(const struct desk *desk, const char *board, const char *what, char *said,
                     size_t room)
{
    const char *const argv[] = {brickyard(),      "rig", "power", "--bench",
                                desk->bench_file, board, what,    NULL};
    return run(argv, NULL, said, room);
}

/* The other direction: a PDU that pdudaemon drives is one of the rig's controllers. */
Test(rig_interop, the_rig_switches_pdudaemons_outlets)
{
    char pdus[512], controllers[256], said[4096], address[24];
    const uint16_t port = 16422;
    struct desk desk;
    own_address(address);
    snprintf(controllers, sizeof controllers,
             "  shelf: {driver: pdudaemon, host: %s, port: %u, pdu: shelf-pdu, retries: 0, "
             "timeout: 60s}\n",
             address, port);
    desk_open(&desk, controllers,
              "  - name: pump-3\n"
              "    device_type: pump\n"
              "    power: {controller: shelf, channel: 3, off_at_least: 0ms}\n"
              "  - name: pump-4\n"
              "    device_type: pump\n"
              "    power: {controller: shelf, channel: 12, inverted: true, off_at_least: 0ms}\n");
    snprintf(
        pdus, sizeof pdus,
        "\"shelf-pdu\": {\"driver\": \"localcmdline\", "
        "\"cmd_on\": \"echo on %%s >> %s/outlets\", \"cmd_off\": \"echo off %%s >> %s/outlets\"}",
        desk.folder, desk.folder);
    pid_t pid = pdudaemon(&desk, "http", address, port, pdus);
    cr_expect_eq(rig_power(&desk, "pump-3", "off", said, sizeof said), 0, "%s", said);
    cr_expect_eq(rig_power(&desk, "pump-3", "on", said, sizeof said), 0, "%s", said);
    cr_expect_eq(rig_power(&desk, "pump-4", "off", said, sizeof said), 0, "%s", said);
    desk_read(&desk, "outlets", said, sizeof said);
    cr_expect_str_eq(said, "off 3\non 3\non 12\n");
    end(pid);
    cr_expect_eq(rig_power(&desk, "pump-3", "off", said, sizeof said), 8, "%s", said);
    cr_expect(strstr(said, "shelf"), "%s", said);
    desk_close(&desk);
}

/* A rig is another rig's PDU, with a token: what is wrong there is seen here. */
Test(rig_interop, a_rig_switches_another_rigs_relays)
{
    char controllers[256], said[4096], file[160];
    struct desk far, near;
    desk_open(&far, "", "");
    desk_write(&far, "token", token, 0600);
    snprintf(file, sizeof file, "%s/token", far.folder);
    desk_serve(&far, (const char *const[]){"--listen", "127.0.0.1:0", "--token-file", file, NULL});
    snprintf(
        controllers, sizeof controllers,
        "  far: {driver: pdudaemon, port: %u, pdu: desk, token: %s, retries: 0, timeout: 10s}\n",
        far.port, file);
    desk_open(&near, controllers,
              "  - name: pump-5\n"
              "    device_type: pump\n"
              "    power: {controller: far, channel: 2, off_at_least: 0ms}\n");
    cr_expect_eq(rig_power(&near, "pump-5", "off", said, sizeof said), 0, "%s", said);
    TOLD(&far, 0xA0, 0x04, 0x01, 0xA5);
    desk_unplug(&far);
    cr_expect_eq(rig_power(&near, "pump-5", "off", said, sizeof said), 8, "%s", said);
    cr_expect(strstr(said, "503"), "%s", said);
    desk_close(&near);
    desk_close(&far);
}
