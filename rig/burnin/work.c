/* Reading and checking all that a burn-in needs, before anything is touched. */
#include "work.h"
#include "daemon_kit/settings.h"
#include "rig/site.h"
#include "sim/world.h"
#include "wiring.h"
#include <errno.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const int64_t FOR_MAX_MS = INT64_C(400) * 86400000;

int bi_say(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "brickyard rig burnin: ");
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return code;
}

static bool number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *out)
{
    char *rest = NULL;
    if (!text)
        return true;
    errno = 0;
    *out = strtoull(text, &rest, 10);
    if (*text >= '0' && *text <= '9' && !*rest && !errno && *out >= min && *out <= max)
        return true;
    bi_say(0, "%s %s: accepted: a whole number from %llu to %llu", option, text,
           (unsigned long long)min, (unsigned long long)max);
    return false;
}

/* ---- Scenarios ---- */

static bool load(struct scn **out, const char *path, const struct bi_asked *asked, uint32_t devices)
{
    struct scn_messages messages = {0};
    const struct scn_overrides overrides = {
        .devices = devices, .sets = asked->sets, .set = (const char *const *)asked->set};
    int error = scn_load(out, path, &overrides, &messages);
    for (uint32_t i = 0; i < messages.count; i++)
        fprintf(stderr, "%s%s\n", messages.message[i].warning ? "warning: " : "",
                messages.message[i].text);
    return !error;
}

/* The candidate's image, whole. False with a message. */
static bool read_image(struct sim_artifact *out, const struct scn *scn, char *message, size_t len)
{
    *out = (struct sim_artifact){.from = scn_firmware_find(scn, scn->campaign.to)};
    if (*out->from->file)
        return !sim_world_read_image(out, scn, message, len);
    snprintf(
        message, len,
        "%.300s: firmware %s: made by seed, so that each cycle would have another one; accepted: "
        "file: an image",
        scn->path, scn->campaign.to);
    return false;
}

static void hash_hex(const struct sim_artifact *image, char out[65])
{
    uint8_t digest[SHA256_DIGEST_LENGTH];
    SHA256(image->bytes, image->len, digest);
    for (size_t i = 0; i < sizeof digest; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

static bool is_lab_alone(const struct scn *scn)
{
    bool lab = true;
    for (uint32_t g = 0; g < scn->groups; g++)
        lab &= scn->group[g].lab;
    return lab;
}

static bool check_scenario(const struct scn *scn, char *message, size_t len)
{
    uint32_t at;
    if (scn->campaign.orders) {
        snprintf(message, len,
                 "%.300s: operator: a burn-in has none, who could overrule a gate; accepted: no "
                 "operator:",
                 scn->path);
        return false;
    }
    if (is_lab_alone(scn) && bi_lab_phase(scn, &at))
        return !rig_site_refuse(scn, message, len);
    snprintf(
        message, len,
        "%.300s: it is no burn-in cycle; accepted: groups with lab: true only, and one lab phase",
        scn->path);
    return false;
}

/* What a scenario expects is right in its cycle: of the candidate that must be what Phase 0 wants,
 * no stop and no brick. */
static bool expects_to_pass(const struct scn *scn, char *message, size_t len)
{
    const struct scn_expect *expect = &scn->expect;
    bool stops = *expect->stopped_phase || *expect->stopped_metric ||
                 (expect->verdict != SCN_VERDICT_ANY && expect->verdict != SCN_VERDICT_PASS);
    if (!stops && !(expect->bricked.given && expect->bricked.max > 0))
        return true;
    snprintf(message, len,
             "%.300s: expect: the candidate %.30s would pass Phase 0 by what must stop it; "
             "accepted: verdict: pass, bricked: 0",
             scn->path, scn->campaign.to);
    return false;
}

static bool describe(struct bi_work *work, uint32_t at, char *message, size_t len)
{
    const struct scn *scn = work->scn[at];
    struct bi_identity *identity = &work->identity;
    struct bi_scenario *row = &identity->scenario[at];
    struct sim_artifact image;
    bool ok = check_scenario(scn, message, len) && read_image(&image, scn, message, len);
    if (!ok)
        return false;
    snprintf(row->path, sizeof row->path, "%s", scn->path);
    snprintf(row->name, sizeof row->name, "%s", scn->name);
    snprintf(row->version, sizeof row->version, "%s", scn->campaign.to);
    for (int i = 0; i < 16; i++)
        snprintf(row->hash + 2 * i, 3, "%02x", scn->content_hash[i]);
    hash_hex(&image, row->image_sha256);
    if (!at) {
        memcpy(identity->candidate, row->version, sizeof identity->candidate);
        memcpy(identity->image_sha256, row->image_sha256, sizeof identity->image_sha256);
        snprintf(identity->device_type, sizeof identity->device_type, "%s",
                 image.header.device_type);
    }
    free(image.bytes);
    row->is_candidate = !strcmp(row->image_sha256, identity->image_sha256);
    for (uint32_t g = 0; g < scn->groups && !at; g++)
        identity->boards += scn->group[g].count;
    if (row->is_candidate)
        bi_sum_gates(&work->sum, scn);
    return !row->is_candidate || expects_to_pass(scn, message, len);
}

/* Boards are the same ones in every cycle. */
static bool same_boards(const struct bi_work *work, uint32_t at, char *message, size_t len)
{
    uint32_t boards = 0;
    for (uint32_t g = 0; g < work->scn[at]->groups; g++)
        boards += work->scn[at]->group[g].count;
    if (boards == work->identity.boards)
        return true;
    snprintf(message, len,
             "%.300s: %u boards, and %.300s has %u; accepted: the same number (--devices)",
             work->scn[at]->path, boards, work->scn[0]->path, work->identity.boards);
    return false;
}

static int open_scenarios(struct bi_work *work, const struct bi_asked *asked)
{
    char message[1024];
    uint64_t devices = 0;
    if (!number("--devices", asked->devices, 1, RIG_BENCH_BOARDS_MAX, &devices))
        return BI_USAGE;
    work->identity.scenarios = asked->scenarios;
    for (uint32_t i = 0; i < asked->scenarios; i++) {
        if (!load(&work->scn[i], asked->scenario[i], asked, (uint32_t)devices))
            return BI_USAGE;
        if (!describe(work, i, message, sizeof message) ||
            !same_boards(work, i, message, sizeof message))
            return bi_say(BI_USAGE, "%s", message);
    }
    const char *lacks = bi_sum_lacks(&work->sum);
    if (lacks)
        return bi_say(BI_USAGE,
                      "Phase 0 has no gate for %s; accepted: scenarios of %s whose lab phases have "
                      "crash, telemetry_gap and command_ms (scenarios/burnin-update.yaml)",
                      lacks, work->identity.candidate);
    work->identity.seed = work->scn[0]->seed;
    return BI_OK;
}

/* ---- What each of them is, on this bench ---- */

/* A lab stands outside of faults that do not name it: such a cycle would cut nobody's power. */
static bool cuts_somebody(const struct sim_world *world, char *message, size_t len)
{
    const struct scn *scn = world->scn;
    uint64_t all = 0;
    const struct scn_fault *first = NULL;
    for (uint32_t f = 0; f < scn->faults; f++) {
        uint64_t scheduled, armed, fired;
        if (scn->fault[f].kind != SCN_FAULT_POWER_LOSS)
            continue;
        sim_faults_count(&world->faults, f, &scheduled, &armed, &fired);
        first = first ? first : &scn->fault[f];
        all += scheduled;
    }
    if (!first || all)
        return true;
    snprintf(message, len,
             "%.300s:%d:%d: faults: power_loss: no board is one of those that it is for, and no "
             "power would be cut; accepted: where: {group: LAB}, devices: a share of at least one",
             scn->path, first->line, first->column);
    return false;
}

/* No cycle has to be begun for what is so in each of them: counts of boards and faults are not
 * drawn. */
static bool fits_bench(const struct bi_work *work, uint32_t at, char *message, size_t len)
{
    struct sim_world world;
    bool fits = !sim_world_build(&world, work->scn[at], message, len) &&
                !rig_site_refuse_bench(work->bench, &world, message, len) &&
                cuts_somebody(&world, message, len);
    sim_world_free(&world);
    return fits;
}

static int check_bench(const struct bi_work *work)
{
    char message[1024];
    for (uint32_t i = 0; i < work->identity.scenarios; i++)
        if (!fits_bench(work, i, message, sizeof message))
            return bi_say(BI_USAGE, "%s", message);
    return BI_OK;
}

/* ---- The rest ---- */

/* What else decides how a cycle goes; a resume must have the same. */
static int note_options(struct bi_identity *out, const struct bi_asked *asked)
{
    size_t len =
        (size_t)snprintf(out->options, sizeof out->options, "devices=%s aim=%s x%s",
                         asked->devices ? asked->devices : "-", asked->aim ? asked->aim : "-",
                         asked->aimed_cuts ? asked->aimed_cuts : "0");
    for (uint32_t i = 0; i < asked->sets && len < sizeof out->options; i++)
        len +=
            (size_t)snprintf(out->options + len, sizeof out->options - len, " %s", asked->set[i]);
    return len < sizeof out->options ? BI_OK
                                     : bi_say(BI_USAGE,
                                              "--set, --aim: they are too long; "
                                              "accepted: %d characters in all",
                                              BI_OPTIONS_MAX);
}

static int read_wanted(struct bi_identity *out, const struct bi_asked *asked)
{
    uint64_t cycles = 0;
    if (asked->for_text && asked->cycles)
        return bi_say(BI_USAGE, "--for and --cycles: accepted: one of them");
    if (!asked->for_text && !asked->cycles && !asked->resume)
        return bi_say(BI_USAGE, "how long? accepted: --for 24h, or --cycles N");
    if (asked->for_text && (!agent_kit_read_duration(asked->for_text, &out->wanted_ms) ||
                            out->wanted_ms < 1000 || out->wanted_ms > FOR_MAX_MS))
        return bi_say(BI_USAGE, "--for %s: accepted: 1s to 400d, as 90s, 30m, 24h",
                      asked->for_text);
    if (!number("--cycles", asked->cycles, 1, 1000000, &cycles))
        return BI_USAGE;
    out->wanted_cycles = (uint32_t)cycles;
    return BI_OK;
}

static int read_aim(struct bi_work *work, const struct bi_asked *asked)
{
    char message[512];
    uint64_t cuts = 0;
    if (!number("--aimed-cuts", asked->aimed_cuts, 1, 10000, &cuts))
        return BI_USAGE;
    if (!asked->aim != !asked->aimed_cuts)
        return bi_say(BI_USAGE, "--aim, --aimed-cuts: accepted: both or none");
    if (!asked->aim)
        return BI_OK;
    if (rig_aim_read(&work->aim, asked->aim, message, sizeof message))
        return bi_say(BI_USAGE, "--aim: %s", message);
    work->aims = true;
    work->aimed_cuts = (uint32_t)cuts;
    return BI_OK;
}

int bi_work_open(struct bi_work *out, const struct bi_asked *asked)
{
    char message[1024];
    memset(out, 0, sizeof *out);
    bi_sum_init(&out->sum, &out->identity);
    int code = read_wanted(&out->identity, asked);
    if (!code)
        code = note_options(&out->identity, asked);
    if (!code)
        code = read_aim(out, asked);
    if (!code && rig_bench_read(&out->bench, asked->bench, message, sizeof message))
        code = bi_say(BI_USAGE, "%s", message);
    if (!code)
        code = open_scenarios(out, asked);
    if (!code && !number("--seed", asked->seed, 0, UINT64_MAX / 2, &out->identity.seed))
        code = BI_USAGE;
    if (!code)
        code = check_bench(out);
    if (code)
        return code;
    out->wiring = bi_wiring_of(out->bench);
    if (!out->wiring)
        return bi_say(BI_INFRASTRUCTURE_EXIT, "no memory");
    out->identity.wiring = out->wiring;
    snprintf(out->identity.bench, sizeof out->identity.bench, "%s", out->bench->name);
    bi_now(out->identity.begun);
    return BI_OK;
}

void bi_work_close(struct bi_work *work)
{
    for (uint32_t i = 0; i < BI_SCENARIOS_MAX; i++)
        if (work->scn[i])
            scn_free(work->scn[i]);
    if (work->aims)
        rig_aim_free(&work->aim);
    rig_bench_free(work->bench);
    free(work->wiring);
    bi_sum_free(&work->sum);
}

bool bi_work_image_is_same(const struct bi_work *work, uint32_t scenario, char *message, size_t len)
{
    struct sim_artifact image;
    char hex[65];
    bool read = read_image(&image, work->scn[scenario], message, len);
    if (read)
        hash_hex(&image, hex);
    free(image.bytes);
    if (!read || !strcmp(hex, work->identity.scenario[scenario].image_sha256))
        return read;
    snprintf(message, len, "%.300s: the image of %s was changed while the burn-in went on",
             work->scn[scenario]->path, work->scn[scenario]->campaign.to);
    return false;
}
