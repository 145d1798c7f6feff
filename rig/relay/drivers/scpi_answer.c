/* What a SCPI supply answers. */
#include "answers.h"
#include "rig/port.h"
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Siglent SYSTem:STATus?: hexadecimal, bit 4 is CH1's output, bit 5 CH2's. */
static int status_bit(bool *on, uint32_t channel, const char *text)
{
    if (strncasecmp(text, "0x", 2) != 0 || !isxdigit((unsigned char)text[2]))
        return RIG_EANSWER;
    char *end;
    errno = 0;
    unsigned long status = strtoul(text, &end, 16);
    if (errno || *end || status > UINT32_MAX)
        return RIG_EANSWER;
    *on = status >> (3 + channel) & 1;
    return RIG_OK;
}

int rig_scpi_state(bool *on, enum rig_scpi_dialect dialect, uint32_t channel, const char *text)
{
    assert(on && text && channel >= 1 && channel <= 4);
    if (dialect == RIG_SCPI_SIGLENT)
        return status_bit(on, channel, text);
    bool yes = !strcasecmp(text, "ON") || !strcmp(text, "1");
    if (!yes && strcasecmp(text, "OFF") != 0 && strcmp(text, "0") != 0)
        return RIG_EANSWER;
    *on = yes;
    return RIG_OK;
}

int rig_scpi_error(const char *text)
{
    assert(text);
    const char *digits = text + (*text == '+' || *text == '-');
    if (!isdigit((unsigned char)*digits))
        return RIG_EANSWER;
    char *end;
    errno = 0;
    long code = strtol(text, &end, 10);
    if (errno || (*end && *end != ',' && *end != ' '))
        return RIG_EANSWER;
    return code ? RIG_EREFUSED : RIG_OK;
}
