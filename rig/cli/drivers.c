/* `brickyard rig drivers`: what the drivers' own tables say. */
#include "cli_internal.h"
#include <stdio.h>

static const char *kind_name(const struct rig_setting *setting)
{
    static const char *const names[] = {"text",     "path",         "path of a file with it",
                                        "number",   "true, false",  "",
                                        "duration", "list of texts"};
    return names[setting->kind];
}

static void print_setting(const struct rig_setting *setting)
{
    printf("    %-14s %s (%s", setting->key, setting->help ? setting->help : "",
           kind_name(setting));
    for (size_t i = 0; setting->choice && setting->choice[i]; i++)
        printf("%s%s", i ? ", " : "", setting->choice[i]);
    if (setting->kind == RIG_SETTING_NUMBER)
        printf(" %lld to %lld", (long long)setting->min, (long long)setting->max);
    if (setting->kind == RIG_SETTING_DURATION)
        printf(" %lldms to %lldms", (long long)setting->min, (long long)setting->max);
    if (setting->required)
        printf("; must be given");
    else if (setting->fallback)
        printf("; else %s", setting->fallback);
    printf(")\n");
}

static void print_driver(const struct rig_relay_driver *driver)
{
    printf("%s: %s\n", driver->name, driver->summary);
    if (driver->channel_first == driver->channel_last)
        printf("  channel %u", driver->channel_first);
    else
        printf("  channels %u to %u", driver->channel_first, driver->channel_last);
    printf("; %s%s%s\n", driver->get ? "read back" : "can't be read back",
           driver->pulse ? ", pulses timed by itself" : "", driver->level ? ", voltages" : "");
    for (const struct rig_setting *setting = driver->setting; setting->key; setting++)
        print_setting(setting);
}

static int drivers(const struct rig_cli_args *args, void *ctx)
{
    (void)args;
    (void)ctx;
    for (size_t i = 0; rig_relay_drivers[i]; i++) {
        if (i)
            putchar('\n');
        print_driver(rig_relay_drivers[i]);
    }
    return RIG_CLI_OK;
}

int rig_cli_drivers(int argc, char **argv)
{
    const struct rig_cli_form form = {.name = "drivers", .words = "", .run = drivers};
    return rig_cli_run(&form, argc, argv);
}
