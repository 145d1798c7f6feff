/* Structures of sim/dut.h on the line: see wire.h. */
#include "wire.h"
#include <string.h>

/* In the order in which they are declared, which is the order on the line. */
static void layout_words(struct dut_layout *layout, uint32_t *word[13])
{
    uint32_t *const all[13] = {&layout->flash_bytes,
                               &layout->sector_bytes,
                               &layout->page_bytes,
                               &layout->bootloader_bytes,
                               &layout->config_addr,
                               &layout->config_bytes,
                               &layout->slot_addr[0],
                               &layout->slot_addr[1],
                               &layout->slot_bytes,
                               &layout->data_addr,
                               &layout->data_bytes,
                               &layout->journal_bytes,
                               NULL};
    memcpy(word, all, sizeof all);
}

void lab_put_unit(struct lab_writer *out, const struct dut_unit *unit)
{
    struct dut_layout layout = unit->layout;
    uint32_t *word[13];
    layout_words(&layout, word);
    for (uint32_t i = 0; word[i]; i++)
        lab_put32(out, *word[i]);
    lab_put32(out, unit->trial_boots);
    lab_put32(out, unit->watchdog_s);
    lab_put32(out, unit->mqtt_within_ms);
    lab_put32(out, unit->fault_free_ms);
    lab_put32(out, unit->variant);
    lab_put_text(out, unit->device_type);
    lab_put_text(out, unit->hw_revision);
    lab_put8(out, unit->keys);
    for (uint32_t i = 0; i < unit->keys; i++) {
        lab_put(out, unit->key[i].id, sizeof unit->key[i].id);
        lab_put(out, unit->key[i].public_key, sizeof unit->key[i].public_key);
    }
    out->bad |= unit->keys > LAB_KEYS_MAX;
}

void lab_get_unit(struct lab_reader *in, struct lab_unit *out)
{
    uint32_t *word[13];
    memset(out, 0, sizeof *out);
    layout_words(&out->unit.layout, word);
    for (uint32_t i = 0; word[i]; i++)
        *word[i] = lab_get32(in);
    out->unit.trial_boots = lab_get32(in);
    out->unit.watchdog_s = lab_get32(in);
    out->unit.mqtt_within_ms = lab_get32(in);
    out->unit.fault_free_ms = lab_get32(in);
    out->unit.variant = lab_get32(in);
    lab_get_text(in, out->device_type, sizeof out->device_type);
    lab_get_text(in, out->hw_revision, sizeof out->hw_revision);
    out->unit.device_type = out->device_type;
    out->unit.hw_revision = out->hw_revision;
    out->unit.key = out->key;
    uint32_t keys = lab_get8(in);
    in->bad |= keys > LAB_KEYS_MAX;
    for (uint32_t i = 0; i < keys && !in->bad; i++) {
        lab_get_bytes(in, out->key[i].id, sizeof out->key[i].id);
        lab_get_bytes(in, out->key[i].public_key, sizeof out->key[i].public_key);
        out->key[i].id[sizeof out->key[i].id - 1] = '\0';
    }
    out->unit.keys = in->bad ? 0 : keys;
}

/* A text that an offer does not have (a rollback's image) is "". */
static void put_text(struct lab_writer *out, const char *text)
{
    lab_put_text(out, text ? text : "");
}

void lab_put_image(struct lab_writer *out, const struct dut_image *image)
{
    put_text(out, image->version);
    put_text(out, image->firmware_id);
    put_text(out, image->cert_id);
    put_text(out, image->device_type);
    put_text(out, image->min_hw_revision);
    lab_put32(out, image->len);
    lab_put32(out, image->security_counter);
    lab_put(out, image->sha256, sizeof image->sha256);
    lab_put8(out, image->signature_len);
    out->bad |= image->signature_len > sizeof image->signature;
    lab_put(out, image->signature, out->bad ? 0 : image->signature_len);
}

void lab_get_image(struct lab_reader *in, struct lab_image *out)
{
    memset(out, 0, sizeof *out);
    lab_get_text(in, out->version, sizeof out->version);
    lab_get_text(in, out->firmware_id, sizeof out->firmware_id);
    lab_get_text(in, out->cert_id, sizeof out->cert_id);
    lab_get_text(in, out->device_type, sizeof out->device_type);
    lab_get_text(in, out->min_hw_revision, sizeof out->min_hw_revision);
    out->image.version = out->version;
    out->image.firmware_id = out->firmware_id;
    out->image.cert_id = out->cert_id;
    out->image.device_type = out->device_type;
    out->image.min_hw_revision = out->min_hw_revision;
    out->image.len = lab_get32(in);
    out->image.security_counter = lab_get32(in);
    lab_get_bytes(in, out->image.sha256, sizeof out->image.sha256);
    uint32_t len = lab_get8(in);
    in->bad |= len > sizeof out->image.signature;
    if (!in->bad)
        lab_get_bytes(in, out->image.signature, len);
    out->image.signature_len = in->bad ? 0 : len;
}

void lab_put_boot(struct lab_writer *out, const struct dut_boot *boot)
{
    lab_put8(out, boot->boots);
    lab_put8(out, boot->trial);
    lab_put32(out, boot->image_addr);
    lab_put32(out, boot->slot);
    lab_put32(out, boot->watchdog_s);
    for (uint32_t i = 0; i < sizeof boot->handoff / sizeof boot->handoff[0]; i++)
        lab_put32(out, boot->handoff[i]);
    lab_put(out, boot->why, sizeof boot->why);
}

void lab_get_boot(struct lab_reader *in, struct dut_boot *out)
{
    memset(out, 0, sizeof *out);
    out->boots = lab_get8(in) != 0;
    out->trial = lab_get8(in) != 0;
    out->image_addr = lab_get32(in);
    out->slot = lab_get32(in);
    out->watchdog_s = lab_get32(in);
    for (uint32_t i = 0; i < sizeof out->handoff / sizeof out->handoff[0]; i++)
        out->handoff[i] = lab_get32(in);
    lab_get_bytes(in, out->why, sizeof out->why);
    out->why[sizeof out->why - 1] = '\0';
}

void lab_put_report(struct lab_writer *out, const struct dut_report *report)
{
    lab_put8(out, (uint32_t)report->status);
    lab_put_text(out, report->firmware_id);
    lab_put_text(out, report->version);
    lab_put_text(out, report->text);
}

void lab_get_report(struct lab_reader *in, struct lab_report *out)
{
    memset(out, 0, sizeof *out);
    uint32_t status = lab_get8(in);
    in->bad |= status >= DUT_STATUSES;
    out->report.status = in->bad ? DUT_SAYS_PROGRESS : (enum dut_status)status;
    lab_get_text(in, out->firmware_id, sizeof out->firmware_id);
    lab_get_text(in, out->version, sizeof out->version);
    lab_get_text(in, out->text, sizeof out->text);
    out->report.firmware_id = out->firmware_id;
    out->report.version = out->version;
    out->report.text = out->text;
}
