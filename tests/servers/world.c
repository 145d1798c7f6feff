#include "world.h"
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void account(void *context, struct sim_account *out, uint32_t index)
{
    (void)context;
    snprintf(out->device_id, sizeof out->device_id, "dev-%05u", index);
    snprintf(out->secret, sizeof out->secret, "secret-%05u", index);
}

struct sim_servers_config world_config(void)
{
    return (struct sim_servers_config){
        .now_ms = (int64_t)time(NULL) * 1000,
        .broker = {.account = account, .account_count = 3, .service_secret = SERVICE_SECRET},
        .store = {.secret = "urlsecret"}};
}

void world_start(struct sim_servers *out, const struct sim_servers_config *config)
{
    char message[1024] = "";
    int error = sim_servers_start(out, config, message, sizeof message);
    cr_assert_eq(error, SIM_SERVERS_OK, "%s: %s", sim_servers_error_name(error), message);
}

struct answer run(const char *format, ...)
{
    char command[4096];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(command, sizeof command - 8, format, arguments);
    va_end(arguments);
    cr_assert(len > 0 && len < (int)sizeof command - 8);
    snprintf(command + len, sizeof command - (size_t)len, " 2>&1");
    struct answer answer = {.exit_code = -1};
    FILE *output = popen(command, "re");
    cr_assert(output);
    size_t size = fread(answer.text, 1, sizeof answer.text - 1, output);
    answer.text[size] = '\0';
    int status = pclose(output);
    if (WIFEXITED(status))
        answer.exit_code = WEXITSTATUS(status);
    return answer;
}

struct client as_user(const struct sim_servers *servers, const char *user, const char *secret)
{
    struct client out;
    char ca[SIM_PKI_PATH_MAX], own[SIM_SECRET_MAX];
    sim_pki_ca_path(&servers->pki, ca);
    snprintf(own, sizeof own, "secret-%s", user + strcspn(user, "0123456789"));
    int len = snprintf(out.text, sizeof out.text,
                       "-h 127.0.0.1 -p %u --cafile %s -u %s -P \"%s\" -i %s -q 1",
                       servers->broker.port[SIM_CERT_GOOD], ca, user, secret ? secret : own, user);
    cr_assert(len < (int)sizeof out.text);
    return out;
}

struct client as_service(const struct sim_servers *servers)
{
    return as_user(servers, "service", SERVICE_SECRET);
}

void subscribe(struct client client, const char *topic)
{
    struct answer answer = run("mosquitto_sub %s -c -E -W 120 -t '%s'", client.text, topic);
    cr_assert_eq(answer.exit_code, 0, "%s", answer.text);
}

void publish(struct client client, const char *topic, const char *payload)
{
    struct answer answer = run("mosquitto_pub %s -t '%s' -m '%s'", client.text, topic, payload);
    cr_assert_eq(answer.exit_code, 0, "%s", answer.text);
}

void publish_retained(struct client client, const char *topic, const char *payload)
{
    struct answer answer = run("mosquitto_pub %s -r -t '%s' -m '%s'", client.text, topic, payload);
    cr_assert_eq(answer.exit_code, 0, "%s", answer.text);
}

struct answer receive(struct client client, const char *topic, int count)
{
    return run("mosquitto_sub %s -c -W 120 -C %d -v -t '%s'", client.text, count, topic);
}

pid_t stay_connected(const struct sim_servers *servers, const char *device)
{
    char command[2048], first;
    int out[2];
    cr_assert_eq(pipe(out), 0);
    snprintf(command, sizeof command,
             "exec mosquitto_sub %s -t ota/notification/%s --will-topic ota/presence/%s "
             "--will-payload gone --will-qos 1 --will-retain 2>/dev/null",
             as_user(servers, device, NULL).text, device, device);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(out[1], 1);
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    close(out[1]);
    cr_assert_eq(read(out[0], &first, 1), 1, "mosquitto_sub ended");
    close(out[0]);
    return pid;
}

void end_client(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

struct answer fetch(const struct sim_servers *servers, const char *url, const char *more)
{
    char ca[SIM_PKI_PATH_MAX];
    sim_pki_ca_path(&servers->pki, ca);
    return run("curl -sS --max-time 120 --noproxy '*' --cacert %s --connect-to '%s::127.0.0.1:' "
               "%s '%s'",
               ca, SIM_STORE_NAME, more, url);
}
