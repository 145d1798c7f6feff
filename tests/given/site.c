#include "site.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

int site_shell(const struct site *site, const char *format, ...)
{
    char command[2048];
    int len = snprintf(command, sizeof command, "cd %s && ", site->folder);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command + len, sizeof command - (size_t)len, format, arguments);
    va_end(arguments);
    int status = system(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The accounts as the broker's owner reads them: the machine-readable list. */
static void read_accounts(struct site *site)
{
    char path[128], line[256];
    snprintf(path, sizeof path, "%s/export/accounts.csv", site->folder);
    FILE *file = fopen(path, "r");
    cr_assert_not_null(file, "%s", path);
    site->account = calloc(1000, sizeof *site->account);
    while (fgets(line, sizeof line, file)) {
        struct sim_account account = {.device_id = ""};
        if (sscanf(line, "%63[^,#],%64[^\n]", account.device_id, account.secret) != 2)
            continue;
        if (!strcmp(account.device_id, "service"))
            memcpy(site->service_secret, account.secret, sizeof site->service_secret);
        else
            site->account[site->accounts++] = account;
    }
    fclose(file);
}

static void account(void *context, struct sim_account *out, uint32_t index)
{
    *out = ((const struct site *)context)->account[index];
}

static void start(struct site *site)
{
    char message[1024] = "";
    const struct sim_servers_config config = {.now_ms = (int64_t)time(NULL) * 1000,
                                              .broker = {.account = account,
                                                         .context = site,
                                                         .account_count = site->accounts,
                                                         .service_secret = site->service_secret},
                                              .store = {.secret = SITE_STORE_SECRET}};
    int error = sim_servers_start(&site->servers, &config, message, sizeof message);
    cr_assert_eq(error, 0, "%s", message);
}

void site_open(struct site *site, char *scenario)
{
    *site = (struct site){.scenario = scenario};
    snprintf(site->folder, sizeof site->folder, "/tmp/brickyard-site-XXXXXX");
    cr_assert_not_null(mkdtemp(site->folder));
    char path[128];
    snprintf(path, sizeof path, "%s/s.yaml", site->folder);
    FILE *file = fopen(path, "w");
    fputs(scenario, file);
    fclose(file);
    cr_assert_eq(site_shell(site, "%s export s.yaml export >said 2>&1", world_program()), 0);
    read_accounts(site);
    start(site);
    /* His passwords and access list are those of the export, not ours. */
    sim_broker_stop(&site->servers.broker);
    cr_assert_eq(site_shell(site,
                            "cp export/broker/passwords export/broker/acl %s/broker/ && "
                            "mkdir %s/store/files/pump && cp export/store/*.bin "
                            "%s/store/files/pump/ && echo " SITE_STORE_SECRET " >secret",
                            site->servers.folder, site->servers.folder, site->servers.folder),
                 0);
    char message[1024];
    cr_assert_eq(
        sim_broker_start_again(&site->servers.broker, SIM_MEMORY_KEPT, message, sizeof message), 0,
        "%s", message);
}

void site_close(struct site *site)
{
    sim_servers_stop(&site->servers);
    cr_expect_eq(site_shell(site, "rm -rf %s", site->folder), 0);
    free(site->account);
    free(site->scenario);
}

static const char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));
static const char *text(const char *format, ...)
{
    static char buffer[4][768];
    static int next;
    char *out = buffer[next++ % 4];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out, sizeof buffer[0], format, arguments);
    va_end(arguments);
    return out;
}

const char *site_broker(const struct site *site)
{
    return text("--broker mqtts://127.0.0.1:%u --accounts %s/export/accounts.csv",
                site->servers.broker.port[SIM_CERT_GOOD], site->folder);
}

const char *site_store(const struct site *site)
{
    return text("--store https://127.0.0.1:%u/pump/ --store-secret-file %s/secret",
                site->servers.store.port[SIM_CERT_GOOD], site->folder);
}

const char *site_options(const struct site *site)
{
    return text("%s %s --ca %s/pki/ca.pem", site_broker(site), site_store(site),
                site->servers.folder);
}

void site_run(struct world_run *out, const struct site *site, const char *options)
{
    world_run(out, site->scenario, "loopback", options);
}
