/* The fleet, and what names devices of it. */
#include "check.h"
#include "number.h"
#include "share.h"
#include <string.h>

/* Ids of devices are made of so much of a group's name (sim/roster). */
enum { NAME_IN_ID = 20 };

static int check_group_name(struct scn_reader *r, uint32_t i)
{
    const struct scn_group *group = r->scn->group;
    for (uint32_t other = 0; other < i; other++)
        if (!strncmp(group[other].name, group[i].name, NAME_IN_ID))
            return scn_fail_at(r, scn_spot("fleet.%u.group", i),
                               strcmp(group[other].name, group[i].name)
                                   ? "'%s' begins like fleet.%u, and so would its devices' ids; "
                                     "accepted: another one in the first 20 characters"
                                   : "'%s' is also fleet.%u; accepted: a name of its own",
                               group[i].name, other);
    return SCN_OK;
}

static int check_group_firmware(struct scn_reader *r, uint32_t i)
{
    char list[200];
    const char *version = r->scn->group[i].firmware;
    if (scn_firmware_find(r->scn, version))
        return SCN_OK;
    scn_list_firmware(r->scn, list, sizeof list);
    return scn_fail_at(r, scn_spot("fleet.%u.firmware", i),
                       "'%s' is not under firmware; accepted: %s", version, list);
}

static void warn_empty_shares(struct scn_reader *r, uint32_t i, const char *key,
                              const struct scn_shares *shares)
{
    const struct scn_group *group = &r->scn->group[i];
    uint32_t count[SCN_SHARES_MAX];
    scn_shares_apportion(shares, group->count, count);
    for (uint32_t s = 0; s < shares->count; s++)
        if (!count[s])
            scn_warn_at(r, scn_spot("fleet.%u.%s", i, key),
                        "the share of '%s' is no device of %u; accepted: a larger share or count",
                        shares->share[s].name, group->count);
}

static void warn_group(struct scn_reader *r, uint32_t i)
{
    const struct scn_group *group = &r->scn->group[i];
    warn_empty_shares(r, i, "hw_revision", &group->hw_revision);
    warn_empty_shares(r, i, "link", &group->link);
    warn_empty_shares(r, i, "criticality", &group->criticality);
    if (group->sites > group->count)
        scn_warn_at(r, scn_spot("fleet.%u.sites", i), "%u sites for %u devices: some are empty",
                    group->sites, group->count);
}

int scn_check_fleet(struct scn_reader *r)
{
    uint64_t total = 0;
    bool field = false;
    for (uint32_t i = 0; i < r->scn->groups; i++) {
        int error = check_group_name(r, i);
        if (!error)
            error = check_group_firmware(r, i);
        if (error)
            return error;
        field = field || !r->scn->group[i].lab;
        total += r->scn->group[i].count;
        if (total > SCN_DEVICES_MAX)
            return scn_fail_at(r, scn_spot("fleet.%u.count", i),
                               "%llu devices up to here; accepted: at most %d in all groups",
                               (unsigned long long)total, SCN_DEVICES_MAX);
    }
    if (!field && !scn_labs_only(r->scn))
        return scn_fail_at(r, scn_spot("fleet"),
                           "every group is a lab; accepted: one group or more without lab: true, "
                           "or phases that are all lab: true (a burn-in)");
    for (uint32_t i = 0; i < r->scn->groups; i++)
        warn_group(r, i);
    return SCN_OK;
}

/* Whether a group has a site of this name: "lab", or site-01 and on. */
static bool group_has_site(const struct scn_group *group, const char *name)
{
    uint64_t number;
    char text[SCN_NAME_MAX];
    if (group->lab)
        return !strcmp(name, "lab");
    if (strncmp(name, "site-", 5) || !scn_u64_parse(name + 5, &number) || !number ||
        number > group->sites)
        return false;
    snprintf(text, sizeof text, "site-%02u", (unsigned)number);
    return !strcmp(text, name);
}

/* Of n devices, those that have this share. */
static uint32_t share_count(const struct scn_shares *shares, const char *name, uint32_t n)
{
    uint32_t count[SCN_SHARES_MAX];
    scn_shares_apportion(shares, n, count);
    for (uint32_t i = 0; i < shares->count; i++)
        if (!strcmp(shares->share[i].name, name))
            return count[i];
    return 0;
}

static uint32_t group_match(const struct scn_group *group, const struct scn_where *where)
{
    uint32_t n = group->count;
    if (where->group[0] && strcmp(where->group, group->name))
        return 0;
    if (where->site[0] && !group_has_site(group, where->site))
        return 0;
    if (where->site[0])
        n = (n + group->sites - 1) / group->sites;
    if (where->link[0])
        n = share_count(&group->link, where->link, n);
    if (where->criticality[0])
        n = share_count(&group->criticality, where->criticality, n);
    return n;
}

uint32_t scn_match_count(const struct scn *scn, const struct scn_where *where, bool labs)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < scn->groups; i++)
        if (labs || !scn->group[i].lab)
            count += group_match(&scn->group[i], where);
    return where->device[0] && count ? 1 : count;
}

static void list_groups(const struct scn *scn, bool labs, char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < scn->groups && len + 1 < size; i++)
        if (labs || !scn->group[i].lab)
            len += (size_t)snprintf(out + len, size - len, "%s%s", len ? ", " : "",
                                    scn->group[i].name);
}

static void list_sites(const struct scn *scn, bool labs, char *out, size_t size)
{
    uint32_t sites = 0;
    for (uint32_t i = 0; i < scn->groups; i++)
        if (!scn->group[i].lab && scn->group[i].sites > sites)
            sites = scn->group[i].sites;
    snprintf(out, size, sites > 1 ? "site-01..site-%02u%s" : "site-%02u%s", sites,
             labs && scn_has_lab(scn) ? ", lab" : "");
}

/* A single member of `where`: it alone must match something. */
static int check_member(struct scn_reader *r, const struct scn_spot *spot, const char *key,
                        const char *value, const struct scn_where *alone, const char *accepted,
                        bool labs)
{
    if (!value[0] || scn_match_count(r->scn, alone, labs))
        return SCN_OK;
    return scn_fail_at(r, scn_spot("%.120s.%s", spot->text, key),
                       "no device of the fleet has %s '%s'; accepted: %s", key, value, accepted);
}

static int check_device(struct scn_reader *r, const struct scn_spot *spot, const char *device)
{
    uint64_t index;
    uint32_t count = scn_fleet_count(r->scn, true);
    if (!scn_u64_parse(device, &index) || index < count)
        return SCN_OK;
    return scn_fail_at(r, scn_spot("%.120s.device", spot->text),
                       "there is no device %s; accepted: 0..%u, or an id", device, count - 1);
}

int scn_check_where(struct scn_reader *r, struct scn_spot spot, const struct scn_where *where,
                    bool labs)
{
    char list[240];
    struct scn_where site = {0}, link = {0}, group = {0}, criticality = {0};
    memcpy(site.site, where->site, sizeof site.site);
    memcpy(link.link, where->link, sizeof link.link);
    memcpy(group.group, where->group, sizeof group.group);
    memcpy(criticality.criticality, where->criticality, sizeof criticality.criticality);
    list_sites(r->scn, labs, list, sizeof list);
    int error = check_member(r, &spot, "site", where->site, &site, list, labs);
    list_groups(r->scn, labs, list, sizeof list);
    if (!error)
        error = check_member(r, &spot, "group", where->group, &group, list, labs);
    if (!error)
        error = check_member(r, &spot, "link", where->link, &link, "a link that a group has", labs);
    if (!error)
        error = check_member(r, &spot, "criticality", where->criticality, &criticality,
                             "a criticality that a group has", labs);
    if (!error)
        error = check_device(r, &spot, where->device);
    if (!error && !scn_match_count(r->scn, where, labs))
        error = scn_fail_at(r, spot, "no device of the fleet matches all of this");
    return error;
}
