/* What a person writes: addresses and accounts, taken whole or refused. */
#include "sim/given.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Test(given_text, addresses_that_are_taken)
{
    static const struct {
        enum sim_given_kind kind;
        const char *text, *host, *path;
        uint16_t port;
    } row[] = {
        {SIM_GIVEN_BROKER, "mqtts://broker.example", "broker.example", "", 8883},
        {SIM_GIVEN_BROKER, "mqtts://broker.example/", "broker.example", "", 8883},
        {SIM_GIVEN_BROKER, "mqtts://10.0.0.7:1", "10.0.0.7", "", 1},
        {SIM_GIVEN_BROKER, "mqtts://b-1:65535", "b-1", "", 65535},
        {SIM_GIVEN_STORE, "https://a.example", "a.example", "/", 443},
        {SIM_GIVEN_STORE, "https://a.example/", "a.example", "/", 443},
        {SIM_GIVEN_STORE, "https://a.example:8443/fw/pump_2~x/", "a.example", "/fw/pump_2~x/",
         8443},
        {SIM_GIVEN_STORE, "https://127.0.0.1:8443/.well-known/", "127.0.0.1", "/.well-known/",
         8443},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct sim_given_server out;
        char message[512] = "";
        cr_assert_eq(sim_given_parse(&out, row[i].kind, row[i].text, message, sizeof message), 0,
                     "%s: %s", row[i].text, message);
        cr_expect_str_eq(out.url, row[i].text);
        cr_expect_str_eq(out.host, row[i].host);
        cr_expect_str_eq(out.path, row[i].path);
        cr_expect_eq(out.port, row[i].port, "%s: %u", row[i].text, out.port);
    }
}

Test(given_text, addresses_that_are_refused)
{
    static const char *const broker[] = {
        "",
        "m",
        "mqtts:/",
        "mqtts://",
        "mqtts:///",
        "mqtt://h",
        "MQTTS://h",
        "https://h",
        " mqtts://h",
        "mqtts://h ",
        "mqtts://h\n",
        "mqtts://h\x01",
        "mqtts://h\xff",
        "mqtts://h:",
        "mqtts://h:0",
        "mqtts://h:65536",
        "mqtts://h:99999999999999999999",
        "mqtts://h:-1",
        "mqtts://h:+1",
        "mqtts://h:0x50",
        "mqtts://h:08883",
        "mqtts://h:1:2",
        "mqtts://h:1x",
        "mqtts://h/topic",
        "mqtts://h//",
        "mqtts://h?x",
        "mqtts://h#x",
        "mqtts://u@h",
        "mqtts://u:p@h",
        "mqtts://h@",
        "mqtts://[::1]",
        "mqtts://[::1]:8883",
        "mqtts://::1",
        "mqtts://127.1",
        "mqtts://2130706433",
        "mqtts://0x7f000001",
        "mqtts://127.0.0.256",
        "mqtts://127.0.0.1.",
        "mqtts://a.1",
        "mqtts://.h",
        "mqtts://h..x",
        "mqtts://-h",
        "mqtts://h_x",
        "mqtts://h%41",
        "mqtts://$(id)",
        "mqtts://h;id",
        "mqtts://\xc3\xbc.example",
    };
    static const char *const store[] = {
        "http://h/",        "https://h/fw",    "https://h/fw//",      "https://h//",
        "https://h/../",    "https://h/a/../", "https://h/./",        "https://h/fw/?x",
        "https://h/fw/?x/", "https://h/%2e/",  "https://h/fw/#",      "https://h/a b/",
        "https://h/a\\b/",  "https://h/$x/",   "https://h/a\n/",      "https://h:443x/",
        "https://h?/",      "https://u:p@h/",  "https://h/\xc3\xbc/", "https:///fw/",
    };
    struct sim_given_server out;
    char message[512];
    for (size_t i = 0; i < sizeof broker / sizeof *broker; i++) {
        cr_expect_eq(sim_given_parse(&out, SIM_GIVEN_BROKER, broker[i], message, sizeof message),
                     -1, "\"%s\"", broker[i]);
        cr_expect_not_null(strstr(message, "accepted: mqtts://HOST[:PORT]"), "%s", message);
        cr_expect_eq(*out.url, '\0', "nothing half read is left");
    }
    for (size_t i = 0; i < sizeof store / sizeof *store; i++)
        cr_expect_eq(sim_given_parse(&out, SIM_GIVEN_STORE, store[i], message, sizeof message), -1,
                     "\"%s\"", store[i]);
}

/* A secret, or what a terminal would obey, does not come back in a message. */
Test(given_text, a_message_repeats_no_secret_and_no_control_character)
{
    static const char *const text[] = {"mqtts://user:hunter2@h", "hunter2@h",
                                       "mqtts://h\x1b[31mhunter2", "mqtts://h?hunter2"};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        struct sim_given_server out;
        char message[512];
        cr_assert_eq(sim_given_parse(&out, SIM_GIVEN_BROKER, text[i], message, sizeof message), -1);
        cr_expect_null(strstr(message, "hunter2"), "%s", message);
        cr_expect_null(strchr(message, '\x1b'));
    }
}

/* Each length around every limit; nothing is cut in silence. */
Test(given_text, long_addresses_are_refused_and_never_shortened)
{
    for (size_t size = 1; size < 400; size++) {
        char host[512] = "mqtts://", path[512] = "https://h/";
        struct sim_given_server out;
        char message[512];
        memset(host + 8, 'a', size);
        memset(path + 10, 'b', size);
        path[10 + size] = '/';
        int error = sim_given_parse(&out, SIM_GIVEN_BROKER, host, message, sizeof message);
        cr_expect_eq(error, size < SIM_GIVEN_HOST_MAX ? 0 : -1, "%zu", size);
        cr_expect(error || strlen(out.host) == size);
        error = sim_given_parse(&out, SIM_GIVEN_STORE, path, message, sizeof message);
        cr_expect_eq(error, size + 2 < SIM_GIVEN_PATH_MAX ? 0 : -1, "%zu", size);
        cr_expect(error || strlen(out.path) == size + 2);
    }
}

Test(given_text, a_signed_address_is_what_secure_link_checks)
{
    struct sim_given given = {.store_secret = "urlsecret"};
    char url[256], message[256];
    cr_assert_eq(sim_given_parse(&given.server[SIM_GIVEN_STORE], SIM_GIVEN_STORE,
                                 "https://h:8443/pump/", message, sizeof message),
                 0);
    cr_assert(sim_given_url(&given, "2.4.0", 2000000000, url, sizeof url));
    /* printf '2000000000/pump/firmware-2.4.0.bin urlsecret' | openssl md5 -binary |
     *     openssl base64 | tr +/ -_ | tr -d = */
    cr_expect_str_eq(url, "https://h:8443/pump/firmware-2.4.0.bin?expires=2000000000&md5="
                          "LzbuWUWQfqmNYAumE8xsYw");
    cr_expect_not(sim_given_url(&given, "2.4.0", 2000000000, url, strlen(url)));
}

/* ---- accounts.csv ---- */

static int read_text(struct sim_given *out, const char *text, size_t size, char *message,
                     size_t len)
{
    char path[] = "/tmp/brickyard-accounts-XXXXXX";
    int fd = mkstemp(path);
    cr_assert(fd >= 0 && write(fd, text, size) == (ssize_t)size);
    close(fd);
    *out = (struct sim_given){0};
    int error = sim_given_accounts_read(out, path, message, len);
    unlink(path);
    return error;
}

Test(given_text, accounts_are_found_by_their_user)
{
    static const char text[] = "# a note\n\nservice,s e,cret\r\nz,1\na,2\nm,3";
    struct sim_given given;
    char message[512] = "";
    cr_assert_eq(read_text(&given, text, strlen(text), message, sizeof message), 0, "%s", message);
    cr_expect_str_eq(sim_given_secret(&given, "service"), "s e,cret");
    cr_expect_str_eq(sim_given_secret(&given, "a"), "2");
    cr_expect_str_eq(sim_given_secret(&given, "m"), "3");
    cr_expect_str_eq(sim_given_secret(&given, "z"), "1");
    cr_expect_null(sim_given_secret(&given, "b"));
    cr_expect_null(sim_given_secret(&given, ""));
    sim_given_free(&given);
}

Test(given_text, accounts_that_are_refused)
{
    static const struct {
        const char *text, *says;
    } row[] = {
        {"", "no line for `service`"},
        {"a,1\n", "no line for `service`"},
        {"service,1\nhunter2\n", ":2: no comma"},
        {"service,1\n,hunter2\n", ":2: no user"},
        {"service,1\na,\n", ":2: no secret"},
        {"service,1\na,hunter2\x01\n", ":2: no secret"},
        {"service,1\na\x1b,hunter2\n", ":2: no user"},
        {"service,1\na,2\nb,3\na,hunter2\n", "a has two lines"},
        {"service,1\nservice,1\n", "service has two lines"},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        struct sim_given given;
        char message[512] = "";
        cr_expect_eq(read_text(&given, row[i].text, strlen(row[i].text), message, sizeof message),
                     -1, "%zu", i);
        cr_expect_not_null(strstr(message, row[i].says), "%s", message);
        cr_expect_null(strstr(message, "hunter2"), "a line holds a secret: %s", message);
        sim_given_free(&given);
    }
}

/* NUL bytes, no end of line, 100,000 bytes without one. */
Test(given_text, bytes_that_are_no_accounts_are_refused)
{
    static char text[100000];
    struct sim_given given;
    char message[512];
    for (int byte = 0; byte < 256; byte++) {
        memset(text, byte, sizeof text);
        cr_expect_eq(read_text(&given, text, sizeof text, message, sizeof message), -1, "%d", byte);
        sim_given_free(&given);
    }
}
