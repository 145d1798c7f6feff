/* What Tasmota answers. */
#include "answers.h"
#include "rig/port.h"
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* A login that is missing comes with status 200, an unknown command too. */
static int complaint(const json_t *root, char *said, size_t room)
{
    const char *text = json_string_value(json_object_get(root, "WARNING"));
    if (text)
        rig_answer_quote(said, room, text, strlen(text));
    else if ((text = json_string_value(json_object_get(root, "Command"))))
        snprintf(said, room, "command %.20s", text);
    return text ? RIG_EREFUSED : RIG_EANSWER;
}

/* The state is ON or OFF, unless the user renamed them (StateText); then it is none of ours. */
static int power(bool *on, uint32_t channel, const json_t *in)
{
    char key[16];
    snprintf(key, sizeof key, "POWER%u", channel);
    const json_t *found = json_object_get(in, key);
    if (!found && channel == 1)
        found = json_object_get(in, "POWER");
    const char *state = json_string_value(found);
    if (!state || (strcmp(state, "ON") != 0 && strcmp(state, "OFF") != 0))
        return RIG_EANSWER;
    *on = state[1] == 'N';
    return RIG_OK;
}

static int read_answer(bool *on, uint32_t channel, const char *within, const char *text, size_t len,
                       char *said, size_t room)
{
    assert(on && text && said && room);
    said[0] = '\0';
    json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    int error = power(on, channel, within ? json_object_get(root, within) : root);
    if (error)
        error = complaint(root, said, room);
    json_decref(root);
    return error;
}

int rig_tasmota_power(bool *on, uint32_t channel, const char *text, size_t len, char *said,
                      size_t room)
{
    return read_answer(on, channel, NULL, text, len, said, room);
}

int rig_tasmota_status(bool *on, uint32_t channel, const char *text, size_t len, char *said,
                       size_t room)
{
    return read_answer(on, channel, "StatusSTS", text, len, said, room);
}
