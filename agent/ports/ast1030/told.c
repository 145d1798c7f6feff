/* What of a board outlives its reset, as the device knows it (keep.c has the record). */
#include "device.h"

void fw_keep_told(const struct fw_device *device, uint32_t faults)
{
    struct fw_keep keep;
    fw_keep_read(&keep);
    keep.utc_ms = fw_utc_ms(device);
    keep.faults = device->faults;
    keep.told += faults;
    fw_keep_write(&keep);
}

void fw_keep_now(const struct fw_device *device)
{
    fw_keep_told(device, 0);
}

uint32_t fw_keep_faults(const struct fw_device *device)
{
    struct fw_keep keep;
    fw_keep_read(&keep);
    return keep.told + device->faults;
}
