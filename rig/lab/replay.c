/* A token in both worlds, and their stories side by side. */
#include "lab.h"
#include <stdlib.h>
#include <string.h>

/* A story in memory; NULL when there was no memory. The exit code, or -1 with a message. */
static int tell(char **story, const struct sim_sweep_options *options,
                const struct sim_sweep_token *token, char *message, size_t len)
{
    size_t bytes;
    FILE *out = open_memstream(story, &bytes);
    if (!out) {
        *story = NULL;
        snprintf(message, len, "replay: no memory");
        return -1;
    }
    int code = sim_sweep_replay(options, token, out, message, len);
    if (fclose(out)) {
        snprintf(message, len, "replay: no memory");
        code = -1;
    }
    return code;
}

static size_t line_of(const char *text)
{
    return strcspn(text, "\n");
}

/* The number of equal lines; *at, *other: the first pair that is not, NULL when all are. */
static uint32_t compare(const char *board, const char *simulator, const char **at,
                        const char **other)
{
    uint32_t lines = 0;
    while (*board && *simulator) {
        size_t len = line_of(board);
        if (len != line_of(simulator) || memcmp(board, simulator, len))
            break;
        board += len + (board[len] != 0);
        simulator += len + (simulator[len] != 0);
        lines++;
    }
    bool all = !*board && !*simulator;
    *at = all ? NULL : board;
    *other = all ? NULL : simulator;
    return lines;
}

static void tell_counts(FILE *out, const struct rig_lab_counts *from,
                        const struct rig_lab_counts *to)
{
    fprintf(out,
            "flash: %u sessions, %llu operations on the board, equal byte for byte; %llu reads "
            "and %llu verifications alike\n",
            to->sessions - from->sessions, (unsigned long long)(to->operations - from->operations),
            (unsigned long long)(to->reads - from->reads),
            (unsigned long long)(to->verifies - from->verifies));
}

/* Two stories and two codes, told. */
static int judge(FILE *out, const char *board, int code, const char *simulator, int simulated)
{
    const char *at, *other;
    uint32_t lines = compare(board, simulator, &at, &other);
    if (!at && code == simulated) {
        fprintf(out, "story: %u lines, the same in the simulator\n", lines);
        return code;
    }
    fprintf(out, "BROKEN: same_run: the simulator ends with exit code %d, and tells line %u so:\n",
            simulated, lines + 1);
    fprintf(out, "  board:     %.*s\n  simulator: %.*s\n", at ? (int)line_of(at) : 0, at ? at : "",
            other ? (int)line_of(other) : 0, other ? other : "");
    return 3;
}

int rig_lab_replay(struct rig_lab *lab, const struct sim_sweep_options *options,
                   const struct sim_sweep_token *token, FILE *out, char *message, size_t len)
{
    char *simulator = NULL, *board = NULL;
    struct sim_sweep_options here = *options, there = *options;
    const struct rig_lab_counts before = lab->counts;
    here.stand = NULL;
    there.stand = &lab->stand;
    lab->found = false;
    int simulated = tell(&simulator, &here, token, message, len);
    int code = simulated < 0 ? -1 : tell(&board, &there, token, message, len);
    if (code >= 0) {
        fputs(board, out);
        if (code != 8 && !lab->found) {
            tell_counts(out, &before, &lab->counts);
            code = judge(out, board, code, simulator, simulated);
        }
    }
    lab->session = NULL;
    lab_power_off(lab);
    free(simulator);
    free(board);
    return code;
}

static int failed(struct rig_lab *lab, char *message, size_t len)
{
    if (!*message)
        snprintf(message, len, "the board's crypto gives no answer");
    lab_power_off(lab);
    return -1;
}

/* On, and waiting for an order. */
static int wake(struct rig_lab *lab, char *message, size_t len)
{
    *message = 0;
    return lab->on && lab->at_rest ? 0 : lab_power_on(lab, message, len);
}

int rig_lab_verify(struct rig_lab *lab, const uint8_t public_key[65], const uint8_t hash[32],
                   const uint8_t *sig, uint32_t sig_len, int *answer, char *message, size_t len)
{
    int32_t result;
    if (wake(lab, message, len))
        return failed(lab, message, len);
    lab_begin(&lab->out, LAB_DO_VERIFY);
    lab_put(&lab->out, public_key, 65);
    lab_put(&lab->out, hash, 32);
    lab_put(&lab->out, sig, sig_len);
    struct lab_reader in = lab_order(lab, &result);
    if (!lab_read_all(&in))
        return failed(lab, message, len);
    *answer = result;
    return 0;
}

int rig_lab_hash(struct rig_lab *lab, const void *bytes, uint32_t bytes_len, uint32_t step,
                 uint8_t out[32], char *message, size_t len)
{
    int32_t result;
    if (bytes_len > lab->machine->flash_bytes || wake(lab, message, len))
        return failed(lab, message, len);
    memcpy(lab->buffer, bytes, bytes_len);
    lab->buffered = bytes_len;
    lab_begin(&lab->out, LAB_DO_HASH);
    lab_put32(&lab->out, bytes_len);
    lab_put16(&lab->out, step);
    struct lab_reader in = lab_order(lab, &result);
    lab_get_bytes(&in, out, 32);
    return lab_read_all(&in) ? 0 : failed(lab, message, len);
}
