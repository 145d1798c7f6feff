/* `brickyard-emulator`: a bench without hardware, until SIGTERM. */
#include "daemon_kit/settings.h"
#include "emulator.h"
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: brickyard-emulator --folder DIR --boards N [--rom FILE] [--seed N]\n"
    "                          [--relay lcus|lcus-talking] [--channels 1..8]\n"
    "                          [--contact 5ms..15ms]\n"
    "                          [--torn any|before|nothing|prefix|suffix|random|unstable|after]\n"
    "                          [--start-on]\n"
    "Relay boards on ptys, and QEMU boards whose power goes through their contacts;\n"
    "runs until SIGTERM. rig/emulator/README.md tells what is in DIR.\n";

static const struct option known[] = {{"folder", required_argument, NULL, 'f'},
                                      {"boards", required_argument, NULL, 'b'},
                                      {"rom", required_argument, NULL, 'r'},
                                      {"seed", required_argument, NULL, 's'},
                                      {"relay", required_argument, NULL, 'k'},
                                      {"channels", required_argument, NULL, 'c'},
                                      {"contact", required_argument, NULL, 'd'},
                                      {"torn", required_argument, NULL, 't'},
                                      {"start-on", no_argument, NULL, 'o'},
                                      {"help", no_argument, NULL, 'h'},
                                      {NULL, 0, NULL, 0}};

enum { CONTACT_MS_MAX = 10000 };

static bool read_range(uint64_t *out, const char *text, uint64_t min, uint64_t max)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && !errno && *out >= min && *out <= max;
}

static bool read_small(uint32_t *out, const char *text, uint32_t min, uint32_t max)
{
    uint64_t value;
    bool read = read_range(&value, text, min, max);
    *out = (uint32_t)value;
    return read;
}

/* "5ms..15ms", or one time. */
static bool read_contact(struct em_options *options, const char *text)
{
    char first[32];
    const char *dots = strstr(text, "..");
    int64_t min, max;
    size_t len = dots ? (size_t)(dots - text) : strlen(text);
    if (len >= sizeof first)
        return false;
    snprintf(first, sizeof first, "%.*s", (int)len, text);
    if (!agent_kit_read_duration(first, &min) ||
        !agent_kit_read_duration(dots ? dots + 2 : first, &max) || min > max ||
        max > CONTACT_MS_MAX)
        return false;
    options->contact_ms_min = (uint32_t)min;
    options->contact_ms_max = (uint32_t)max;
    return true;
}

static bool read_torn(struct em_options *options, const char *text)
{
    for (int form = SCN_TORN_ANY; form < SCN_TORNS; form++)
        if (!strcmp(text, scn_torn_name(form))) {
            options->torn = (enum scn_torn)form;
            return true;
        }
    return false;
}

static bool read_relay(struct em_options *options, const char *text)
{
    options->talking = !strcmp(text, "lcus-talking");
    return options->talking || !strcmp(text, "lcus");
}

static bool read_option(struct em_options *options, int option, const char *text)
{
    switch (option) {
    case 'f':
        options->folder = text;
        return *text;
    case 'b':
        return read_small(&options->boards, text, 1, EM_BOARDS_MAX);
    case 'r':
        options->rom = text;
        return *text;
    case 's':
        return read_range(&options->seed, text, 0, INT64_MAX);
    case 'k':
        return read_relay(options, text);
    case 'c':
        return read_small(&options->channels, text, 1, EM_CHANNELS_MAX);
    case 'd':
        return read_contact(options, text);
    case 't':
        return read_torn(options, text);
    default:
        options->start_on = true;
        return true;
    }
}

/* 0, or the exit code + 1. */
static int read_options(struct em_options *options, int argc, char **argv)
{
    int option, index = 0;
    *options = (struct em_options){
        .channels = EM_CHANNELS_MAX, .seed = 1, .contact_ms_min = 5, .contact_ms_max = 15};
    while ((option = getopt_long(argc, argv, "", known, &index)) != -1) {
        if (option == 'h') {
            fputs(usage, stdout);
            return 1;
        }
        if (option == '?' || !read_option(options, option, optarg)) {
            if (option != '?')
                fprintf(stderr, "brickyard-emulator: --%s: `%.80s` is none of what it takes\n",
                        known[index].name, optarg);
            fputs(usage, stderr);
            return 2;
        }
    }
    if (options->folder && options->boards && optind == argc)
        return 0;
    fprintf(stderr, "brickyard-emulator: --folder or --boards is missing, or there is more\n%s",
            usage);
    return 2;
}

/* The bootloader of the same build: this program is build/bin/brickyard-emulator. */
static int find_rom(struct em_options *options, char rom[PATH_MAX])
{
    static const char *const from_here[] = {"../board/rom.elf", "board/rom.elf"};
    char self[PATH_MAX - 32] = "";
    ssize_t got = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash = got > 0 ? strrchr(self, '/') : NULL;
    for (size_t i = 0; !options->rom && slash && i < 2; i++) {
        snprintf(rom, PATH_MAX, "%.*s/%s", (int)(slash - self), self, from_here[i]);
        if (!access(rom, R_OK))
            options->rom = rom;
    }
    if (options->rom && !access(options->rom, R_OK))
        return 0;
    fprintf(stderr,
            "brickyard-emulator: %s: there is no bootloader to run: build it (ninja -C build "
            "board_rom), or name one by --rom\n",
            options->rom ? options->rom : rom);
    return -1;
}

static void on_terminate(struct ev_loop *loop, ev_signal *signal, int events)
{
    (void)signal, (void)events;
    ev_break(loop, EVBREAK_ALL);
}

static int run(const struct em_options *options)
{
    static const int number[] = {SIGTERM, SIGINT, SIGHUP};
    static struct em em;
    ev_signal terminate[3];
    char message[EM_MESSAGE_MAX] = "";
    struct ev_loop *loop = ev_default_loop(0);
    if (!loop) {
        fputs("brickyard-emulator: no event loop\n", stderr);
        return 1;
    }
    for (int i = 0; i < 3; i++) {
        ev_signal_init(&terminate[i], on_terminate, number[i]);
        ev_signal_start(loop, &terminate[i]);
    }
    int error = em_open(&em, options, loop, message, sizeof message);
    if (error)
        fprintf(stderr, "brickyard-emulator: %s\n", message);
    else
        ev_run(loop, 0);
    em_close(&em);
    ev_loop_destroy(loop);
    return error ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct em_options options;
    char rom[PATH_MAX] = "";
    setvbuf(stderr, NULL, _IOLBF, 4096);
    signal(SIGPIPE, SIG_IGN);
    int wrong = read_options(&options, argc, argv);
    if (wrong)
        return wrong - 1;
    return find_rom(&options, rom) ? 1 : run(&options);
}
