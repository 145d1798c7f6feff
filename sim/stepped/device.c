/* A device of the ground: its folder, its flash file from the factory, its body. */
#include "stepped_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

int st_folder_make(struct sim_stepped *st, char *message, size_t len)
{
    int room = snprintf(st->folder, sizeof st->folder, "%s/devices", st->yard.servers.folder);
    if (room < ST_FOLDER_MAX && !mkdir(st->folder, 0700))
        return 0;
    snprintf(message, len, "%s: %s", st->folder, strerror(errno));
    return -1;
}

/* ---- Its flash ---- */

static int put_flash_file(const struct st_device *dev, int fd)
{
    const struct sim_flash_base *base = &dev->st->yard.world->base[dev->unit->group];
    uint32_t size = base->sector_bytes;
    uint8_t *blank = malloc(size);
    if (!blank)
        return -1;
    memset(blank, 0xFF, size);
    int error = 0;
    for (uint32_t at = 0; at < base->bytes && !error; at += size) {
        const uint8_t *sector = base->sector[at / size];
        error = pwrite(fd, sector ? sector : blank, size, at) != (ssize_t)size;
    }
    free(blank);
    return error ? -1 : 0;
}

static int open_flash(struct st_device *dev)
{
    const struct sim_world *world = dev->st->yard.world;
    dev->flash_fd = open(dev->flash_path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (dev->flash_fd < 0 || put_flash_file(dev, dev->flash_fd))
        return -1;
    void *file = mmap(NULL, dev->st->flash_bytes, PROT_READ, MAP_SHARED, dev->flash_fd, 0);
    if (file == MAP_FAILED)
        return -1;
    dev->file = file;
    return sim_flash_init(&dev->flash, &world->base[dev->unit->group], &world->known,
                          &world->timing, &dev->clock_us, world->scn->seed, dev->number);
}

/* The factory writes the bootloader region whole; afterwards nobody does. */
static int make(struct st_device *dev, char *message, size_t len)
{
    const struct sim_body_kind *kind = dev->st->kind;
    uint32_t bytes = dev->st->yard.world->layout.bootloader_bytes;
    dev->bootloader = malloc(bytes ? bytes : 1);
    if (!dev->bootloader) {
        snprintf(message, len, "no memory for %s", dev->unit->id);
        return -1;
    }
    memcpy(dev->bootloader, dev->file, bytes);
    if (kind->make && kind->make(dev->body, dev->bootloader, bytes, message, len))
        return -1;
    if (pwrite(dev->flash_fd, dev->bootloader, bytes, 0) != (ssize_t)bytes) {
        snprintf(message, len, "%s: %s", dev->flash_path, strerror(errno));
        return -1;
    }
    sim_flash_load(&dev->flash, 0, dev->bootloader, bytes);
    return kind->made ? kind->made(dev->body, message, len) : 0;
}

/* ---- Its body ---- */

static void describe(struct st_device *dev, struct sim_stepped *st, uint32_t number)
{
    *dev = (struct st_device){.st = st,
                              .number = number,
                              .unit = &st->fleet.unit[number],
                              .group = &st->scn->group[st->fleet.unit[number].group],
                              .flash_fd = -1,
                              .lost_us = st->yard.world->born_us,
                              .clock_us = st->yard.world->born_us,
                              .faults = sim_faults_of(&st->yard.world->faults, number)};
    dev->seen = (struct st_witness){.running_slot = -1, .counter_floor = 1, .confirmed_us = -1};
    snprintf(dev->seen.version, sizeof dev->seen.version, "%s", dev->group->firmware);
    sim_yard_address(ST_ADDRESS_BASE, number, dev->address);
    sim_yard_secret(st->scn, number, dev->secret);
}

static void give(struct st_device *dev)
{
    const struct sim_stepped *st = dev->st;
    dev->given = (struct sim_body_device){
        .run = &st->run,
        .number = dev->number,
        .unit = dev->unit,
        .group = dev->group,
        .folder = dev->folder,
        .flash = dev->flash_path,
        .address = dev->address,
        .secret = dev->secret,
        .broker_port = sim_rough_port(st->rough, dev->number, SIM_ROUGH_BROKER),
        .store_port = sim_rough_port(st->rough, dev->number, SIM_ROUGH_STORE),
        .events = {st_said, st_heard, st_stands, st_ended, st_dark, st_lost, st_mute, dev}};
}

int st_device_open(struct st_device *dev, uint32_t number, char *message, size_t len)
{
    struct sim_stepped *st = dev->st;
    describe(dev, st, number);
    int room = snprintf(dev->folder, sizeof dev->folder, "%.500s/%s", st->folder, dev->unit->id);
    snprintf(dev->flash_path, sizeof dev->flash_path, "%s/flash", dev->folder);
    if (room >= ST_FOLDER_MAX || mkdir(dev->folder, 0700) || open_flash(dev)) {
        snprintf(message, len, "%s: %s", dev->folder, strerror(errno));
        return -1;
    }
    give(dev);
    if (st->kind->open(st->kind_ctx, &dev->body, &dev->given, message, len))
        return -1;
    return make(dev, message, len);
}

void st_device_close(struct st_device *dev)
{
    dev->power = ST_OFF;
    dev->st->kind->close(dev->body);
    if (dev->file)
        munmap((void *)dev->file, dev->st->flash_bytes);
    if (dev->flash.leaf)
        sim_flash_free(&dev->flash);
    if (dev->flash_fd >= 0)
        close(dev->flash_fd);
    free(dev->bootloader);
}
