/* The boards, one function each, from RIG-FACTS section 2 and the vendors' descriptions. They are
 * stricter than hardware: a byte that belongs to no command fails the test. */
#include "serial_kit.h"
#include <stdlib.h>
#include <unistd.h>

/* Not cr_assert: this is not the test's thread. The test fails when it looks at the board next. */
#define MUST(emu, condition)                                                                       \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            if (!(emu)->broken)                                                                    \
                (emu)->broken = #condition;                                                        \
            return;                                                                                \
        }                                                                                          \
    } while (0)

/* Frame complete? Then it starts anew. */
static bool whole(struct emu *emu, uint8_t byte, size_t bytes)
{
    if (emu->frame_bytes == sizeof emu->frame)
        emu->broken = "a line without an end";
    emu->frame_bytes %= sizeof emu->frame;
    emu->frame[emu->frame_bytes++] = byte;
    if (emu->frame_bytes < bytes)
        return false;
    emu->frame_bytes = 0;
    return true;
}

void hear_lcus(struct emu *emu, uint8_t byte)
{
    const uint8_t *f = emu->frame;
    if (!whole(emu, byte, 4))
        return;
    MUST(emu, f[0] == 0xA0 && f[1] >= 1 && f[1] <= 8 && f[2] <= 1);
    MUST(emu, f[3] == (0xA0 + f[1] + f[2]) % 256);
    emu->on[f[1]] = f[2];
}

/* The kind that says how its relays stand, after each command. */
void hear_lcus_talking(struct emu *emu, uint8_t byte)
{
    char text[128] = "\xFF";
    size_t used = 1;
    hear_lcus(emu, byte);
    if (emu->frame_bytes)
        return;
    for (uint32_t i = 1; i <= emu->relays; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "CH%u: %s\r\n", i,
                                 emu->on[i] ? "ON" : "OFF");
    emu_answer(emu, text, used);
}

void hear_hw667(struct emu *emu, uint8_t byte)
{
    MUST(emu, byte == 0xAA || byte == 0xBB || byte == 0xCC);
    emu->on[1] = byte != 0xBB;
}

/* 1 and 2 relays are asked one by one, 4 and 8 all together. */
void hear_kmtronic(struct emu *emu, uint8_t byte)
{
    const uint8_t *f = emu->frame;
    uint8_t answer[8];
    if (!whole(emu, byte, 3))
        return;
    MUST(emu, f[0] == 0xFF);
    if (emu->relays > 2 && f[1] == 9) {
        MUST(emu, f[2] == 0);
        for (uint32_t i = 0; i < emu->relays; i++)
            answer[i] = emu->on[i + 1];
        emu_answer(emu, answer, emu->relays);
        return;
    }
    MUST(emu, f[1] >= 1 && f[1] <= emu->relays);
    if (f[2] == 3 && emu->relays <= 2) {
        memcpy(answer, (uint8_t[]){0xFF, f[1], emu->on[f[1]]}, 3);
        emu_answer(emu, answer, 3);
        return;
    }
    MUST(emu, f[2] <= 1);
    emu->on[f[1]] = f[2];
}

/* relays 2: RLY02, module 10; 8: RLY16, module 9; others: module 28. */
void hear_devantech(struct emu *emu, uint8_t byte)
{
    uint8_t states = 0, module = emu->relays == 2 ? 10 : emu->relays == 8 ? 9 : 28;
    if (byte == 0x5A) {
        emu_answer(emu, (uint8_t[]){module, 2}, 2);
    } else if (byte == 0x5B) {
        for (int i = 1; i <= 8; i++)
            states |= (uint8_t)(emu->on[i] << (i - 1));
        emu_answer(emu, &states, 1);
    } else {
        bool on = byte >= 0x65 && byte <= 0x6C;
        MUST(emu, on || (byte >= 0x6F && byte <= 0x76));
        emu->on[byte - (on ? 0x64 : 0x6E)] = on;
    }
}

/* The relay's number as this model writes it; -1: none. */
static int numato_number(const struct emu *emu, const char *text)
{
    char *end;
    int base = emu->relays <= 16 ? 16 : emu->relays <= 32 ? 32 : 10;
    size_t digits = base == 10 ? 2 : 1;
    long n = strtol(text, &end, base);
    return strlen(text) == digits && !*end && n < (long)emu->relays ? (int)n : -1;
}

void hear_numato(struct emu *emu, uint8_t byte)
{
    char line[32], verb[8] = "", number[8] = "", answer[128];
    if (byte != '\r') {
        whole(emu, byte, sizeof emu->frame);
        return;
    }
    snprintf(line, sizeof line, "%.*s", (int)emu->frame_bytes, (const char *)emu->frame);
    emu->frame_bytes = 0;
    const char *value = "";
    int n = sscanf(line, "relay %7s %7s", verb, number) == 2 ? numato_number(emu, number) : -1;
    if (*line && (n < 0 || !strstr("on off read", verb)))
        value = "ERROR: Invalid command\n\r";
    else if (!strcmp(verb, "read"))
        value = emu->on[n] ? "on\n\r" : "off\n\r";
    else if (*line)
        emu->on[n] = !strcmp(verb, "on");
    snprintf(answer, sizeof answer, "%s\n\r%s>", line, value);
    emu_answer(emu, answer, strlen(answer));
}

/* ---- Modbus ---- */

/* The table-free form of the serial line specification, 6.2.2. */
static uint16_t crc_of(const uint8_t *bytes, size_t n)
{
    uint16_t crc = 0xFFFF;
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = (uint16_t)(crc & 1 ? crc >> 1 ^ 0xA001 : crc >> 1);
    }
    return crc;
}

/* unit, function, address, value: to unit, function, ... Returns its length. A coil that is not
 * there is exception 2; FC01 is answered for the whole bank only, as Waveshare's boards do. */
static size_t pdu_answer(struct emu *emu, uint8_t *answer, const uint8_t *f)
{
    uint32_t addr = (uint32_t)(f[2] << 8 | f[3]), value = (uint32_t)(f[4] << 8 | f[5]);
    bool timed = addr >= 0x200 && addr < 0x200 + emu->relays;
    memcpy(answer, f, 6);
    if (f[1] == 5 && timed) {
        emu->on[addr - 0x200] = true;
        return 6;
    }
    if (f[1] == 5 && addr < emu->relays) {
        if (value != 0xFF00 && value != 0)
            emu->broken = "a coil's value is FF00 or 0000";
        emu->on[addr] = value;
        return 6;
    }
    if (f[1] == 1 && !addr && value == emu->relays) {
        answer[2] = (uint8_t)((value + 7) / 8);
        memset(answer + 3, 0, answer[2]);
        for (uint32_t i = 0; i < value; i++)
            answer[3 + i / 8] |= (uint8_t)(emu->on[i] << i % 8);
        return 3 + (size_t)answer[2];
    }
    answer[1] |= 0x80;
    answer[2] = 2;
    return 3;
}

void hear_rtu(struct emu *emu, uint8_t byte)
{
    const uint8_t *f = emu->frame;
    uint8_t answer[64];
    if (!whole(emu, byte, 8))
        return;
    uint16_t crc = crc_of(f, 6);
    MUST(emu, f[6] == (crc & 0xFF) && f[7] == crc >> 8);
    if (f[0] != 1) /* to somebody else on the line */
        return;
    size_t n = pdu_answer(emu, answer, f);
    crc = crc_of(answer, n);
    answer[n] = (uint8_t)crc;
    answer[n + 1] = (uint8_t)(crc >> 8);
    emu_answer(emu, answer, n + 2);
}

void hear_mbap(struct emu *emu, uint8_t byte)
{
    const uint8_t *f = emu->frame;
    uint8_t answer[64];
    if (!whole(emu, byte, 12))
        return;
    MUST(emu, !f[2] && !f[3] && !f[4] && f[5] == 6);
    size_t n = pdu_answer(emu, answer + 6, f + 6);
    memcpy(answer, f, 5);
    answer[5] = (uint8_t)n;
    emu_answer(emu, answer, 6 + n);
}
