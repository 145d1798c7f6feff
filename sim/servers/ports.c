/* Free ports, and whose they are. */
#include "files.h"
#include "process.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PORT_FIRST = 10240, PORTS_TRIED_MAX = 4096 };

/* The first port that the kernel gives to clients. A server on one of those could lose it to any
 * client's connection while it is down; and a client that knocks meanwhile may meet itself. */
static uint32_t ephemeral_first(void)
{
    unsigned first = 32768;
    FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
    if (!file)
        return first;
    if (fscanf(file, "%u", &first) != 1 || first > 65536)
        first = 32768;
    fclose(file);
    return first;
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

/* 1 free, 0 not, -1 no socket could be made (errno). */
static int is_free(uint16_t port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    struct sockaddr_in address = loopback(port);
    int bound = bind(fd, (const struct sockaddr *)&address, sizeof address);
    close(fd);
    return bound == 0;
}

int sim_ports_pick(uint16_t *out, size_t count, char *message, size_t len)
{
    /* Processes begin at different places, so that they seldom pick the same port at once. */
    static uint32_t calls;
    uint32_t end = ephemeral_first();
    if (end < PORT_FIRST + 1000)
        end = 65536;
    uint32_t span = end - PORT_FIRST;
    uint32_t place = ((uint32_t)getpid() * 31 + calls++ * 199) % span;
    size_t found = 0;
    for (int tried = 0; found < count && tried < PORTS_TRIED_MAX; tried++) {
        uint16_t port = (uint16_t)(PORT_FIRST + (place + (uint32_t)tried) % span);
        int is = is_free(port);
        if (is < 0)
            return sim_fail(SIM_SERVERS_EPORT, message, len, "no socket to find a free port: %s",
                            strerror(errno));
        if (is)
            out[found++] = port;
    }
    if (found == count)
        return SIM_SERVERS_OK;
    return sim_fail(SIM_SERVERS_EPORT, message, len, "no free port on 127.0.0.1 among %d tried",
                    PORTS_TRIED_MAX);
}

static bool holds_socket(pid_t pid, uint64_t inode)
{
    char path[300], link[64], wanted[64];
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    snprintf(wanted, sizeof wanted, "socket:[%" PRIu64 "]", inode);
    DIR *entries = opendir(path);
    if (!entries)
        return false;
    bool found = false;
    for (const struct dirent *entry; !found && (entry = readdir(entries));) {
        snprintf(path, sizeof path, "/proc/%d/fd/%s", (int)pid, entry->d_name);
        ssize_t size = readlink(path, link, sizeof link - 1);
        if (size > 0) {
            link[size] = '\0';
            found = strcmp(link, wanted) == 0;
        }
    }
    closedir(entries);
    return found;
}

/* The socket that listens on 127.0.0.1:port, 0 for none. proc(5), "/proc/net/tcp": the address is
 * the 32-bit word in the machine's order, the state of a listener 0A. */
static uint64_t listener(FILE *table, uint16_t port)
{
    char line[256];
    rewind(table);
    while (fgets(line, sizeof line, table)) {
        unsigned address, local, state;
        uint64_t inode;
        if (sscanf(line, " %*u: %8X:%4X %*8X:%*4X %2X %*s %*s %*s %*s %*s %" SCNu64, &address,
                   &local, &state, &inode) == 4 &&
            address == htonl(INADDR_LOOPBACK) && local == port && state == 0x0A)
            return inode;
    }
    return 0;
}

enum sim_ports_owner sim_ports_owned(const uint16_t *ports, size_t count, uint16_t *which,
                                     pid_t pid)
{
    FILE *table = fopen("/proc/net/tcp", "re");
    if (!table)
        return SIM_PORTS_FREE;
    enum sim_ports_owner owner = SIM_PORTS_OWN;
    for (size_t i = 0; i < count && owner != SIM_PORTS_OTHER; i++) {
        uint64_t inode = listener(table, ports[i]);
        if (inode == 0) {
            owner = SIM_PORTS_FREE;
        } else if (!holds_socket(pid, inode)) {
            owner = SIM_PORTS_OTHER;
            *which = ports[i];
        }
    }
    fclose(table);
    return owner;
}
