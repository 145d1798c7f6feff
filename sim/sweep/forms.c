/* The forms of a cut by their names. */
#include "sim/sweep.h"
#include <string.h>

static const char *const name[SIM_SWEEP_FORMS] = {
    [SIM_SWEEP_BEFORE] = "before",     [SIM_SWEEP_NOTHING] = "nothing",
    [SIM_SWEEP_PREFIX] = "prefix",     [SIM_SWEEP_SUFFIX] = "suffix",
    [SIM_SWEEP_RANDOM] = "random",     [SIM_SWEEP_UNSTABLE] = "unstable",
    [SIM_SWEEP_AFTER] = "after",       [SIM_SWEEP_PIN] = "reset_pin",
    [SIM_SWEEP_WATCHDOG] = "watchdog", [SIM_SWEEP_BROWN_OUT] = "brown_out",
    [SIM_SWEEP_ROT] = "rot",           [SIM_SWEEP_STUCK] = "stuck",
    [SIM_SWEEP_WORN] = "worn",
};

const char *sim_sweep_form_name(int form)
{
    return form >= 0 && form < SIM_SWEEP_FORMS ? name[form] : "?";
}

static int find(const char *word, size_t len)
{
    for (int form = 0; form < SIM_SWEEP_FORMS; form++)
        if (strlen(name[form]) == len && !memcmp(name[form], word, len))
            return form;
    return -1;
}

bool sim_sweep_forms_parse(uint32_t *mask, const char *text, const char **bad, size_t *bad_len)
{
    *mask = 0;
    for (;; text++) {
        size_t len = strcspn(text, ",");
        int form = find(text, len);
        if (form < 0) {
            *bad = text;
            *bad_len = len;
            return false;
        }
        *mask |= 1u << form;
        text += len;
        if (!*text)
            return true;
    }
}
