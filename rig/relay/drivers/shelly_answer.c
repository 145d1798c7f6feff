/* What Shelly's RPC answers. */
#include "answers.h"
#include "rig/port.h"
#include <assert.h>
#include <jansson.h>
#include <stdio.h>

/* The result of the frame with this id. */
static int result_of(const json_t **result, const json_t *frame, uint32_t id, char *said,
                     size_t room)
{
    const json_t *its = json_object_get(frame, "id");
    if (!json_is_integer(its) || json_integer_value(its) != id)
        return RIG_EANSWER;
    const json_t *error = json_object_get(frame, "error");
    if (json_is_object(error)) {
        const json_t *words = json_object_get(error, "message");
        int n = snprintf(said, room, "%lld ",
                         (long long)json_integer_value(json_object_get(error, "code")));
        if (n > 0 && (size_t)n < room)
            rig_answer_quote(said + n, room - (size_t)n, json_string_value(words),
                             json_string_length(words));
        return RIG_EREFUSED;
    }
    *result = json_object_get(frame, "result");
    return json_is_object(*result) ? RIG_OK : RIG_EANSWER;
}

int rig_shelly_was_on(uint32_t id, const char *text, size_t len, char *said, size_t room)
{
    assert(text && said && room);
    const json_t *result = NULL;
    said[0] = '\0';
    json_t *frame = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    int error = result_of(&result, frame, id, said, room);
    if (!error && !json_is_boolean(json_object_get(result, "was_on")))
        error = RIG_EANSWER;
    json_decref(frame);
    return error;
}

int rig_shelly_output(bool *on, uint32_t channel, uint32_t id, const char *text, size_t len,
                      char *said, size_t room)
{
    assert(on && text && said && room);
    const json_t *result = NULL;
    said[0] = '\0';
    json_t *frame = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
    int error = result_of(&result, frame, id, said, room);
    if (!error) {
        const json_t *its = json_object_get(result, "id"), *output;
        output = json_object_get(result, "output");
        bool ours = json_is_integer(its) && json_integer_value(its) == channel;
        if (ours && json_is_boolean(output))
            *on = json_is_true(output);
        else
            error = RIG_EANSWER;
    }
    json_decref(frame);
    return error;
}
