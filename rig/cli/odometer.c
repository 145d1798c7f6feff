/* `brickyard rig odometer`: a contact's cycles; and from nought, when its relay was changed. */
#include "cli_internal.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int find(const struct rig_bench *bench, const char *name, const char *channel_text,
                const struct rig_bench_controller **controller, uint32_t *channel)
{
    char *end;
    unsigned long value = strtoul(channel_text, &end, 10);
    *controller = NULL;
    for (uint32_t i = 0; i < bench->controllers; i++)
        if (!strcmp(bench->controller[i].name, name))
            *controller = &bench->controller[i];
    if (!*controller) {
        fprintf(stderr, "brickyard rig odometer: %s has no controller '%s'; accepted:", bench->file,
                name);
        for (uint32_t i = 0; i < bench->controllers; i++)
            fprintf(stderr, "%s %s", i ? "," : "", bench->controller[i].name);
        fputc('\n', stderr);
        return RIG_CLI_USAGE;
    }
    const struct rig_relay_driver *driver = (*controller)->driver;
    if (*channel_text < '0' || *channel_text > '9' || *end || value < driver->channel_first ||
        value > driver->channel_last)
        return rig_cli_say("odometer", RIG_CLI_USAGE, "'%s'; accepted: channel %u to %u",
                           channel_text, driver->channel_first, driver->channel_last);
    *channel = (uint32_t)value;
    return RIG_CLI_OK;
}

static int show(const struct rig_bench *bench, const struct rig_bench_controller *controller,
                uint32_t channel, bool is_new)
{
    char path[PATH_MAX], message[1024];
    struct rig_odometer *odometer;
    uint64_t cycles = 0;
    if (rig_bench_make_state(bench, message, sizeof message))
        return rig_cli_say("odometer", RIG_CLI_USAGE, "%s", message);
    if (snprintf(path, sizeof path, "%s/rig.db", bench->state) >= (int)sizeof path ||
        rig_odometer_open(&odometer, path, message, sizeof message))
        return rig_cli_say("odometer", RIG_CLI_INFRASTRUCTURE, "%s", message);
    int error = rig_odometer_read(odometer, controller->name, channel, &cycles);
    if (!error && is_new)
        error = rig_odometer_reset(odometer, controller->name, channel);
    rig_odometer_close(odometer);
    if (error)
        return rig_cli_say("odometer", RIG_CLI_INFRASTRUCTURE, "%s: %s", path,
                           rig_error_name(error));
    printf("%s channel %u: %llu cycles%s\n", controller->name, channel, (unsigned long long)cycles,
           is_new ? "; counted from 0 now" : "");
    return RIG_CLI_OK;
}

static int odometer(const struct rig_cli_args *args, void *ctx)
{
    struct rig_cli_seat seat = {0};
    const struct rig_bench_controller *controller;
    uint32_t channel = 0;
    int code = rig_cli_open(&seat, "odometer", args);
    if (!code)
        code = find(seat.bench, args->word[0], args->word[1], &controller, &channel);
    if (!code)
        code = show(seat.bench, controller, channel, *(int *)ctx);
    rig_cli_leave(&seat);
    return code;
}

int rig_cli_odometer(int argc, char **argv)
{
    int is_new = 0;
    const struct poptOption own[] = {
        {"new-relay", 0, POPT_ARG_NONE, &is_new, 0, "it was changed: counts from 0", NULL},
        POPT_TABLEEND};
    const struct rig_cli_form form = {.name = "odometer",
                                      .words = "CONTROLLER CHANNEL",
                                      .least = 2,
                                      .most = 2,
                                      .option = own,
                                      .run = odometer,
                                      .ctx = &is_new};
    return rig_cli_run(&form, argc, argv);
}
