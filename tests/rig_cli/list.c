/* `rig list` and `rig drivers`: what is there, looked at and not touched. */
#include "rig/aim.h"
#include "rig/relay.h"
#include "run.h"
#include <criterion/criterion.h>
#include <jansson.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(rig_list, .init = kit_open, .fini = kit_close);

static json_t *list(void)
{
    json_error_t error;
    cr_assert_eq(run_rig("list --bench BENCH --json"), 0, "%s", kit_read("err"));
    json_t *root = json_loads(kit_read("out"), 0, &error);
    cr_assert(root, "%s: %s", error.text, kit_read("out"));
    return root;
}

static const char *text_at(json_t *board, const char *object, const char *key)
{
    return json_string_value(json_object_get(json_object_get(board, object), key));
}

static bool is_there(json_t *board, const char *port)
{
    return json_is_true(json_object_get(json_object_get(board, port), "there"));
}

Test(rig_list, consoles_are_looked_at)
{
    struct kit_line console;
    kit_line_open(&console, "con");
    kit_write("file", "no serial port");
    int server = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    char bench[1024];
    cr_assert(!bind(server, (struct sockaddr *)&at, len) && !listen(server, 4));
    cr_assert_eq(getsockname(server, (struct sockaddr *)&at, &len), 0);
    snprintf(bench, sizeof bench,
             "bench: desk\nboards:\n"
             "  - {name: a, console: {serial: con}, line: {serial: none}}\n"
             "  - {name: b, console: {serial: file}, line: {tcp: \"127.0.0.1:%u\"}}\n"
             "  - {name: c, device_type: pump}\n",
             ntohs(at.sin_port));
    kit_write("desk.yaml", bench);
    json_t *root = list(), *boards = json_object_get(root, "boards");
    json_t *a = json_array_get(boards, 0), *b = json_array_get(boards, 1),
           *c = json_array_get(boards, 2);
    cr_assert_eq(json_array_size(boards), 3);
    cr_assert(is_there(a, "console") && !is_there(a, "line"));
    cr_assert_str_eq(text_at(a, "line", "why"), "No such file or directory");
    cr_assert(!is_there(b, "console") && is_there(b, "line"));
    cr_assert_str_eq(text_at(b, "console", "why"), "it is no serial port");
    cr_assert(json_is_null(json_object_get(c, "console")));
    cr_assert_str_eq(json_string_value(json_object_get(c, "device_type")), "pump");
    cr_assert(json_is_null(json_object_get(c, "in_use_by")));
    json_decref(root);
    cr_assert(!kit_is_there("desk.state"), "looking makes nothing");
    close(server);
    cr_assert_eq(run_rig("list --bench BENCH"), 0);
    cr_assert(run_told("desk: 3 boards, 0 controllers") &&
              run_told("not there: Connection refused"));
}

Test(rig_list, calibration_is_shown_where_there_is_one)
{
    struct rig_aim_store *store;
    char message[512];
    kit_write("desk.yaml", "bench: desk\nboards: [{name: a}, {name: b}]\n");
    cr_assert_eq(mkdir(kit_path("desk.state"), 0700), 0);
    cr_assert_eq(rig_aim_store_open(&store, kit_path("desk.state/rig.db"), message, sizeof message),
                 0, "%s", message);
    for (int i = 0; i < 5; i++)
        cr_assert_eq(rig_aim_store_add(store, "a", 9000 + 1000 * i), 0);
    rig_aim_store_close(store);
    json_t *root = list(), *boards = json_object_get(root, "boards");
    json_t *latency = json_object_get(json_array_get(boards, 0), "latency");
    json_int_t median_us = json_integer_value(json_object_get(latency, "median_us"));
    cr_assert(median_us >= 10750 && median_us <= 11250, "%lld", (long long)median_us);
    cr_assert_eq(json_integer_value(json_object_get(latency, "cuts")), 5);
    cr_assert(json_is_null(json_object_get(json_array_get(boards, 1), "latency")));
    json_decref(root);
    cr_assert_eq(run_rig("list --bench BENCH"), 0);
    cr_assert(run_told("ms from command to loss of power, median of 5 cuts"));
}

Test(rig_list, the_example_is_listed)
{
    char words[600];
    snprintf(words, sizeof words, "list --bench %s/rig/benchfile/example.yaml",
             getenv("BRICKYARD_SOURCE"));
    cr_assert_eq(run_rig(words), 0, "%s", kit_read("err"));
    cr_assert(run_told("corner-desk: 2 boards, 1 controller"));
    cr_assert(run_told("bank-1 channel 5, inverted, off at least 1000 ms"));
}

Test(rig_list, every_driver_and_setting_is_told)
{
    char line[128];
    cr_assert_eq(run_rig("drivers"), 0);
    for (size_t i = 0; rig_relay_drivers[i]; i++) {
        snprintf(line, sizeof line, "%s: %s\n", rig_relay_drivers[i]->name,
                 rig_relay_drivers[i]->summary);
        cr_assert(run_told(line));
        for (const struct rig_setting *s = rig_relay_drivers[i]->setting; s->key; s++)
            cr_assert(run_told(s->key));
    }
}
