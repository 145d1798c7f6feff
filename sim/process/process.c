/* The daemon as a body of the stepped ground. */
#include "process_internal.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Beside the running program, so that both are of one build. */
static int find_program(struct sim_processes *ps, char *message, size_t len)
{
    char self[PW_PATH_MAX] = "";
    if (ps->program_given) {
        snprintf(ps->program, sizeof ps->program, "%s", ps->program_given);
    } else {
        ssize_t got = readlink("/proc/self/exe", self, sizeof self - 16);
        char *slash = got > 0 ? strrchr(self, '/') : NULL;
        if (slash)
            snprintf(ps->program, sizeof ps->program, "%.*s/ota-agent", (int)(slash - self), self);
    }
    if (!access(ps->program, X_OK))
        return 0;
    snprintf(message, len,
             "%s: %s; the world `process` runs the daemon that lies beside brickyard: build it "
             "(ninja -C build ota-agent), or copy it there",
             ps->program, strerror(errno));
    return -1;
}

static int check(void *ctx, const struct sim_world *world, char *message, size_t len)
{
    return find_program(ctx, message, len) || sim_processes_refuse(world->scn, message, len) ? -1
                                                                                             : 0;
}

static int begin(void *ctx, const struct sim_body_run *run, char *message, size_t len)
{
    (void)ctx;
    return pw_put_keys(run, message, len);
}

static void end(void *ctx)
{
    (void)ctx;
}

static int open_body(void *ctx, struct sim_body **out, const struct sim_body_device *device,
                     char *message, size_t len)
{
    struct sim_body *body = *out = calloc(1, sizeof *body);
    if (!body) {
        snprintf(message, len, "no memory for %s", device->unit->id);
        return -1;
    }
    body->ps = ctx;
    body->given = device;
    body->output = body->record_fd = -1;
    return 0;
}

static void close_body(struct sim_body *body)
{
    if (!body)
        return;
    pw_off(body);
    if (body->record_fd >= 0)
        close(body->record_fd);
    free(body);
}

/* ---- The operation record ---- */

static bool read_record(struct sim_body *body, struct agent_op *op)
{
    char path[PW_PATH_MAX];
    if (body->record_fd < 0) { /* the daemon makes it at its first start */
        snprintf(path, sizeof path, "%s/flash.op", body->given->folder);
        body->record_fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    return body->record_fd >= 0 &&
           pread(body->record_fd, body->record, AGENT_OP_BYTES, 0) == (ssize_t)AGENT_OP_BYTES &&
           agent_op_decode(op, body->record);
}

static bool last_op(struct sim_body *body, struct sim_body_op *out)
{
    struct agent_op op;
    if (!read_record(body, &op) || op.kind == AGENT_OP_NONE)
        return false;
    bool erase = op.kind == AGENT_OP_ERASE;
    *out =
        (struct sim_body_op){.number = op.number,
                             .in_progress = op.in_progress,
                             .call = {.kind = erase ? SIM_FLASH_ERASE : SIM_FLASH_PROGRAM,
                                      .addr = op.addr,
                                      .len = op.len,
                                      .data = erase ? NULL : body->record + AGENT_OP_HEAD_BYTES}};
    return true;
}

/* ---- The kind ---- */

static int report(void *ctx, struct rep_result *result)
{
    const struct sim_processes *ps = ctx;
    return rep_fact_add(result, "daemon memory", "%" PRIu64 " bytes at the most", ps->rss_max);
}

const struct sim_body_kind sim_processes_body = {
    .name = "process",
    .what = "ota-agent",
    .devices = "processes",
    .cuts = "SIGKILLs",
    .faults = "power_loss, corrupt_download, network_drop, broker_down, cdn_down, boot_failure, "
              "service_restart",
    .starting_max = 32,
    /* Measured: 13 MB resident in a download, of which libraries are shared. Its output and its
     * operation record are open here. */
    .needs = {.memory_bytes = 13 << 20, .descriptors = 2, .processes = 1},
    .check = check,
    .begin = begin,
    .end = end,
    .open = open_body,
    .close = close_body,
    .ail = pw_configure,
    .on = pw_on,
    .off = pw_off,
    .go_on = pw_go_on,
    .look = pw_look,
    .read = pw_read,
    .ask_to_end = pw_ask_to_end,
    .last_op = last_op,
    .report = report,
};

int sim_processes_create(struct sim_processes **out, const struct scn *scn, const char *program)
{
    struct sim_processes *ps = *out = calloc(1, sizeof *ps);
    if (ps && !sim_stepped_create(&ps->stepped, scn, &sim_processes_body, ps)) {
        ps->program_given = program;
        return 0;
    }
    free(ps);
    *out = NULL;
    return -1;
}

void sim_processes_free(struct sim_processes *processes)
{
    if (!processes)
        return;
    sim_stepped_free(processes->stepped);
    free(processes);
}

const struct sim_ground *sim_processes_ground(struct sim_processes *processes)
{
    return sim_stepped_ground(processes->stepped);
}
