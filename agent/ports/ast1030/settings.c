/* From the factory's block to what the cores want to know of their device; and chance. */
#include "boot/bearssl.h"
#include "device.h"
#include <string.h>

enum { RETRY_ALERT = 3, RETRY_GIVE_UP = 10, PROGRESS_SECTORS = 4 };

/* xorshift32 (Marsaglia 2003); for jitter alone, nothing secret rests on it. */
uint32_t fw_random(void *ctx)
{
    struct fw_device *device = ctx;
    uint32_t x = device->chance;
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    device->chance = x;
    return x;
}

static void sow(struct fw_device *device)
{
    uint32_t id = boot_crc32(0, device->factory.device_id, BOARD_DEVICE_ID_MAX);
    uint32_t seed = id ^ board_mailbox()->boots * 0x9E3779B9u ^ (uint32_t)board_us();
    device->chance = seed ? seed : 1;
}

static void describe(struct fw_device *device)
{
    static struct boot_bearssl bearssl;
    static struct boot_crypto crypto;
    const struct board_factory *factory = &device->factory;
    boot_bearssl_port(&bearssl, &crypto);
    device->keys = (struct boot_keys){factory->key, factory->keys};
    device->env = (struct boot_env){
        .flash = &board_flash,
        .layout = &board_layout,
        .crypto = &crypto,
        .keys = &device->keys,
        .device_type = factory->device_type,
        .hw_revision = factory->hw_revision,
        .trial_boots = factory->trial_boots,
        .faulty_boots = factory->faulty_boots,
        .watchdog_s = factory->watchdog_s,
    };
    device->site = (struct fw_site){
        .device_id = factory->device_id,
        .hw_revision = factory->hw_revision,
        .flash = &board_flash,
        .data_addr = board_layout.data_addr + board_layout.journal_bytes,
        .data_bytes = board_layout.data_bytes - board_layout.journal_bytes,
    };
}

static void on_state(void *ctx, enum agent_state from, enum agent_state to)
{
    const struct fw_device *device = ctx;
    FW_LOG(device, "info", "state", FW_TEXT("from", agent_state_name((int)from)),
           FW_TEXT("to", agent_state_name((int)to)));
}

/* A window or a zone that can't be read is none: the preferred nights, UTC. */
static void configure_agent(struct fw_device *device)
{
    const struct board_factory *factory = &device->factory;
    struct agent_config *config = &device->agent_config;
    *config = (struct agent_config){
        .device_id = factory->device_id,
        .boot = &device->env,
        .approval = factory->approval,
        .mqtt_within_ms = factory->mqtt_within_ms,
        .fault_free_ms = factory->fault_free_ms,
        .retry_first_ms = factory->retry_first_ms,
        .retry_max_ms = factory->retry_max_ms,
        .retry_alert = RETRY_ALERT,
        .retry_give_up = RETRY_GIVE_UP,
        .progress_sectors = PROGRESS_SECTORS,
        .random = fw_random,
        .on_state = on_state,
        .ctx = device,
    };
    if (agent_window_parse(&config->window, factory->ota_window))
        agent_window_parse(&config->window, "");
    if (agent_zone_parse(&config->zone, factory->zone))
        agent_zone_parse(&config->zone, "");
}

bool fw_settings(struct fw_device *device)
{
    static uint8_t block[BOARD_FACTORY_BYTES];
    if (board_nor_read(NULL, BOARD_FACTORY_ADDR, block, sizeof block) ||
        board_factory_decode(&device->factory, block))
        return false;
    sow(device);
    describe(device);
    configure_agent(device);
    return true;
}
