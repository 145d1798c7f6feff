/* A device's words in our messages. */
#include "answers.h"
#include <assert.h>

void rig_answer_quote(char *out, size_t room, const char *text, size_t len)
{
    assert(out && room && (text || !len));
    size_t n = len < room ? len : room - 1;
    for (size_t i = 0; i < n; i++)
        out[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '.';
    out[n] = '\0';
}
