/* Regular expressions: see pattern.h. */
#include "pattern.h"
#include "rig/console.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* Each about 1.3 ms of a 2 GHz core; heap in KiB. */
enum { STEPS_MAX = 40000, MATCH_MAX = 20000, DEPTH_MAX = 10000, HEAP_MAX_KIB = 8192 };
/* Any negative number that is none of PCRE2's own. */
enum { GIVEN_UP = -10000 };

struct rig_pattern {
    pcre2_code *code;
    pcre2_match_data *data;
    pcre2_match_context *context;
    unsigned steps;
};

static int count_step(pcre2_callout_block *block, void *ctx)
{
    struct rig_pattern *pattern = ctx;
    (void)block;
    return ++pattern->steps > STEPS_MAX ? GIVEN_UP : 0;
}

static int compile(struct rig_pattern *pattern, const char *text, char *message, size_t len)
{
    int error;
    PCRE2_SIZE at;
    pattern->code =
        pcre2_compile((PCRE2_SPTR)text, strlen(text),
                      PCRE2_AUTO_CALLOUT | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_DOLLAR_ENDONLY,
                      &error, &at, NULL);
    if (pattern->code)
        return RIG_OK;
    PCRE2_UCHAR why[128];
    pcre2_get_error_message(error, why, sizeof why);
    return rig_port_say(RIG_EOPEN, message, len,
                        "/%s/, byte %zu: %s; accepted: a regular expression (PCRE2)", text,
                        (size_t)at + 1, (const char *)why);
}

int rig_pattern_open(struct rig_pattern **out, const char *text, char *message, size_t len)
{
    struct rig_pattern *pattern = calloc(1, sizeof *pattern);
    *out = NULL;
    if (!pattern)
        return rig_port_say(RIG_EMEMORY, message, len, "no memory");
    int error = compile(pattern, text, message, len);
    if (!error) {
        pattern->context = pcre2_match_context_create(NULL);
        pattern->data = pcre2_match_data_create(1, NULL);
        if (!pattern->context || !pattern->data)
            error = rig_port_say(RIG_EMEMORY, message, len, "no memory");
    }
    if (error) {
        rig_pattern_close(pattern);
        return error;
    }
    pcre2_set_match_limit(pattern->context, MATCH_MAX);
    pcre2_set_depth_limit(pattern->context, DEPTH_MAX);
    pcre2_set_heap_limit(pattern->context, HEAP_MAX_KIB);
    pcre2_set_callout(pattern->context, count_step, pattern);
    *out = pattern;
    return RIG_OK;
}

void rig_pattern_close(struct rig_pattern *pattern)
{
    if (!pattern)
        return;
    pcre2_match_data_free(pattern->data);
    pcre2_match_context_free(pattern->context);
    pcre2_code_free(pattern->code);
    free(pattern);
}

enum rig_found rig_pattern_find(struct rig_pattern *pattern, const char *text, size_t len)
{
    pattern->steps = 0;
    int found =
        pcre2_match(pattern->code, (PCRE2_SPTR)text, len, 0, 0, pattern->data, pattern->context);
    if (found >= 0)
        return RIG_FOUND;
    return found == PCRE2_ERROR_NOMATCH ? RIG_FOUND_NOT : RIG_FOUND_GIVEN_UP;
}
