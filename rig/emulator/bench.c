/* The bench: its folder, all relays and boards. */
#include "daemon_kit/control.h"
#include "emulator.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static const char READY[] = "ready", LOCK[] = "lock", CONTROL[] = "control";

static int fail(char *message, size_t len, const char *what, const char *why)
{
    snprintf(message, len, "%.400s: %s", what, why);
    return -1;
}

/* Two of them would take each other's names away. The lock goes with the process. */
static int take_folder(struct em *em, char *message, size_t len)
{
    const char *folder = em->options.folder;
    char owner[32] = "";
    if (mkdir(folder, 0777) && errno != EEXIST)
        return fail(message, len, folder, strerror(errno));
    em->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (em->folder >= 0)
        em->lock = openat(em->folder, LOCK, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (em->lock < 0)
        return fail(message, len, folder, strerror(errno));
    if (flock(em->lock, LOCK_EX | LOCK_NB)) {
        ssize_t got = read(em->lock, owner, sizeof owner - 1);
        owner[got > 0 ? got : 0] = '\0';
        snprintf(message, len,
                 "%.300s: another brickyard-emulator works there (process %.*s); end it, or take "
                 "another folder",
                 folder, (int)strspn(owner, "0123456789"), owner);
        close(em->lock);
        em->lock = -1;
        return -1;
    }
    unlinkat(em->folder, READY, 0);
    return ftruncate(em->lock, 0) || dprintf(em->lock, "%d\n", (int)getpid()) < 0
               ? fail(message, len, folder, strerror(errno))
               : 0;
}

static int open_control(struct em *em, char *message, size_t len)
{
    char path[PATH_MAX];
    const struct agent_kit_control_config config = {.loop = em->loop,
                                                    .path = path,
                                                    .clients = AGENT_KIT_CLIENTS_MAX,
                                                    .line_bytes = AGENT_KIT_LINE_MAX,
                                                    .too_long = "error: the line is too long",
                                                    .obey = em_obey,
                                                    .ctx = em};
    _Static_assert(EM_ANSWER_MAX == (int)AGENT_KIT_ANSWER_MAX, "an answer");
    int room = snprintf(path, sizeof path, "%s/%s", em->options.folder, CONTROL);
    if (room < (int)sizeof path && !agent_kit_control_open(&em->control, &config))
        return 0;
    return fail(message, len, path, strerror(errno));
}

static int say_ready(const struct em *em, char *message, size_t len)
{
    int fd = openat(em->folder, READY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || dprintf(fd, "%d\n", (int)getpid()) < 0 || close(fd))
        return fail(message, len, READY, strerror(errno));
    return 0;
}

/* Some ten descriptors a board. */
static void raise_limit(void)
{
    struct rlimit files;
    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static int open_all(struct em *em, char *message, size_t len)
{
    const struct em_options *options = &em->options;
    em_hub_open(&em->hub, em->loop);
    for (uint32_t i = 0; i < options->boards; i++)
        if (em_board_open(&em->board[i], em, i + 1, message, len))
            return -1;
    em->relays = (options->boards + options->channels - 1) / options->channels;
    for (uint32_t i = 0; i < em->relays; i++)
        if (em_relay_open(&em->relay[i], em, i + 1, message, len))
            return -1;
    return open_control(em, message, len);
}

static void close_contacts(struct em *em)
{
    for (uint32_t i = 0; i < em->options.boards; i++) {
        struct em_relay *relay = &em->relay[i / em->options.channels];
        em_contact_command(&relay->contact[i % em->options.channels], true);
    }
}

int em_open(struct em *em, const struct em_options *options, struct ev_loop *loop, char *message,
            size_t len)
{
    *em = (struct em){.options = *options, .loop = loop, .lock = -1, .folder = -1};
    em->turn = ev_iteration(loop) - 1;
    raise_limit();
    if (take_folder(em, message, len) || open_all(em, message, len))
        return -1;
    if (options->start_on)
        close_contacts(em);
    return say_ready(em, message, len);
}

void em_close(struct em *em)
{
    if (em->lock >= 0)
        unlinkat(em->folder, READY, 0);
    agent_kit_control_close(em->control);
    for (uint32_t i = 0; i < em->relays; i++)
        em_relay_close(&em->relay[i]);
    for (uint32_t i = 0; i < em->options.boards; i++)
        em_board_close(&em->board[i]);
    em_hub_close(&em->hub);
    if (em->lock >= 0)
        close(em->lock);
    if (em->folder >= 0)
        close(em->folder);
}
