/* SCPI supplies, from the programming guides of Rigol DP800 and DP2000, Siglent SPD3303X, Keysight
 * E36300. */
#include "drivers.h"
#include "net_server.h"
#include <criterion/criterion.h>
#include <string.h>

static struct supply {
    const char *idn;
    const char *get_line, *state; /* what it says to that line */
    const char *errors[8];        /* its queue; NULL: empty */
    const char *no_error, *ask_error;
    const char *bad;           /* a line that puts errors into the queue */
    const char *silent, *shut; /* to this line: nothing, an end */
} supply;
static char said[256];

static const char *answer_to(const char *line)
{
    if (!strcmp(line, "*IDN?"))
        return supply.idn;
    if (supply.get_line && !strcmp(line, supply.get_line))
        return supply.state;
    if (!strcmp(line, supply.ask_error)) {
        const char *first = supply.errors[0];
        if (!first)
            return supply.no_error;
        memmove(supply.errors, supply.errors + 1, sizeof supply.errors - sizeof first);
        return first;
    }
    if (!strcmp(line, "*CLS"))
        memset(supply.errors, 0, sizeof supply.errors);
    if (supply.bad && !strcmp(line, supply.bad)) {
        supply.errors[0] = "-222,\"Data out of range\"";
        supply.errors[1] = "-350,\"Queue overflow\"";
    }
    return NULL;
}

static void device(void *ctx, struct net_reply *reply, const uint8_t *in, size_t len)
{
    (void)ctx;
    said[0] = '\0';
    for (size_t at = 0; at < len;) { /* two commands may come as one segment */
        char line[256] = "";
        const uint8_t *end = memchr(in + at, '\n', len - at);
        if (!end || (size_t)(end - in) - at >= sizeof line)
            break;
        memcpy(line, in + at, (size_t)(end - in) - at);
        at = (size_t)(end - in) + 1;
        reply->close |= supply.shut && !strcmp(line, supply.shut);
        const char *answer = answer_to(line);
        if (answer && !(supply.silent && !strcmp(line, supply.silent)) && !reply->close) {
            strcat(said, answer);
            strcat(said, "\n");
        }
    }
    reply->bytes = said;
    reply->len = strlen(said);
}

static uint32_t timeout_ms = NET_PATIENT_MS;

static int attempt(struct rig_relay **out, const char *dialect)
{
    return net_try(
        out, &rig_relay_scpi,
        (const char *[]){"host", "127.0.0.1", "port", net_server.port, "dialect", dialect, NULL},
        timeout_ms);
}

static struct rig_relay *opened(const char *dialect)
{
    struct rig_relay *relay = NULL;
    net_start(NET_TCP, device, NULL);
    int error = attempt(&relay, dialect);
    cr_assert_eq(error, 0, "%s", net_message);
    return relay;
}

static void rigol(void)
{
    supply = (struct supply){
        .idn = "RIGOL TECHNOLOGIES,DP832A,DP8A162349801,00.01.16",
        .get_line = ":OUTP? CH1",
        .state = "ON",
        .no_error = "0,\"No error\"",
        .ask_error = ":SYST:ERR?",
    };
}

/* All lines that came, one after the other. */
static const char *lines(void)
{
    static char all[4096];
    all[0] = '\0';
    for (int i = 0; i < net_server.taken_n; i++)
        strcat(all, (const char *)net_server.taken[i].bytes);
    return all;
}

static void use(struct rig_relay *relay)
{
    bool on = false;
    cr_expect_eq(rig_relay_scpi.set(relay, 1, true, NET_SAID), 0, "%s", net_message);
    cr_expect_eq(rig_relay_scpi.get(relay, &on, 1, NET_SAID), 0, "%s", net_message);
    cr_expect(on);
    cr_expect_eq(rig_relay_scpi.level(relay, 1, 3300, NET_SAID), 0, "%s", net_message);
    cr_expect_eq(rig_relay_scpi.set(relay, 1, false, NET_SAID), 0, "%s", net_message);
    rig_relay_scpi.close(relay);
}

Test(net_scpi, rigol_lines)
{
    rigol();
    use(opened("rigol"));
    cr_expect_str_eq(lines(),
                     "*CLS\n*IDN?\n:OUTP CH1,ON\n:SYST:ERR?\n:OUTP? CH1\n:SOUR1:VOLT 3.300\n"
                     ":SYST:ERR?\n:OUTP CH1,OFF\n:SYST:ERR?\n");
}

Test(net_scpi, siglent_lines)
{
    supply = (struct supply){
        .idn = "Siglent Technologies,SPD3303X,SPD3XGB4150080,1.01.01.01.05,V1.0",
        .get_line = "SYSTEM:STATUS?",
        .state = "0x14",
        .no_error = "0  No Error",
        .ask_error = "SYSTEM:ERROR?",
    };
    use(opened("siglent"));
    cr_expect_str_eq(
        lines(), "*CLS\n*IDN?\nOUTPUT CH1,ON\nSYSTEM:ERROR?\nSYSTEM:STATUS?\nCH1:VOLTAGE 3.300\n"
                 "SYSTEM:ERROR?\nOUTPUT CH1,OFF\nSYSTEM:ERROR?\n");
}

Test(net_scpi, keysight_lines)
{
    supply = (struct supply){
        .idn = "Keysight Technologies,E36312A,MY57001234,1.0.4-1.0.3-1.03",
        .get_line = "OUTP? (@1)",
        .state = "1",
        .no_error = "+0,\"No error\"",
        .ask_error = "SYST:ERR?",
    };
    use(opened("keysight"));
    cr_expect_str_eq(
        lines(), "*CLS\n*IDN?\nOUTP ON,(@1)\nSYST:ERR?\nOUTP? (@1)\nVOLT 3.300,(@1)\nSYST:ERR?\n"
                 "OUTP OFF,(@1)\nSYST:ERR?\n");
}

Test(net_scpi, states_of_the_models)
{
    static const struct {
        const char *state;
        int error;
        bool on;
    } rows[] = {{"ON", RIG_OK, true},  {"OFF", RIG_OK, false},     {"1", RIG_OK, true},
                {"0", RIG_OK, false},  {"OFF\r", RIG_OK, false},   {"", RIG_EANSWER, false},
                {"2", RIG_EANSWER, 0}, {"CH1,ON", RIG_EANSWER, 0}, {"<html>", RIG_EANSWER, 0}};
    rigol();
    net_start(NET_TCP, device, NULL);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig_relay *relay;
        bool on = !rows[i].on;
        supply.state = rows[i].state;
        cr_assert_eq(attempt(&relay, "rigol"), 0);
        cr_expect_eq(rig_relay_scpi.get(relay, &on, 1, NET_SAID), rows[i].error, "%s",
                     rows[i].state);
        cr_expect(rows[i].error || on == rows[i].on, "%s", rows[i].state);
        rig_relay_scpi.close(relay);
    }
}

Test(net_scpi, refusal_is_seen_and_its_queue_is_emptied)
{
    rigol();
    supply.bad = ":SOUR1:VOLT 99.000";
    struct rig_relay *relay = opened("rigol");
    cr_expect_eq(rig_relay_scpi.level(relay, 1, 99000, NET_SAID), RIG_EREFUSED);
    cr_expect(strstr(net_message, "Data out of range") != NULL, "%s", net_message);
    cr_expect(strstr(net_message, ":SOUR1:VOLT 99.000") != NULL, "%s", net_message);
    cr_expect_eq(rig_relay_scpi.set(relay, 1, false, NET_SAID), 0, "%s", net_message);
    rig_relay_scpi.close(relay);
}

Test(net_scpi, old_errors_are_not_this_sessions)
{
    rigol();
    supply.errors[0] = "-113,\"Undefined header\"";
    struct rig_relay *relay = opened("rigol");
    cr_expect_eq(rig_relay_scpi.set(relay, 1, true, NET_SAID), 0, "%s", net_message);
    rig_relay_scpi.close(relay);
}

Test(net_scpi, silent_closed_and_no_such_output)
{
    rigol();
    supply.silent = ":SYST:ERR?";
    timeout_ms = NET_SHORT_MS;
    struct rig_relay *relay = opened("rigol");
    cr_expect_eq(rig_relay_scpi.set(relay, 4, true, NET_SAID), RIG_EUNSUPPORTED);
    cr_expect_eq(rig_relay_scpi.set(relay, 1, true, NET_SAID), RIG_ESILENT);
    cr_expect_eq(rig_relay_scpi.set(relay, 1, true, NET_SAID), RIG_EGONE);
    rig_relay_scpi.close(relay);
    supply.silent = NULL;
    timeout_ms = NET_PATIENT_MS;
    supply.shut = ":OUTP CH1,OFF";
    cr_assert_eq(attempt(&relay, "rigol"), 0);
    cr_expect_eq(rig_relay_scpi.set(relay, 1, false, NET_SAID), RIG_EGONE);
    rig_relay_scpi.close(relay);
}

Test(net_scpi, error_queue_without_an_end)
{
    rigol();
    supply.no_error = "-350,\"Queue overflow\"";
    struct rig_relay *relay = opened("rigol");
    cr_expect_eq(rig_relay_scpi.set(relay, 1, true, NET_SAID), RIG_EREFUSED);
    cr_expect_lt(net_server.taken_n, 40);
    rig_relay_scpi.close(relay);
}

Test(net_scpi, second_user_of_a_supply_that_takes_one)
{
    rigol();
    struct rig_relay *first = opened("rigol"), *second = NULL;
    net_server.connections_max = 1;
    cr_expect_eq(attempt(&second, "rigol"), RIG_EBUSY, "%s", net_message);
    cr_expect_eq(rig_relay_scpi.set(first, 1, true, NET_SAID), 0);
    rig_relay_scpi.close(first);
    supply.silent = "*IDN?"; /* others let him wait */
    timeout_ms = NET_SHORT_MS;
    net_server.connections_max = 0;
    cr_expect_eq(attempt(&second, "rigol"), RIG_ESILENT);
    cr_expect(strstr(net_message, "somebody else") != NULL, "%s", net_message);
}

Test(net_scpi, no_supply_at_that_port)
{
    struct rig_relay *relay;
    rigol();
    supply.idn = "HTTP/1.1 400 Bad Request";
    net_start(NET_TCP, device, NULL);
    cr_expect_eq(attempt(&relay, "rigol"), RIG_EANSWER);
    cr_expect(strstr(net_message, "HTTP/1.1 400") != NULL, "%s", net_message);
    memcpy(net_server.port, net_nobody(), sizeof net_server.port);
    cr_expect_eq(attempt(&relay, "rigol"), RIG_EOPEN);
}

/* A line of 64 KiB without an end. */
static void flood(void *ctx, struct net_reply *reply, const uint8_t *in, size_t len)
{
    static const char much[1024] = {[0 ... 1023] = 'x'};
    (void)ctx, (void)in, (void)len;
    *reply = (struct net_reply){.bytes = much, .len = sizeof much, .repeat = 63};
}

Test(net_scpi, line_without_an_end)
{
    struct rig_relay *relay;
    net_start(NET_TCP, flood, NULL);
    cr_expect_eq(attempt(&relay, "rigol"), RIG_EANSWER, "%s", net_message);
}
