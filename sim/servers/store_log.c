/* Totals from the store's access.log; store.c says what its fields are. */
#include "files.h"
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

struct addresses {
    uint32_t *list;
    size_t count, room;
};

static bool remember(struct addresses *addresses, uint32_t address)
{
    /* A device's requests often come one after the other. */
    if (addresses->count && addresses->list[addresses->count - 1] == address)
        return true;
    if (addresses->count == addresses->room) {
        size_t room = addresses->room ? 2 * addresses->room : 1024;
        uint32_t *list = realloc(addresses->list, room * sizeof *list);
        if (!list)
            return false;
        addresses->list = list;
        addresses->room = room;
    }
    addresses->list[addresses->count++] = address;
    return true;
}

static int by_value(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static uint64_t distinct(struct addresses *addresses)
{
    uint64_t count = 0;
    if (addresses->count)
        qsort(addresses->list, addresses->count, sizeof addresses->list[0], by_value);
    for (size_t i = 0; i < addresses->count; i++)
        count += i == 0 || addresses->list[i] != addresses->list[i - 1];
    return count;
}

enum line { LINE_COUNTED, LINE_ALIEN, LINE_NO_MEMORY };

static enum line count_line(struct sim_store_totals *out, struct addresses *addresses,
                            const char *line)
{
    unsigned status;
    uint64_t bytes;
    char address[INET_ADDRSTRLEN], protocol[16];
    struct in_addr number;
    if (sscanf(line, "%*[0-9.]\t%3u\t%" SCNu64 "\t%15[0-9.]\t%15[^\t]", &status, &bytes, address,
               protocol) != 4 ||
        status >= sizeof out->status / sizeof out->status[0] ||
        inet_pton(AF_INET, address, &number) != 1)
        return LINE_ALIEN;
    out->requests++;
    out->status[status]++;
    if (status == 200 || status == 206)
        out->file_bytes += bytes;
    out->tls13 += strcmp(protocol, "TLSv1.3") == 0;
    return remember(addresses, number.s_addr) ? LINE_COUNTED : LINE_NO_MEMORY;
}

static int count_lines(struct sim_store_totals *out, struct addresses *addresses, FILE *log,
                       const char *path, char *message, size_t len)
{
    char *line = NULL;
    size_t room = 0;
    enum line got = LINE_COUNTED;
    uint64_t number = 0;
    for (ssize_t size; got == LINE_COUNTED && (size = getline(&line, &room, log)) > 0;) {
        if (line[size - 1] != '\n')
            break; /* still being written */
        number++;
        got = count_line(out, addresses, line);
    }
    free(line);
    if (got == LINE_ALIEN)
        return sim_fail(SIM_SERVERS_EIO, message, len, "%s:%" PRIu64 ": no line of ours", path,
                        number);
    if (got == LINE_NO_MEMORY)
        return sim_fail(SIM_SERVERS_EIO, message, len, "%s: no memory", path);
    return SIM_SERVERS_OK;
}

int sim_store_totals(const struct sim_store *store, struct sim_store_totals *out, char *message,
                     size_t len)
{
    char path[SIM_PKI_PATH_MAX];
    struct addresses addresses = {.list = NULL};
    memset(out, 0, sizeof *out);
    sim_path_join(path, store->folder, "access.log");
    FILE *log = fopen(path, "re");
    if (!log)
        return sim_fail(SIM_SERVERS_EIO, message, len, "%s: %s", path, strerror(errno));
    int error = count_lines(out, &addresses, log, path, message, len);
    fclose(log);
    out->addresses = distinct(&addresses);
    free(addresses.list);
    return error;
}
