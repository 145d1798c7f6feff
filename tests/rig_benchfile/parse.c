/* What a bench file gives, and what is said of each mistake, with its place. */
#include "kit.h"
#include "rig/benchfile.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(bench_parse, .init = kit_open, .fini = kit_close);

#define START "bench: b\ncontrollers:\n  r: {driver: lcus, device: /dev/r, channels: 4}\n"
#define BOARDS START "boards:\n"

static struct rig_bench *parse(const char *text)
{
    char message[512];
    struct rig_bench *bench = NULL;
    int error =
        rig_bench_parse(&bench, kit_path("desk.yaml"), text, strlen(text), message, sizeof message);
    cr_assert(!error, "%s", message);
    return bench;
}

Test(bench_parse, everything_is_read)
{
    struct rig_bench *bench =
        parse("bench: corner-desk\n"
              "boards:\n"
              "  - name: pump-1\n"
              "    device_type: pump_monitor_v2\n"
              "    hw_revision: Rev-C\n"
              "    console: {serial: con, baud: 9600}\n"
              "    line: {tcp: \"[::1]:3001\"}\n"
              "    power: {controller: bank, channel: 1, inverted: true, off_at_least: 2s}\n"
              "    reset: {controller: bank, channel: 2, hold: 50ms}\n"
              "    straps:\n"
              "      recovery: {controller: other, channel: 3}\n"
              "    flash: [cp, \"{image}\", /x]\n"
              "    flash_within: 5s\n"
              "    flash_power: on\n"
              "    flash_file: nor.bin\n"
              "  - {name: pump-2, console: {unix: /run/con}}\n"
              "controllers:\n" /* behind those who name them */
              "  bank: {retries: 0, device: relay-1, driver: lcus, timeout: 1s, rated_cycles: 7}\n"
              "  other: {driver: lcus, device: /dev/other}\n"
              "emulator: {boards: 2, folder: emu}\n");
    cr_assert_str_eq(bench->name, "corner-desk");
    cr_assert_str_eq(bench->folder, kit_folder);
    cr_assert_str_eq(bench->state, kit_path("desk.state"));
    cr_assert(bench->controllers == 2 && bench->boards == 2);
    const struct rig_bench_controller *bank = &bench->controller[0];
    cr_assert_str_eq(bank->name, "bank");
    cr_assert(bank->driver == rig_relay_driver("lcus"));
    cr_assert(bank->timeout_ms == 1000 && bank->retries == 0 && bank->rated_cycles == 7);
    cr_assert_eq(bank->line, 18);
    cr_assert_str_eq(bank->value[0].text, kit_path("relay-1")); /* its first setting: the device */
    const struct rig_bench_controller *other = &bench->controller[1];
    cr_assert(other->timeout_ms == 500 && other->retries == 2 && other->rated_cycles == 100000);
    const struct rig_bench_board *one = rig_bench_board(bench, "pump-1");
    cr_assert(one == &bench->board[0] && !rig_bench_board(bench, "pump-3"));
    cr_assert_str_eq(one->device_type, "pump_monitor_v2");
    cr_assert(one->console.kind == RIG_CONSOLE_SERIAL && one->console.baud == 9600);
    cr_assert_str_eq(one->console.path, kit_path("con"));
    cr_assert(one->line.kind == RIG_CONSOLE_TCP && one->line.port == 3001);
    cr_assert_str_eq(one->line.host, "::1");
    cr_assert(one->power.controller == 0 && one->power.channel == 1 && one->power.inverted);
    cr_assert_eq(one->power.off_at_least_ms, 2000);
    cr_assert(one->reset.channel == 2 && one->reset.hold_ms == 50 && !one->reset.inverted);
    cr_assert(one->straps == 1 && one->strap[0].contact.controller == 1);
    cr_assert_str_eq(one->strap[0].name, "recovery");
    cr_assert_str_eq(one->flash[1], "{image}");
    cr_assert(!one->flash[3] && one->flash_within_ms == 5000 && one->flash_powered);
    cr_assert_str_eq(one->flash_file, kit_path("nor.bin"));
    const struct rig_bench_board *two = &bench->board[1];
    cr_assert(two->power.controller == -1 && two->reset.controller == -1 && !two->straps);
    cr_assert(!two->flash && !two->flash_powered && two->flash_within_ms == 120000);
    cr_assert(two->console.kind == RIG_CONSOLE_UNIX && !two->line.path && !two->line.host);
    cr_assert(bench->emulator.wanted && bench->emulator.boards == 2);
    cr_assert_str_eq(bench->emulator.folder, kit_path("emu"));
    rig_bench_free(bench);
}

struct mistake {
    const char *text, *place, *says;
};
static const struct mistake mistakes[] = {
    {"", "desk.yaml: ", "is empty"},
    {"just text\n", "desk.yaml:1:1: ", "a mapping"},
    {"bench: b\n  x: 1\n", "desk.yaml:1:8: ", "not YAML"},
    {"bench: b\n", "desk.yaml:1:1: ", "boards is missing"},
    {"boards: [{name: a}]\n", "desk.yaml:1:1: ", "bench is missing"},
    {"bench: b\nbench: c\n", "desk.yaml:2:1: ", "bench: given twice"},
    {"bench: a/b\nboards: [{name: a}]\n", "desk.yaml:1:8: bench: ", "'a/b' is no name"},
    {"bench: &x b\n", "desk.yaml:1:", "anchors"},
    {"bench: b\n%YAML 1.2\n", "desk.yaml:2:1: ", "directives"},
    {"bench: \xff\n", "desk.yaml:1:8: ", "no UTF-8"},
    {"bench: \xed\xa0\x80\n", "desk.yaml:1:8: ", "no UTF-8"},
    {"bench: \"\xf4\x8f\xbf\xbf \xf4\x90\x80\x80\"\n", "desk.yaml:1:11: ", "no UTF-8"},
    {"bench: \xc3", "desk.yaml:1:8: ", "no UTF-8"},
    {"bench: \x1b[2J\n", "desk.yaml:1:8: ", "a control character"},
    {"bench: b\nbord: []\n",
     "desk.yaml:2:1: bord: ", "unknown key; accepted: bench, state, controllers, boards, emulator"},
    {"bench: b\nboards: []\n", "desk.yaml:2:9: boards: ", "0 boards; accepted: 1 to 256"},
    {"bench: b\nboards: {a: 1}\n",
     "desk.yaml:2:9: boards: ", "a mapping of keys; accepted: a list"},
    {"bench: b\nboards: [x]\n", "desk.yaml:2:10: boards.0: ", "accepted: a mapping of keys"},
    {"bench: b\nboards: [[[[[[[[[x]]]]]]]]]\n", "desk.yaml:2:16: ", "nested too deeply"},
    {"bench: b\nboards: [{}]\n", "desk.yaml:2:10: boards.0: ", "name is missing"},
    {"bench: b\nboards: [{name: ../x}]\n", "desk.yaml:2:17: boards.0.name: ", "is no name"},
    {"bench: b\nboards: [{name: \"\"}]\n", "desk.yaml:2:17: boards.0.name: ", "is empty"},
    {"bench: b\ncontrollers:\n  r: {}\n",
     "desk.yaml:3:6: controllers.r: ", "driver is missing; accepted: "},
    {"bench: b\ncontrollers:\n  r: {driver: lcux}\n",
     "desk.yaml:3:15: controllers.r.driver: ", "'lcux'; accepted: "},
    {"bench: b\ncontrollers:\n  r: {driver: lcus}\n",
     "desk.yaml:3:6: controllers.r: ", "device: is missing"},
    {"bench: b\ncontrollers:\n  r: {driver: lcus, device: /d, chanels: 4}\n",
     "desk.yaml:3:33: controllers.r.chanels: ", "unknown key of driver lcus; accepted: driver, "},
    {"bench: b\ncontrollers:\n  r: {driver: lcus, device: /d, channels: 9}\n",
     "desk.yaml:3:43: controllers.r.channels: ", "9 is not 1 to 8"},
    {"bench: b\ncontrollers:\n  r: {driver: lcus, device: [/d]}\n",
     "desk.yaml:3:29: controllers.r.device: ", "a list; accepted: a single value"},
    {"bench: b\ncontrollers:\n  r: {driver: lcus, device: /d, timeout: 5}\n",
     "desk.yaml:3:42: controllers.r.timeout: ", "'5'; accepted: a duration from 10ms to 1m"},
    {"bench: b\ncontrollers:\n  r: {driver: lcus, device: /d, retries: -1}\n",
     "desk.yaml:3:42: controllers.r.retries: ", "'-1'; accepted: a whole number from 0 to 20"},
    {"bench: b\ncontrollers:\n  \"a b\": {driver: lcus, device: /d}\n",
     "desk.yaml:3:3: ", "'a b' is no name"},
    {BOARDS "  - {name: a, power: {controller: q, channel: 1}}\n",
     "desk.yaml:5:35: boards.0.power.controller: ", "no controller 'q'; accepted: r"},
    {BOARDS "  - {name: a, power: {controller: r, channel: 5}}\n",
     "desk.yaml:5:47: boards.0.power.channel: ", "5; accepted: r (lcus) has channels 1 to 4"},
    {BOARDS "  - {name: a, power: {controller: r, channel: 0}}\n",
     "desk.yaml:5:47: boards.0.power.channel: ", "channels 1 to 4"},
    {"bench: b\ncontrollers: {k: {driver: kmtronic, device: /d, channels: 2}}\n"
     "boards: [{name: a, power: {controller: k, channel: 3}}]\n",
     "desk.yaml:3:52: boards.0.power.channel: ", "3; accepted: k (kmtronic) has channels 1 to 2"},
    {"bench: b\ncontrollers: {c: {driver: command, \"on\": true, \"off\": [x]}}\n",
     "desk.yaml:2:42: controllers.c.on: ", "a single value; accepted: a list"},
    {"bench: b\ncontrollers: {c: {driver: shelly, host: h, password: none}}\n",
     "desk.yaml:2:54: controllers.c.password: ", "none can't be read: No such file"},
    {BOARDS "  - {name: a, power: {controller: r}}\n",
     "desk.yaml:5:22: boards.0.power: ", "channel is missing"},
    {BOARDS "  - {name: a, power: {controller: r, channel: 1, hold: 1s}}\n",
     "desk.yaml:5:50: boards.0.power.hold: ",
     "unknown key; accepted: controller, channel, "
     "inverted, off_at_least"},
    {BOARDS "  - {name: a, power: {controller: r, channel: 1, inverted: yes}}\n",
     "desk.yaml:5:60: boards.0.power.inverted: ", "'yes'; accepted: true, false"},
    {BOARDS "  - {name: a, power: {controller: r, channel: 1}}\n"
            "  - {name: b, reset: {controller: r, channel: 1}}\n",
     "desk.yaml:6:22: boards.1.reset: ", "channel 1 of r is used twice; line 5 has it for a"},
    {BOARDS
     "  - {name: a, power: {controller: r, channel: 1}, straps: {s: {controller: r, channel: "
     "1}}}\n",
     "desk.yaml:5:", "channel 1 of r is used twice; line 5 has it for a"},
    {BOARDS "  - {name: a}\n  - {name: a}\n",
     "desk.yaml:6:12: boards.1.name: ", "a second board 'a'; the first is in line 5"},
    {BOARDS "  - {name: a, console: {serial: x}}\n  - {name: b, line: {serial: ./x}}\n  - {name: "
            "c, console: {serial: x}}\n",
     "desk.yaml:7:", "is used twice; line 5 has it for a"},
    {BOARDS "  - {name: a, console: {tcp: \"h:1\"}, line: {tcp: \"h:1\"}}\n",
     "desk.yaml:5:44: boards.0.line: ", "is used twice"},
    {"bench: b\ncontrollers:\n  r: {driver: lcus, device: x}\n  q: {driver: modbus, device: x, "
     "unit: "
     "2}\nboards: [{name: a}]\n",
     "desk.yaml:4:31: controllers.q.device: ", "is used twice; line 3 has it for r"},
    {"bench: b\ncontrollers: {r: {driver: lcus, device: x}}\nboards: [{name: a, line: {serial: "
     "x}}]\n",
     "desk.yaml:3:26: boards.0.line: ", "is used twice; line 2 has it for r"},
    {BOARDS "  - {name: a, flash_file: x}\n  - {name: b, flash_file: x}\n",
     "desk.yaml:6:27: boards.1.flash_file: ", "is used twice; line 5 has it for a"},
    {BOARDS "  - {name: a, console: {}}\n",
     "desk.yaml:5:24: boards.0.console: ", "no way to it; accepted: one of serial, tcp, unix"},
    {BOARDS "  - {name: a, console: {serial: x, unix: y}}\n",
     "desk.yaml:5:24: boards.0.console: ", "several ways to it"},
    {BOARDS "  - {name: a, console: {unix: x, baud: 9600}}\n",
     "desk.yaml:5:34: boards.0.console.baud: ", "only a serial port has a speed"},
    {BOARDS "  - {name: a, console: {serial: x, baud: 9601}}\n",
     "desk.yaml:5:42: boards.0.console.baud: ", "9601 is no speed"},
    {BOARDS "  - {name: a, console: {tcp: \"h\"}}\n",
     "desk.yaml:5:30: boards.0.console.tcp: ", "'h'; accepted: \"host:port\""},
    {BOARDS "  - {name: a, console: {tcp: \"h:65536\"}}\n", "desk.yaml:5:30: ", "port 1 to 65535"},
    {BOARDS "  - {name: a, console: {tcp: \"::1:5\"}}\n", "desk.yaml:5:30: ", "[::1]:port"},
    {BOARDS "  - {name: a, console: {tcp: \":5\"}}\n", "desk.yaml:5:30: ", "host:port"},
    {BOARDS "  - {name: a, flash: [cp, a, b]}\n",
     "desk.yaml:5:22: boards.0.flash: ", "no argument holds {image}"},
    {BOARDS "  - {name: a, flash: cp}\n", "desk.yaml:5:22: boards.0.flash: ", "accepted: a list"},
    {BOARDS "  - {name: a, flash_power: true}\n",
     "desk.yaml:5:28: boards.0.flash_power: ", "'true'; accepted: on, off"},
    {BOARDS "  - {name: a, flash_within: 10}\n",
     "desk.yaml:5:29: boards.0.flash_within: ", "'10'; accepted: a duration from 100ms to 1h"},
    {BOARDS "  - {name: a}\nemulator: {boards: 0}\n",
     "desk.yaml:6:20: emulator.boards: ", "'0'; accepted: a whole number from 1 to 256"},
};

Test(bench_parse, each_mistake_is_told_with_its_place)
{
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        const struct mistake *m = &mistakes[i];
        char message[512] = "", place[256];
        struct rig_bench *bench = NULL;
        snprintf(place, sizeof place, "%s/%s", kit_folder, m->place);
        int error = rig_bench_parse(&bench, kit_path("desk.yaml"), m->text, strlen(m->text),
                                    message, sizeof message);
        cr_expect(error == -1 && !bench, "accepted:\n%s", m->text);
        cr_expect(!strncmp(message, place, strlen(place)) && strstr(message, m->says),
                  "of\n%swas said\n  %s\ninstead of\n  %s.. %s", m->text, message, place, m->says);
        rig_bench_free(bench);
    }
}

Test(bench_parse, a_file_that_is_not_there_is_told)
{
    char message[512];
    struct rig_bench *bench = NULL;
    cr_assert_eq(rig_bench_read(&bench, kit_path("none.yaml"), message, sizeof message), -1);
    cr_assert(strstr(message, "none.yaml: No such file"), "%s", message);
}

Test(bench_parse, no_more_boards_than_there_is_room_for)
{
    char *text = malloc(200000), message[512];
    struct rig_bench *bench = NULL;
    for (int boards = 256; boards <= 257; boards++) {
        size_t used = (size_t)sprintf(text, "bench: b\nboards:\n");
        for (int i = 0; i < boards; i++)
            used += (size_t)sprintf(text + used, "  - {name: b%d}\n", i);
        int error =
            rig_bench_parse(&bench, kit_path("desk.yaml"), text, used, message, sizeof message);
        cr_assert_eq(error, boards == 256 ? 0 : -1);
        rig_bench_free(bench);
    }
    cr_assert(strstr(message, "257 boards; accepted: 1 to 256"), "%s", message);
    free(text);
}

Test(bench_parse, the_example_is_accepted)
{
    char message[512], path[512];
    struct rig_bench *bench = NULL;
    snprintf(path, sizeof path, "%s/rig/benchfile/example.yaml", getenv("BRICKYARD_SOURCE"));
    cr_assert(!rig_bench_read(&bench, path, message, sizeof message), "%s", message);
    cr_assert_eq(bench->boards, 2);
    rig_bench_free(bench);
}
