/* Two config sectors, written in turn: see records.h. */
#include "records.h"

#include <string.h>

enum { BODY_BYTES = 64, AT_DATA = 8, AT_CRC = 60, MARK_BYTES = 16, MARKS = 2 };
enum { BODY_MAGIC = 0x42434552 /* "RECB" */, MARK_MAGIC = 0x4D434552 /* "RECM" */ };

/* What one sector holds, each byte of it read once. */
struct sector {
    bool sound; /* the body */
    bool torn;  /* one of its marks: neither blank nor whole */
    uint32_t sequence, marks;
    bool marked[MARKS];
    uint8_t body[BODY_BYTES];
};

static uint32_t sector_addr(const struct kit *kit, uint32_t sector)
{
    return kit->layout->config_addr + sector * kit->layout->sector_bytes;
}

static uint32_t mark_addr(const struct kit *kit, uint32_t sector, uint32_t mark)
{
    uint32_t page = kit->layout->page_bytes;
    return sector_addr(kit, sector) + kit_round_up(BODY_BYTES, page) + mark * page;
}

/* The only mark that fits this body; so programming it over a torn one heals that. */
static void mark_of(uint8_t out[MARK_BYTES], const uint8_t body[BODY_BYTES])
{
    kit_put32(out, MARK_MAGIC);
    memcpy(out + 4, body + 4, 4);
    memcpy(out + 8, body + AT_CRC, 4);
    kit_put32(out + 12, kit_crc32(out, 12));
}

static int sector_read(struct kit *kit, uint32_t sector, struct sector *out)
{
    uint8_t fits[MARK_BYTES], mark[MARK_BYTES];
    memset(out, 0, sizeof *out);
    if (kit_read(kit, sector_addr(kit, sector), out->body, BODY_BYTES))
        return -1;
    out->sound = kit_get32(out->body) == BODY_MAGIC &&
                 kit_get32(out->body + AT_CRC) == kit_crc32(out->body, AT_CRC);
    out->sequence = kit_get32(out->body + 4);
    mark_of(fits, out->body);
    for (uint32_t i = 0; out->sound && i < MARKS; i++) {
        if (kit_read(kit, mark_addr(kit, sector, i), mark, sizeof mark))
            return -1;
        out->marked[i] = memcmp(mark, fits, sizeof mark) == 0;
        out->marks += out->marked[i];
        out->torn |= !out->marked[i] && !kit_all_are(mark, sizeof mark, 0xFF);
    }
    return 0;
}

static bool is_newer(const struct sector *a, const struct sector *b)
{
    return (int32_t)(a->sequence - b->sequence) > 0;
}

/* What read may have read by luck. The same bits once more make it so, the first mark first: where
 * the second reads, the first one is whole. */
static int settle(struct kit *kit, uint32_t sector, const struct sector *state)
{
    uint8_t mark[MARK_BYTES];
    mark_of(mark, state->body);
    for (uint32_t i = 0; state->marks < MARKS && i < MARKS; i++)
        if (kit_program(kit, mark_addr(kit, sector, i), mark, sizeof mark))
            return -1;
    return 0;
}

/* No mark read, but one may later. When the zeros are there, none ever will; only then may the body
 * become what reads differently each time. */
static int wipe(struct kit *kit, uint32_t sector)
{
    uint32_t page = kit->layout->page_bytes;
    for (uint32_t i = 0; i < MARKS; i++) {
        memset(kit->other, 0, page);
        if (kit_program(kit, mark_addr(kit, sector, i), kit->other, page))
            return -1;
    }
    return kit_erase(kit, sector_addr(kit, sector));
}

/* The newer of what counts; is none when it has no mark. */
static uint32_t in_force(const struct sector state[2])
{
    return state[1].marks && (!state[0].marks || is_newer(&state[1], &state[0]));
}

/* A mark of the other sector did not read, but may do so later. */
static bool waits(const struct sector *other, const struct sector *record)
{
    return other->sound && !other->marks && is_newer(other, record);
}

static void record_of(struct record *out, uint32_t sector, const struct sector state[2])
{
    const struct sector *other = &state[!sector];
    out->found = true;
    out->torn = !other->marks && other->torn;
    out->sector = sector;
    out->sequence = state[sector].sequence;
    memcpy(out->data, state[sector].body + AT_DATA, RECORD_DATA_BYTES);
}

int record_load(struct kit *kit, struct record *out)
{
    struct sector state[2];
    memset(out, 0, sizeof *out);
    if (sector_read(kit, 0, &state[0]) || sector_read(kit, 1, &state[1]))
        return -1;
    uint32_t force = in_force(state);
    const struct sector *record = &state[force], *other = &state[!force];
    if (!record->marks)
        return 0;
    if (settle(kit, force, record))
        return -1;
    if (waits(other, record) && wipe(kit, !force))
        return -1;
    record_of(out, force, state);
    if (out->torn)
        kit->port->note(kit->port->ctx, "a newer record was cut in its mark: it does not count");
    return 0;
}

bool record_peek(struct kit *kit, struct record *out)
{
    struct sector state[2];
    memset(out, 0, sizeof *out);
    if (sector_read(kit, 0, &state[0]) || sector_read(kit, 1, &state[1]))
        return false;
    uint32_t force = in_force(state);
    if (state[force].marks < MARKS || waits(&state[!force], &state[force]))
        return false;
    record_of(out, force, state);
    return true;
}

static void body_of(uint8_t out[BODY_BYTES], uint32_t sequence,
                    const uint8_t data[RECORD_DATA_BYTES])
{
    kit_put32(out, BODY_MAGIC);
    kit_put32(out + 4, sequence);
    memcpy(out + AT_DATA, data, RECORD_DATA_BYTES);
    kit_put32(out + AT_CRC, kit_crc32(out, AT_CRC));
}

int record_write(struct kit *kit, struct record *record, const uint8_t data[RECORD_DATA_BYTES])
{
    uint8_t body[BODY_BYTES], mark[MARK_BYTES];
    uint32_t sector = record->found ? !record->sector : 0;
    body_of(body, record->sequence + 1, data);
    mark_of(mark, body);
    if (kit_erase(kit, sector_addr(kit, sector)) ||
        kit_program(kit, sector_addr(kit, sector), body, sizeof body) ||
        kit_program(kit, mark_addr(kit, sector, 0), mark, sizeof mark) ||
        kit_program(kit, mark_addr(kit, sector, 1), mark, sizeof mark))
        return -1;
    record->found = true;
    record->torn = false;
    record->sector = sector;
    record->sequence++;
    memcpy(record->data, data, RECORD_DATA_BYTES);
    return 0;
}

/* One sector: whether it is in force or may become it, and what a settling would do to it. */
static uint32_t canonical_sector(const struct sector *state, uint8_t *out)
{
    for (uint32_t i = 0; i < MARKS; i++)
        out[i] = state->marked[i];
    memcpy(out + MARKS, state->body + AT_DATA, RECORD_DATA_BYTES);
    return MARKS + RECORD_DATA_BYTES;
}

static uint32_t canonical(struct kit *kit, uint8_t *out, uint32_t max)
{
    struct sector state[2];
    uint32_t len = 3;
    if (max < 3 + 2 * (MARKS + RECORD_DATA_BYTES) || sector_read(kit, 0, &state[0]) ||
        sector_read(kit, 1, &state[1]))
        return 0;
    uint32_t force = in_force(state);
    const struct sector *record = &state[force], *other = &state[!force];
    if (!record->marks)
        return 0;
    bool settled = record->marks == MARKS;
    bool waiting = waits(other, record);
    out[0] = settled;
    out[1] = waiting;
    out[2] = other->marks > 0;
    len += canonical_sector(record, out + len);
    if (waiting || (!settled && other->sound))
        len += canonical_sector(other, out + len);
    return len;
}

uint32_t record_canonical(void *ram, const struct dut_port *view, uint32_t part, uint8_t *out,
                          uint32_t max)
{
    (void)part;
    return canonical(kit_init(ram, view), out, max);
}

uint32_t record_ranges(const struct dut_unit *unit, struct dut_range *out, uint32_t max)
{
    if (max < 1)
        return 0;
    out[0] = (struct dut_range){unit->layout.config_addr, unit->layout.config_bytes, 0};
    return 1;
}
