/* The SNMP driver against Debian's snmpd, which asks a script for the PDU's outlets. */
#include "drivers.h"
#include "net_server.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/rig-net-snmpd-XXXXXX", host[24], port[] = "16161";
static pid_t snmpd;

static void write_file(const char *name, const char *text, unsigned mode)
{
    char path[64];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
}

/* Outlets 1 to 3 of an APC rack PDU, a file each; `pass` of snmpd.conf(5). */
static const char script[] =
    "#!/bin/sh\n"
    "base=.1.3.6.1.4.1.318.1.1.12.3.3.1.1.4\n"
    "n=${2#$base.}\n"
    "case $n in 1|2|3) ;; *) [ $1 = -s ] && echo not-writable; exit 0;; esac\n"
    "f=${0%/*}/outlet-$n\n"
    "if [ $1 = -s ]; then\n"
    "  case $4 in 1|2) echo $4 >$f;; *) echo wrong-value;; esac\n"
    "else\n"
    "  echo $2; echo integer; cat $f\n"
    "fi\n";

static void start(void)
{
    char conf[600], pidfile[64], log[80];
    unsigned pid = (unsigned)getpid();
    cr_assert_not_null(mkdtemp(folder));
    /* A loopback address of its own, where nobody else takes the port. */
    snprintf(host, sizeof host, "127.%u.%u.%u", 16 + (pid >> 16 & 63), pid >> 8 & 255, pid & 255);
    write_file("pdu.sh", script, 0700);
    for (int i = 1; i <= 3; i++)
        write_file((const char *[]){"outlet-1", "outlet-2", "outlet-3"}[i - 1], "1\n", 0600);
    snprintf(conf, sizeof conf,
             "rwcommunity private 127.0.0.0/8\ncreateUser rigger SHA authpass-1 AES privpass-1\n"
             "rwuser rigger priv\npass .1.3.6.1.4.1.318.1.1.12.3.3.1.1.4 /bin/sh %s/pdu.sh\n",
             folder);
    write_file("snmpd.conf", conf, 0600);
    snprintf(pidfile, sizeof pidfile, "%s/snmpd.conf", folder);
    snprintf(log, sizeof log, "udp:%s:%s", host, port);
    setenv("SNMP_PERSISTENT_DIR", folder, 1);
    snmpd = fork();
    if (!snmpd) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        int none = open("/dev/null", O_RDWR);
        for (int i = 0; i < 3; i++)
            dup2(none, i);
        execl("/usr/sbin/snmpd", "snmpd", "-f", "-Ln", "-C", "-c", pidfile, "-I",
              "pass,vacm_conf,usmUser,usmConf,snmpEngine,vacm_vars", log, (char *)NULL);
        _exit(127);
    }
}

static void stop(void)
{
    char command[80];
    kill(snmpd, SIGKILL);
    waitpid(snmpd, NULL, 0);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    cr_expect_eq(system(command), 0);
}

static int outlet(int n)
{
    char path[64];
    int value = 0;
    snprintf(path, sizeof path, "%s/outlet-%d", folder, n);
    FILE *file = fopen(path, "r");
    if (file && fscanf(file, "%d", &value) != 1)
        value = 0;
    if (file)
        fclose(file);
    return value;
}

/* It takes a moment to listen; its first answer says that it does. */
static void wait_until_up(void)
{
    struct rig_relay *relay = net_open(
        &rig_relay_snmp, (const char *[]){"host", host, "port", port, "type", "apc_rpdu", NULL},
        NET_SHORT_MS);
    bool on;
    int error = RIG_ESILENT;
    for (int i = 0; i < 60 && error == RIG_ESILENT; i++)
        error = rig_relay_snmp.get(relay, &on, 1, NET_SAID);
    rig_relay_snmp.close(relay);
    cr_assert_eq(error, RIG_OK, "%s", net_message);
}

static void switch_all(const char *const *pairs)
{
    struct rig_relay *relay = net_open(&rig_relay_snmp, pairs, NET_PATIENT_MS);
    for (int i = 1; i <= 3; i++) {
        bool on = true;
        cr_expect_eq(rig_relay_snmp.set(relay, (uint32_t)i, false, NET_SAID), RIG_OK, "%s",
                     net_message);
        cr_expect_eq(outlet(i), 2);
        cr_expect_eq(rig_relay_snmp.get(relay, &on, (uint32_t)i, NET_SAID), RIG_OK, "%s",
                     net_message);
        cr_expect_not(on);
        cr_expect_eq(rig_relay_snmp.set(relay, (uint32_t)i, true, NET_SAID), RIG_OK, "%s",
                     net_message);
        cr_expect_eq(outlet(i), 1);
    }
    cr_expect_eq(rig_relay_snmp.set(relay, 4, true, NET_SAID), RIG_EREFUSED, "no such outlet");
    rig_relay_snmp.close(relay);
}

Test(net_snmpd, versions_1_2c_and_3, .fini = stop)
{
    start();
    wait_until_up();
    const char *pairs[] = {"host", host, "port", port, "type", "apc_rpdu", "version", "1", NULL};
    switch_all(pairs);
    pairs[7] = "2c";
    switch_all(pairs);
    const char *secure[] = {"host",
                            host,
                            "port",
                            port,
                            "type",
                            "apc_rpdu",
                            "version",
                            "3",
                            "user",
                            "rigger",
                            "auth_password",
                            net_secret("authpass-1"),
                            "privacy_password",
                            net_secret("privpass-1"),
                            NULL};
    switch_all(secure);
}

Test(net_snmpd, wrong_community_user_and_passphrase, .fini = stop)
{
    start();
    wait_until_up();
    struct rig_relay *relay = NULL;
    const char *community[] = {
        "host", host, "port", port, "type", "apc_rpdu", "community", net_secret("guessed"), NULL};
    cr_assert_eq(net_try(&relay, &rig_relay_snmp, community, 250), RIG_OK);
    cr_expect_eq(rig_relay_snmp.set(relay, 1, false, NET_SAID), RIG_ESILENT);
    cr_expect_not_null(strstr(net_message, "community"), "%s", net_message);
    cr_expect_null(strstr(net_message, "guessed"), "%s", net_message);
    rig_relay_snmp.close(relay);
    for (int i = 0; i < 2; i++) {
        const char *user[] = {"host",
                              host,
                              "port",
                              port,
                              "type",
                              "apc_rpdu",
                              "version",
                              "3",
                              "user",
                              i ? "nobody" : "rigger",
                              "auth_password",
                              net_secret(i ? "authpass-1" : "guessed-pass"),
                              "privacy_password",
                              net_secret("privpass-1"),
                              NULL};
        int error = net_try(&relay, &rig_relay_snmp, user, NET_PATIENT_MS);
        if (!error) {
            error = rig_relay_snmp.set(relay, 1, false, NET_SAID);
            rig_relay_snmp.close(relay);
        }
        cr_expect_eq(error, RIG_EREFUSED, "%d: %d %s", i, error, net_message);
        cr_expect_null(strstr(net_message, "guessed"), "%s", net_message);
    }
    cr_expect_eq(outlet(1), 1, "nothing was switched");
}
