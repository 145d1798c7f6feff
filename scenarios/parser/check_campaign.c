/* The campaign: what it installs, and whether its phases cover anything; and what is expected of
 * it. */
#include "check.h"
#include "number.h"
#include "share.h"
#include <string.h>

static int check_version(struct scn_reader *r, const char *key, const char *version)
{
    char list[200];
    if (scn_firmware_find(r->scn, version))
        return SCN_OK;
    scn_list_firmware(r->scn, list, sizeof list);
    return scn_fail_at(r, scn_spot("campaign.%s", key), "'%s' is not under firmware; accepted: %s",
                       version, list);
}

static int check_versions(struct scn_reader *r)
{
    const struct scn_campaign *campaign = &r->scn->campaign;
    int error = check_version(r, "to", campaign->to);
    if (!error)
        error = check_version(r, "rollback_version", campaign->rollback_version);
    for (uint32_t i = 0; i < r->scn->groups && !error; i++)
        if (!strcmp(r->scn->group[i].firmware, campaign->to))
            error = scn_fail_at(r, scn_spot("campaign.to"),
                                "group '%s' runs %s already; accepted: another version than the "
                                "fleet's",
                                r->scn->group[i].name, campaign->to);
    return error;
}

static int check_phase_where(struct scn_reader *r, uint32_t i)
{
    const struct scn_phase *phase = &r->scn->campaign.phase[i];
    struct scn_where where = {0};
    memcpy(where.site, phase->where_site, sizeof where.site);
    memcpy(where.group, phase->where_group, sizeof where.group);
    memcpy(where.criticality, phase->where_criticality, sizeof where.criticality);
    if (!r->scn->campaign.standard_phases)
        return scn_check_where(r, scn_spot("campaign.phases.%u.where", i), &where, false);
    if (scn_match_count(r->scn, &where, false))
        return SCN_OK;
    return scn_fail_at(
        r, scn_spot("campaign.phases"),
        "'%s' takes devices of criticality %s and the fleet has none; accepted: some "
        "of them, or phases as a list",
        phase->name, phase->where_criticality);
}

/* Devices that are enrolled when this phase is complete. */
static uint32_t cumulative(const struct scn *scn, const struct scn_phase *phase, uint32_t before)
{
    uint32_t fleet = scn_fleet_count(scn, false);
    uint32_t count = phase->size == SCN_SIZE_SHARE   ? scn_ratio_ceil(phase->share, fleet)
                     : phase->size == SCN_SIZE_COUNT ? phase->count
                                                     : before + phase->devices_count;
    return count < fleet ? count : fleet;
}

/* A cohort is cumulative: a phase that does not ask for more than those before covers nothing. */
static int check_rise(struct scn_reader *r, uint32_t i, const struct scn_phase *before)
{
    const struct scn_phase *phase = &r->scn->campaign.phase[i];
    bool share = phase->size == SCN_SIZE_SHARE;
    const char *key = share ? "share" : "count";
    if (share && !phase->share.num)
        return scn_fail_at(r, scn_spot("campaign.phases.%u.share", i),
                           "'%s' covers nothing; accepted: more than 0%%", phase->name);
    if (!before || before->size != phase->size || phase->size == SCN_SIZE_DEVICES)
        return SCN_OK;
    if (share ? scn_ratio_compare(phase->share, before->share) > 0 : phase->count > before->count)
        return SCN_OK;
    return scn_fail_at(r, scn_spot("campaign.phases.%u.%s", i, key),
                       "'%s' covers nothing beyond '%s', because sizes are cumulative; accepted: "
                       "more than that phase",
                       phase->name, before->name);
}

static void warn_size(struct scn_reader *r, uint32_t i, uint32_t before, uint32_t now)
{
    const struct scn_phase *phase = &r->scn->campaign.phase[i];
    uint32_t fleet = scn_fleet_count(r->scn, false);
    struct scn_spot spot = r->scn->campaign.standard_phases ? scn_spot("campaign.phases")
                                                            : scn_spot("campaign.phases.%u", i);
    if (phase->size == SCN_SIZE_COUNT && phase->count > fleet)
        scn_warn_at(r, spot, "'%s' asks for %u of %u devices", phase->name, phase->count, fleet);
    else if (now <= before)
        scn_warn_at(r, spot, "'%s' adds no device to the %u before it", phase->name, before);
}

static int check_phase_name(struct scn_reader *r, uint32_t i)
{
    const struct scn_phase *phase = r->scn->campaign.phase;
    for (uint32_t other = 0; other < i; other++)
        if (!strcmp(phase[other].name, phase[i].name))
            return scn_fail_at(r, scn_spot("campaign.phases.%u.name", i),
                               "'%s' is also phase %u; accepted: a name of its own", phase[i].name,
                               other);
    return SCN_OK;
}

static int check_phases(struct scn_reader *r)
{
    const struct scn_campaign *campaign = &r->scn->campaign;
    const struct scn_phase *before = NULL;
    uint32_t enrolled = 0;
    int error = SCN_OK;
    for (uint32_t i = 0; i < campaign->phases && !error; i++) {
        const struct scn_phase *phase = &campaign->phase[i];
        error = check_phase_name(r, i);
        if (!error && phase->size == SCN_SIZE_LAB && !scn_has_lab(r->scn))
            error = scn_fail_at(r, scn_spot("campaign.phases.%u.lab", i),
                                "'%s' is a lab phase and the fleet has no lab; accepted: a group "
                                "with lab: true",
                                phase->name);
        if (error || phase->size == SCN_SIZE_LAB)
            continue;
        error = check_phase_where(r, i);
        if (!error)
            error = check_rise(r, i, before);
        if (error)
            break;
        uint32_t now = cumulative(r->scn, phase, enrolled);
        warn_size(r, i, enrolled, now);
        enrolled = now > enrolled ? now : enrolled;
        before = phase;
    }
    if (!error && !before && scn_fleet_count(r->scn, false))
        return scn_fail_at(r, scn_spot("campaign.phases"),
                           "the phases cover nothing but labs; accepted: one with share, count or "
                           "devices");
    return error;
}

/* The list reads as a story: an order that stands below another one was not given before it. */
static int check_orders(struct scn_reader *r)
{
    const struct scn_campaign *campaign = &r->scn->campaign;
    for (uint32_t i = 1; i < campaign->orders; i++) {
        char before[32];
        if (campaign->order[i].at_us >= campaign->order[i - 1].at_us)
            continue;
        scn_duration_text(before, sizeof before, campaign->order[i - 1].at_us);
        return scn_fail_at(r, scn_spot("campaign.operator.%u.at", i),
                           "it is before the order above it; accepted: %s or later", before);
    }
    return SCN_OK;
}

int scn_check_campaign(struct scn_reader *r)
{
    int error = check_versions(r);
    if (!error)
        error = check_phases(r);
    return error ? error : check_orders(r);
}

int scn_check_expect(struct scn_reader *r)
{
    const struct scn_expect *expect = &r->scn->expect;
    const struct scn_campaign *campaign = &r->scn->campaign;
    char list[300];
    size_t len = 0;
    if (!expect->stopped_phase[0])
        return SCN_OK;
    list[0] = '\0';
    for (uint32_t i = 0; i < campaign->phases; i++) {
        if (!strcmp(campaign->phase[i].name, expect->stopped_phase))
            return SCN_OK;
        if (len + 1 < sizeof list)
            len += (size_t)snprintf(list + len, sizeof list - len, "%s%s", len ? ", " : "",
                                    campaign->phase[i].name);
    }
    return scn_fail_at(r, scn_spot("expect.stopped_in"), "'%s' is not a phase; accepted: %s",
                       expect->stopped_phase, list);
}
