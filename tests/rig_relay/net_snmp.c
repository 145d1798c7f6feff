/*
 * PDUs by SNMP: requests as BER by hand (RFC 1157, RFC 3416, X.690), objects from the vendors'
 * MIBs. RR is the request's number, four bytes; a shorter one is written as four before it is
 * compared.
 */
#include "drivers.h"
#include "net_server.h"
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Each: SET to on, SET to off, GET of the state, and what it reads. v1 for APC, else v2c; community
 * "private". */
static const struct {
    const char *type;
    uint32_t channel;
    const char *on, *off, *get;
    uint8_t state_on, state_off;
} kinds[] = {{"apc_masterswitch", 3,
              "30 32 02 01 00 04 07 70 72 69 76 61 74 65 A3 24 02 04 RR RR RR RR 02 01 "
              "00 02 01 00 30 16 30 14 06 0F 2B 06 01 04 01 82 3E 01 01 04 04 02 01 03 "
              "03 02 01 01",
              "30 32 02 01 00 04 07 70 72 69 76 61 74 65 A3 24 02 04 RR RR RR RR 02 01 "
              "00 02 01 00 30 16 30 14 06 0F 2B 06 01 04 01 82 3E 01 01 04 04 02 01 03 "
              "03 02 01 02",
              "30 31 02 01 00 04 07 70 72 69 76 61 74 65 A0 23 02 04 RR RR RR RR 02 01 "
              "00 02 01 00 30 15 30 13 06 0F 2B 06 01 04 01 82 3E 01 01 04 04 02 01 03 "
              "03 05 00",
              1, 2},
             {"apc_rpdu", 24,
              "30 33 02 01 00 04 07 70 72 69 76 61 74 65 A3 25 02 04 RR RR RR RR 02 01 "
              "00 02 01 00 30 17 30 15 06 10 2B 06 01 04 01 82 3E 01 01 0C 03 03 01 01 "
              "04 18 02 01 01",
              "30 33 02 01 00 04 07 70 72 69 76 61 74 65 A3 25 02 04 RR RR RR RR 02 01 "
              "00 02 01 00 30 17 30 15 06 10 2B 06 01 04 01 82 3E 01 01 0C 03 03 01 01 "
              "04 18 02 01 02",
              "30 32 02 01 00 04 07 70 72 69 76 61 74 65 A0 24 02 04 RR RR RR RR 02 01 "
              "00 02 01 00 30 16 30 14 06 10 2B 06 01 04 01 82 3E 01 01 0C 03 03 01 01 "
              "04 18 05 00",
              1, 2},
             {"raritan", 5,
              "30 32 02 01 01 04 07 70 72 69 76 61 74 65 A3 24 02 04 RR RR RR RR 02 01 "
              "00 02 01 00 30 16 30 14 06 0F 2B 06 01 04 01 EB 2E 06 04 01 02 01 02 01 "
              "05 02 01 01",
              "30 32 02 01 01 04 07 70 72 69 76 61 74 65 A3 24 02 04 RR RR RR RR 02 01 "
              "00 02 01 00 30 16 30 14 06 0F 2B 06 01 04 01 EB 2E 06 04 01 02 01 02 01 "
              "05 02 01 00",
              "30 31 02 01 01 04 07 70 72 69 76 61 74 65 A0 23 02 04 RR RR RR RR 02 01 "
              "00 02 01 00 30 15 30 13 06 0F 2B 06 01 04 01 EB 2E 06 04 01 02 01 03 01 "
              "05 05 00",
              7, 8},
             {"eaton", 1,
              "30 33 02 01 01 04 07 70 72 69 76 61 74 65 A3 25 02 04 RR RR RR RR 02 01 "
              "00 02 01 00 30 17 30 15 06 10 2B 06 01 04 01 84 16 06 06 07 06 06 01 04 "
              "00 01 02 01 01",
              "30 33 02 01 01 04 07 70 72 69 76 61 74 65 A3 25 02 04 RR RR RR RR 02 01 "
              "00 02 01 00 30 17 30 15 06 10 2B 06 01 04 01 84 16 06 06 07 06 06 01 03 "
              "00 01 02 01 01",
              "30 32 02 01 01 04 07 70 72 69 76 61 74 65 A0 24 02 04 RR RR RR RR 02 01 "
              "00 02 01 00 30 16 30 14 06 10 2B 06 01 04 01 84 16 06 06 07 06 06 01 02 "
              "00 01 05 00",
              1, 0},
             {"poe", 48,
              "30 2F 02 01 01 04 07 70 72 69 76 61 74 65 A3 21 02 04 RR RR RR RR 02 01 "
              "00 02 01 00 30 13 30 11 06 0C 2B 06 01 02 01 69 01 01 01 03 01 30 02 01 "
              "01",
              "30 2F 02 01 01 04 07 70 72 69 76 61 74 65 A3 21 02 04 RR RR RR RR 02 01 "
              "00 02 01 00 30 13 30 11 06 0C 2B 06 01 02 01 69 01 01 01 03 01 30 02 01 "
              "02",
              "30 2E 02 01 01 04 07 70 72 69 76 61 74 65 A0 20 02 04 RR RR RR RR 02 01 "
              "00 02 01 00 30 12 30 10 06 0C 2B 06 01 02 01 69 01 01 01 03 01 30 05 00",
              1, 2}};

/* ---- The agent: echoes a SET, answers a GET with `state`, or is odd ---- */

enum oddity {
    NONE,
    SILENT,
    REFUSES,      /* error-status 2, noSuchName */
    NO_INSTANCE,  /* v2c: 81 00 */
    OTHER_OBJECT, /* the next outlet */
    OTHER_NUMBER, /* the answer to another request */
    TEXT,         /* an OCTET STRING */
    TWO,          /* a second variable */
    RUBBISH,
    CUT,         /* half of it */
    REQUEST,     /* no response at all: the tag of a GET */
    LONG_LENGTH, /* a length beyond its end */
    ODDITIES
};
static enum oddity oddity;
static uint8_t state;
static uint8_t reply_bytes[1500];

/* The request with a number of four bytes; the place of its PDU's tag. */
static size_t normalise(uint8_t *out, size_t *pdu, const uint8_t *in, size_t len)
{
    size_t at = 7 + in[6], id_len = in[at + 3];
    *pdu = at;
    if (at + 4 + id_len > len || id_len > 4)
        return 0;
    memcpy(out, in, at + 4);
    memset(out + at + 4, 0, 4 - id_len);
    memcpy(out + at + 8 - id_len, in + at + 4, len - at - 4);
    out[1] = (uint8_t)(out[1] + 4 - id_len);
    out[at + 1] = (uint8_t)(out[at + 1] + 4 - id_len);
    out[at + 3] = 4;
    return len + 4 - id_len;
}

/* A variable's value of so many bytes more than NULL's two. */
static void grow(size_t pdu, size_t more)
{
    reply_bytes[1] = (uint8_t)(reply_bytes[1] + more);
    reply_bytes[pdu + 1] = (uint8_t)(reply_bytes[pdu + 1] + more);
    reply_bytes[pdu + 15] = (uint8_t)(reply_bytes[pdu + 15] + more);
}

static size_t be_odd(size_t len, size_t pdu, size_t value)
{
    static const uint8_t second[] = {0x30, 0x08, 0x06, 0x03, 0x2B, 0x06, 0x01, 0x02, 0x01, 0x01};
    switch (oddity) {
    case REFUSES:
        reply_bytes[pdu + 10] = 2;
        reply_bytes[pdu + 13] = 1;
        break;
    case NO_INSTANCE:
        reply_bytes[value] = 0x81;
        reply_bytes[value + 1] = 0;
        reply_bytes[pdu + 17]--;
        grow(pdu, (size_t)-1);
        return len - 1;
    case OTHER_OBJECT:
        reply_bytes[value - 1]++;
        break;
    case OTHER_NUMBER:
        reply_bytes[pdu + 7] ^= 1;
        break;
    case TEXT:
        reply_bytes[value] = 0x04;
        break;
    case TWO:
        memcpy(reply_bytes + len, second, sizeof second);
        grow(pdu, sizeof second);
        return len + sizeof second;
    case RUBBISH:
        memset(reply_bytes, 0xFF, 600);
        return 600;
    case CUT:
        return len / 2;
    case REQUEST:
        reply_bytes[pdu] = 0xA0;
        break;
    case LONG_LENGTH:
        reply_bytes[pdu + 15] = 0x7F;
        break;
    default:
        break;
    }
    return len;
}

static void agent(void *ctx, struct net_reply *reply, const uint8_t *bytes, size_t len)
{
    (void)ctx;
    size_t pdu, n = normalise(reply_bytes, &pdu, bytes, len), value;
    bool gets = n && reply_bytes[pdu] == 0xA0;
    if (!n || oddity == SILENT)
        return;
    reply_bytes[pdu] = 0xA2;
    value = pdu + 20 + reply_bytes[pdu + 19];
    if (gets) {
        memcpy(reply_bytes + value, (uint8_t[]){0x02, 0x01, state}, 3);
        reply_bytes[pdu + 17]++;
        grow(pdu, 1);
        n++;
    }
    reply->bytes = reply_bytes;
    reply->len = be_odd(n, pdu, value);
}

static struct rig_relay *opened(const char *type, uint32_t timeout_ms)
{
    return net_open(
        &rig_relay_snmp,
        (const char *[]){"host", "127.0.0.1", "port", net_server.port, "type", type, NULL},
        timeout_ms);
}

static bool asked(int at, const char *hex)
{
    uint8_t got[NET_BYTES_MAX];
    size_t pdu, n = 0;
    if (at >= net_server.taken_n)
        return false;
    size_t len = normalise(got, &pdu, net_server.taken[at].bytes, net_server.taken[at].len);
    for (; *hex; hex += hex[2] ? 3 : 2, n++)
        if (n >= len || (*hex != 'R' && strtoul(hex, NULL, 16) != got[n]))
            return false;
    return n == len;
}

Test(net_snmp, requests_of_each_kind_are_the_bytes_of_its_mib)
{
    net_start(NET_UDP, agent, NULL);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct rig_relay *relay = opened(kinds[i].type, NET_PATIENT_MS);
        bool on = false;
        net_server.taken_n = 0;
        cr_expect_eq(rig_relay_snmp.set(relay, kinds[i].channel, true, NET_SAID), RIG_OK, "%s",
                     net_message);
        cr_expect_eq(rig_relay_snmp.set(relay, kinds[i].channel, false, NET_SAID), RIG_OK, "%s",
                     net_message);
        state = kinds[i].state_on;
        cr_expect_eq(rig_relay_snmp.get(relay, &on, kinds[i].channel, NET_SAID), RIG_OK, "%s",
                     net_message);
        cr_expect(on);
        state = kinds[i].state_off;
        cr_expect_eq(rig_relay_snmp.get(relay, &on, kinds[i].channel, NET_SAID), RIG_OK, "%s",
                     net_message);
        cr_expect_not(on);
        cr_expect(asked(0, kinds[i].on), "%s", kinds[i].type);
        cr_expect(asked(1, kinds[i].off), "%s", kinds[i].type);
        cr_expect(asked(2, kinds[i].get), "%s", kinds[i].type);
        state = 99;
        cr_expect_eq(rig_relay_snmp.get(relay, &on, kinds[i].channel, NET_SAID), RIG_EANSWER);
        cr_expect(strstr(net_message, "neither on nor off: 99") != NULL, "%s", net_message);
        rig_relay_snmp.close(relay);
    }
}

Test(net_snmp, pending_outlet_is_still_what_it_was)
{
    net_start(NET_UDP, agent, NULL);
    struct rig_relay *relay = opened("eaton", NET_PATIENT_MS);
    bool on = false;
    state = 2; /* pendingOff */
    cr_expect_eq(rig_relay_snmp.get(relay, &on, 1, NET_SAID), RIG_OK, "%s", net_message);
    cr_expect(on);
    state = 3; /* pendingOn */
    cr_expect_eq(rig_relay_snmp.get(relay, &on, 1, NET_SAID), RIG_OK, "%s", net_message);
    cr_expect_not(on);
    rig_relay_snmp.close(relay);
}

Test(net_snmp, custom_objects_and_a_community_of_ones_own)
{
    net_start(NET_UDP, agent, NULL);
    const char *pairs[] = {"host",      "127.0.0.1",
                           "port",      net_server.port,
                           "type",      "custom",
                           "version",   "1",
                           "community", net_secret("rig"),
                           "on_oid",    "1.3.6.1.4.1.9.{channel}.1",
                           "on_value",  "-1",
                           "off_value", "6",
                           NULL};
    struct rig_relay *relay = net_open(&rig_relay_snmp, pairs, NET_PATIENT_MS);
    bool on;
    cr_expect_eq(rig_relay_snmp.set(relay, 200, true, NET_SAID), RIG_OK, "%s", net_message);
    cr_expect_eq(rig_relay_snmp.set(relay, 200, false, NET_SAID), RIG_OK, "%s", net_message);
    cr_expect(asked(0, "30 28 02 01 00 04 03 72 69 67 A3 1E 02 04 RR RR RR RR 02 01 00 02 01 00 "
                       "30 10 30 0E 06 09 2B 06 01 04 01 09 81 48 01 02 01 FF"));
    cr_expect(asked(1, "30 28 02 01 00 04 03 72 69 67 A3 1E 02 04 RR RR RR RR 02 01 00 02 01 00 "
                       "30 10 30 0E 06 09 2B 06 01 04 01 09 81 48 01 02 01 06"));
    cr_expect_eq(rig_relay_snmp.get(relay, &on, 1, NET_SAID), RIG_EUNSUPPORTED);
    rig_relay_snmp.close(relay);
}

/* A PDU that says nothing, asked by a thread of its own. */
static void *ask_nobody(void *ctx)
{
    char message[200];
    int *error = ctx;
    struct rig_relay *relay =
        net_open(&rig_relay_snmp,
                 (const char *[]){"host", "127.0.0.1", "port", net_nobody(), "type", "poe", NULL},
                 NET_PATIENT_MS);
    *error = rig_relay_snmp.set(relay, 1, true, message, sizeof message);
    rig_relay_snmp.close(relay);
    return NULL;
}

Test(net_snmp, silent_pdu_holds_up_no_other)
{
    net_start(NET_UDP, agent, NULL);
    struct rig_relay *relay = opened("poe", NET_PATIENT_MS);
    pthread_t thread;
    int silent = 1;
    cr_assert_eq(pthread_create(&thread, NULL, ask_nobody, &silent), 0);
    char message[200];
    int64_t from_us = rig_port_now_us(), longest_us = 0;
    int done = 0;
    while (rig_port_now_us() - from_us < 700000) {
        int64_t one_us = rig_port_now_us();
        cr_assert_eq(rig_relay_snmp.set(relay, 48, done++ % 2, message, sizeof message), RIG_OK);
        one_us = rig_port_now_us() - one_us;
        longest_us = one_us > longest_us ? one_us : longest_us;
        usleep(5000);
    }
    /* Behind the silent one it would be 10 s. */
    cr_expect_lt(longest_us, 5000000, "%lld us", (long long)longest_us);
    pthread_join(thread, NULL);
    cr_expect_eq(silent, RIG_ESILENT);
    rig_relay_snmp.close(relay);
}

/* Everything that the library or we write is caught here. */
static int quiet(void)
{
    int file = memfd_create("stderr", MFD_CLOEXEC);
    cr_assert_geq(file, 0);
    fflush(stderr);
    dup2(file, 2);
    return file;
}

Test(net_snmp, odd_answers)
{
    static const int set[ODDITIES] = {
        [SILENT] = RIG_ESILENT,       [REFUSES] = RIG_EREFUSED,     [NO_INSTANCE] = RIG_EREFUSED,
        [OTHER_OBJECT] = RIG_EANSWER, [OTHER_NUMBER] = RIG_ESILENT, [TEXT] = RIG_EANSWER,
        [TWO] = RIG_EANSWER,          [RUBBISH] = RIG_ESILENT,      [CUT] = RIG_ESILENT,
        [REQUEST] = RIG_EANSWER,      [LONG_LENGTH] = RIG_ESILENT};
    net_start(NET_UDP, agent, NULL);
    int file = quiet(), saved = 0;
    for (oddity = NONE; oddity < ODDITIES; oddity++) {
        struct rig_relay *relay =
            opened("raritan", set[oddity] == RIG_ESILENT ? 120 : NET_PATIENT_MS);
        bool on = false;
        state = 7;
        saved = rig_relay_snmp.get(relay, &on, 5, NET_SAID);
        cr_expect_eq(saved, set[oddity], "%d: %d %s", (int)oddity, saved, net_message);
        cr_expect_eq(on, oddity == NONE);
        cr_expect(oddity == NONE || *net_message);
        cr_expect_null(strstr(net_message, "private"), "%s", net_message);
        if (oddity != NO_INSTANCE) {
            saved = rig_relay_snmp.set(relay, 5, true, NET_SAID);
            cr_expect_eq(saved, set[oddity], "set %d: %d %s", (int)oddity, saved, net_message);
        }
        rig_relay_snmp.close(relay);
    }
    cr_expect_eq(lseek(file, 0, SEEK_END), 0, "the library wrote something");
}

Test(net_snmp, no_configuration_is_read)
{
    char folder[] = "/tmp/rig-net-snmp-XXXXXX", path[64];
    cr_assert_not_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/snmp.conf", folder);
    FILE *conf = fopen(path, "w");
    fputs("thisIsNoToken 1\ndefVersion 3\ndefCommunity other\ndumpPacket yes\n", conf);
    fclose(conf);
    setenv("SNMPCONFPATH", folder, 1);
    setenv("SNMP_PERSISTENT_DIR", folder, 1);
    net_start(NET_UDP, agent, NULL);
    int file = quiet();
    struct rig_relay *relay = opened("poe", NET_PATIENT_MS);
    cr_expect_eq(rig_relay_snmp.set(relay, 48, true, NET_SAID), RIG_OK, "%s", net_message);
    cr_expect(asked(0, kinds[4].on));
    rig_relay_snmp.close(relay);
    cr_expect_eq(lseek(file, 0, SEEK_END), 0);
    unlink(path);
    cr_expect_eq(rmdir(folder), 0, "nothing was made there");
}

Test(net_snmp, settings_that_cannot_be)
{
    static const struct {
        const char *pairs[12];
        const char *says;
    } rows[] = {
        {{"host", "127.0.0.1", "type", "custom"}, "on_oid"},
        {{"host", "127.0.0.1", "type", "custom", "on_oid", "1.3.6.x"}, "on_oid"},
        {{"host", "127.0.0.1", "type", "custom", "on_oid", "1.3.6..1"}, "on_oid"},
        {{"host", "127.0.0.1", "type", "custom", "on_oid", "9.3.6"}, "on_oid"},
        {{"host", "127.0.0.1", "type", "custom", "on_oid", "1.3.4294967296"}, "on_oid"},
        {{"host", "127.0.0.1", "type", "custom", "on_oid", "1.3.6.1", "off_oid", "1"}, "off_oid"},
        {{"host", "127.0.0.1", "type", "custom", "on_oid", "1.3.6.1", "state_oid", "1.3.6.2",
          "state_off", "1"},
         "the same"},
        {{"host", "127.0.0.1", "type", "poe", "version", "3"}, "user"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig_relay *relay;
        cr_expect_eq(net_try(&relay, &rig_relay_snmp, rows[i].pairs, 100), RIG_EOPEN, "%zu", i);
        cr_expect_not_null(strstr(net_message, rows[i].says), "%zu: %s", i, net_message);
    }
}
