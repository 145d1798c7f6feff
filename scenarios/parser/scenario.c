#include "scn/scenario.h"
#include "check.h"
#include "key.h"
#include "override.h"
#include "source.h"
#include "yaml.h"
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

const char *scn_error_name(int error)
{
    static const char *const names[] = {"ok", "file", "syntax", "value", "too large", "memory"};
    int index = -error;
    return index >= 0 && index < (int)(sizeof names / sizeof names[0]) ? names[index] : "?";
}

static void hash_content(struct scn *scn, const char *bytes, size_t len)
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes, len));
    _Static_assert(sizeof canonical.digest <= sizeof scn->content_hash, "the hash fits");
    memcpy(scn->content_hash, canonical.digest, sizeof canonical.digest);
}

static int check(struct scn_reader *r)
{
    int error = scn_check_fleet(r);
    if (!error)
        error = scn_check_flash(r);
    if (!error)
        error = scn_check_campaign(r);
    if (!error)
        error = scn_check_faults(r);
    return error ? error : scn_check_expect(r);
}

/* The tree to the struct: overrides, keys, derived defaults, checks. */
static int build(struct scn_reader *r, const struct scn_overrides *overrides)
{
    int error = SCN_OK;
    if (!r->tree->root)
        return scn_fail_text(r, SCN_ESYNTAX, 1, 1,
                             "holds nothing; accepted: a scenario, see scenarios/README.md");
    if (overrides)
        error = scn_override_tree(r, overrides);
    if (!error)
        error = scn_read_map(r, NULL, r->tree->root, &scn_map_scenario, r->scn);
    if (!error && overrides && overrides->has_seed)
        r->scn->seed = overrides->seed;
    if (!error && overrides)
        error = scn_override_devices(r, overrides->devices);
    if (error)
        return error;
    scn_derive(r->scn);
    return check(r);
}

static int parse(struct scn_reader *r, const char *bytes, size_t len,
                 const struct scn_overrides *overrides)
{
    if (len > SCN_SOURCE_MAX)
        return scn_fail_text(r, SCN_ETOO_LARGE, 0, 0,
                             "larger than a scenario can be; accepted: at most 1MiB");
    int error = scn_source_check(r, bytes, len);
    if (!error)
        error = scn_yaml_parse(r, &r->tree->root, bytes, len, NULL);
    return error ? error : build(r, overrides);
}

int scn_parse(struct scn **out, const char *name, const char *bytes, size_t len,
              const struct scn_overrides *overrides, struct scn_messages *messages)
{
    struct scn_messages unread = {0};
    struct scn_tree tree = {0};
    struct scn_reader r = {name, messages ? messages : &unread, &tree, NULL};
    *out = NULL;
    r.scn = calloc(1, sizeof *r.scn);
    if (!r.scn)
        return scn_fail_memory(&r);
    snprintf(r.scn->path, sizeof r.scn->path, "%s", name);
    hash_content(r.scn, bytes, len);
    int error = parse(&r, bytes, len, overrides);
    scn_tree_free(&tree);
    if (error)
        scn_free(r.scn);
    else
        *out = r.scn;
    return error;
}

int scn_load(struct scn **out, const char *path, const struct scn_overrides *overrides,
             struct scn_messages *messages)
{
    struct scn_messages unread = {0};
    struct scn_reader r = {path, messages ? messages : &unread, NULL, NULL};
    char *bytes;
    size_t len;
    *out = NULL;
    int error = scn_source_read(&r, path, &bytes, &len);
    if (error)
        return error;
    error = scn_parse(out, path, bytes, len, overrides, messages);
    free(bytes);
    return error;
}

void scn_free(struct scn *scn)
{
    free(scn);
}

const struct scn_firmware *scn_firmware_find(const struct scn *scn, const char *version)
{
    for (uint32_t i = 0; i < scn->firmwares; i++)
        if (!strcmp(scn->firmware[i].version, version))
            return &scn->firmware[i];
    return NULL;
}
