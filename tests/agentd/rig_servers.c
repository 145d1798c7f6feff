/* The broker and the two kinds of server. */
#include "rig.h"
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void rig_certificates(const struct rig *rig)
{
    cr_assert_eq(
        rig_run(rig,
                "exec 2>/dev/null; curve='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'; "
                "openssl req -x509 $curve -keyout ca.key -out ca.crt -days 3 -subj /CN=test-ca && "
                "openssl req $curve -keyout srv.key -out srv.csr -subj /CN=localhost && "
                "printf 'subjectAltName=DNS:localhost,IP:127.0.0.1' >ext && "
                "openssl x509 -req -in srv.csr -CA ca.crt -CAkey ca.key -CAcreateserial "
                "-out srv.crt -days 3 -extfile ext && chmod 644 srv.key"),
        0);
}

/* Until its server binds it, nobody else takes it: it is below those that the kernel gives out, and
 * tests that run at the same time begin at places of their own. */
static int free_port(void)
{
    enum { FIRST = 10240, MANY = 20480, EACH = 16 };
    static unsigned next;
    for (int tries = 0; tries < MANY; tries++) {
        int port = FIRST + (int)(((unsigned)getpid() * EACH + next++) % MANY);
        struct sockaddr_in at = {.sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool is_free = !bind(fd, (struct sockaddr *)&at, sizeof at);
        close(fd);
        if (is_free)
            return port;
    }
    cr_assert_fail("no free port");
    return 0;
}

void rig_broker(struct rig *rig)
{
    char text[1024];
    if (!rig->mqtt_port)
        rig->mqtt_port = free_port();
    int len = snprintf(text, sizeof text,
                       "listener %d 127.0.0.1\n"
                       "cafile %s/ca.crt\ncertfile %s/srv.crt\nkeyfile %s/srv.key\n"
                       "allow_anonymous true\nlog_type information\n" /* nobody reads more */,
                       rig->mqtt_port, rig->dir, rig->dir, rig->dir);
    rig_write(rig, "broker.conf", text, (size_t)len);
    rig_spawn(rig, &rig->broker, (const char *const[]){"mosquitto", "-c", "broker.conf", NULL});
    cr_assert(rig_wait(&rig->broker, " running"));
}

void rig_listen(struct rig *rig)
{
    char port[16];
    snprintf(port, sizeof port, "%d", rig->mqtt_port);
    rig_spawn(rig, &rig->listener,
              (const char *const[]){
                  "stdbuf",       "-oL",      "mosquitto_sub",  "-h", "localhost",   "-p",
                  port,           "--cafile", "ca.crt",         "-q", "1",           "-t",
                  "ota/status/#", "-t",       "ota/presence/#", "-t", "telemetry/#", "-v",
                  "-d",           NULL});
    cr_assert(rig_wait(&rig->listener, "Subscribed"));
}

void rig_nginx(struct rig *rig)
{
    char text[2400], path[320];
    rig->http_port = free_port();
    int len = snprintf(
        text, sizeof text,
        "daemon off; master_process off; user root; pid %s/nginx.pid; error_log stderr notice;\n"
        "events {}\n"
        "http { access_log off; client_body_temp_path %s/t1; proxy_temp_path %s/t2;\n"
        "fastcgi_temp_path %s/t3; uwsgi_temp_path %s/t4; scgi_temp_path %s/t5;\n"
        "server { listen 127.0.0.1:%d ssl; ssl_certificate %s/srv.crt;\n"
        "ssl_certificate_key %s/srv.key; root %s; } }\n",
        rig->dir, rig->dir, rig->dir, rig->dir, rig->dir, rig->dir, rig->http_port, rig->dir,
        rig->dir, rig->dir);
    rig_write(rig, "nginx.conf", text, (size_t)len);
    snprintf(path, sizeof path, "%s/nginx.conf", rig->dir);
    rig_spawn(rig, &rig->server, (const char *const[]){"nginx", "-c", path, NULL});
    cr_assert(rig_wait(&rig->server, "nginx/"));
}

void rig_canned(struct rig *rig)
{
    char port[32];
    rig->http_port = free_port();
    snprintf(port, sizeof port, "127.0.0.1:%d", rig->http_port);
    rig_spawn(rig, &rig->server,
              (const char *const[]){"openssl", "s_server", "-accept", port, "-cert", "srv.crt",
                                    "-key", "srv.key", "-HTTP", NULL});
    cr_assert(rig_wait(&rig->server, "ACCEPT"));
}

void rig_publish(const struct rig *rig, const char *topic, const char *file)
{
    cr_assert_eq(rig_run(rig, "mosquitto_pub -h localhost -p %d --cafile ca.crt -q 1 -t %s -f %s",
                         rig->mqtt_port, topic, file),
                 0);
}

void rig_notify(const struct rig *rig, const char *version, const char *path, bool force)
{
    size_t len;
    char text[2048];
    cr_assert_eq(rig_run(rig,
                         "rm -f manifest.json; %s firmware manifest --image %s.bin --signature "
                         "%s.sig --cert-id rel "
                         "--url https://localhost:%d/%s --out manifest.json >/dev/null",
                         rig_program("brickyard"), version, version, rig->http_port, path),
                 0);
    char *manifest = rig_read(rig, "manifest.json", &len);
    int all = snprintf(text, sizeof text,
                       "{\"campaign_id\":\"c1\",\"manifest\":%s,\"force\":%s,"
                       "\"deadline\":\"2199-01-01T00:00:00Z\"}",
                       manifest, force ? "true" : "false");
    free(manifest);
    rig_write(rig, "notification.json", text, (size_t)all);
    rig_publish(rig, "ota/notification/dev-1", "notification.json");
}
