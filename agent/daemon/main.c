/* `ota-agent`: the device daemon, its factory and the client of its control socket. */
#include "control.h"
#include "daemon.h"
#include "ending.h"
#include "session.h"
#include <getopt.h>
#include <string.h>

static const char usage[] =
    "usage: ota-agent --config FILE                   run the device until SIGTERM\n"
    "       ota-agent --config FILE --check           only read the configuration\n"
    "       ota-agent --config FILE --control ORDER   status | apply | defer SECONDS | retry |\n"
    "                                                 rollback | ping, to the running daemon\n"
    "       ota-agent --config FILE --factory IMAGE.bin --signature SIG --cert-id ID [--force]\n"
    "                                                 write a factory flash\n";

struct options {
    const char *config, *control;
    struct agent_factory factory;
    bool check, help;
};

static const struct option known[] = {
    {"config", required_argument, NULL, 'c'},
    {"control", required_argument, NULL, 'o'},
    {"factory", required_argument, NULL, 'f'},
    {"signature", required_argument, NULL, 's'},
    {"cert-id", required_argument, NULL, 'i'},
    {"force", no_argument, NULL, 'F'},
    {"check", no_argument, NULL, 'k'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

static int take(struct options *out, int option)
{
    switch (option) {
    case 'c':
        out->config = optarg;
        return 0;
    case 'o':
        out->control = optarg;
        return 0;
    case 'f':
        out->factory.image = optarg;
        return 0;
    case 's':
        out->factory.signature = optarg;
        return 0;
    case 'i':
        out->factory.cert_id = optarg;
        return 0;
    case 'F':
        out->factory.force = true;
        return 0;
    case 'k':
        out->check = true;
        return 0;
    case 'h':
        out->help = true;
        return 0;
    default:
        return -1;
    }
}

static int complain(const char *what)
{
    fprintf(stderr, "ota-agent: %s\n%s", what, usage);
    return AGENT_EXIT_ERROR;
}

static int read_options(struct options *out, int argc, char **argv)
{
    int option;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1)
        if (take(out, option))
            return complain("see above"); /* getopt said what */
    if (out->help)
        return 0;
    if (optind < argc)
        return complain("an argument that belongs to no option");
    if (!out->config)
        return complain("--config is missing");
    const struct agent_factory *factory = &out->factory;
    if (factory->image ? !factory->signature || !factory->cert_id
                       : factory->signature || factory->cert_id || factory->force)
        return complain("--factory, --signature and --cert-id go together");
    if ((factory->image != NULL) + (out->control != NULL) + out->check > 1)
        return complain("one of --factory, --control and --check at a time");
    return 0;
}

static int make_factory(const struct agent_settings *settings, const struct agent_log *log,
                        const struct agent_factory *factory)
{
    char message[AGENT_MESSAGE_MAX] = "";
    if (agent_factory_make(settings, log, factory, message)) {
        fprintf(stderr, "ota-agent: %s\n", message);
        return AGENT_EXIT_ERROR;
    }
    return AGENT_EXIT_OK;
}

static int control(const struct agent_settings *settings, const char *order)
{
    if (settings->control_socket[0])
        return agent_control_ask(settings->control_socket, order);
    fprintf(stderr, "ota-agent: control.socket is not configured\n");
    return AGENT_EXIT_ERROR;
}

int main(int argc, char **argv)
{
    static struct agent_settings settings;
    struct options options = {0};
    char message[AGENT_MESSAGE_MAX] = "";
    agent_ending_inherit();
    setvbuf(stderr, NULL, _IOLBF, 4096);
    if (read_options(&options, argc, argv))
        return AGENT_EXIT_ERROR;
    if (options.help) {
        fputs(usage, stdout);
        return AGENT_EXIT_OK;
    }
    if (agent_settings_read(&settings, options.config, message)) {
        fprintf(stderr, "%s\n", message);
        return AGENT_EXIT_ERROR;
    }
    const struct agent_log log = {stderr, settings.device_id,
                                  (enum agent_log_level)settings.log_level};
    if (options.check || options.control || options.factory.image)
        agent_ending_hold(false);
    if (options.check)
        return AGENT_EXIT_OK;
    if (options.control)
        return control(&settings, options.control);
    if (options.factory.image)
        return make_factory(&settings, &log, &options.factory);
    return agent_daemon_run(&settings, &log, argv);
}
