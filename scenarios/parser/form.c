#include "form.h"
#include "names.h"
#include "number.h"
#include <string.h>

static const char *skip_spaces(const char *text)
{
    return text + strspn(text, " ");
}

/* The comparison at the start of a text, -1 when there is none; the longer sign first. */
static int compare_read(const char **text)
{
    static const int order[] = {SCN_LESS_EQUAL, SCN_MORE_EQUAL, SCN_LESS, SCN_MORE};
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        const char *sign = scn_names_get(&scn_names_compare, order[i]);
        if (!strncmp(*text, sign, strlen(sign))) {
            *text = skip_spaces(*text + strlen(sign));
            return order[i];
        }
    }
    return -1;
}

static bool command_limit(struct scn_gate *gate, const char *text)
{
    int64_t us;
    if (!scn_duration_parse(text, &us) || us <= 0 || us % 1000 || us > INT64_C(3600000000))
        return false;
    gate->limit_value = (uint32_t)(us / 1000);
    gate->limit = (struct scn_ratio){0, 1};
    return true;
}

bool scn_gate_parse(struct scn_gate *gate)
{
    const char *text = skip_spaces(gate->text);
    int compare = compare_read(&text);
    if (compare < 0)
        return false;
    gate->compare = (enum scn_compare)compare;
    if (gate->metric == SCN_METRIC_COMMAND_MS)
        return command_limit(gate, text);
    struct scn_ratio limit, most = {1, 1};
    if (gate->metric == SCN_METRIC_MEMORY || gate->metric == SCN_METRIC_CPU)
        most.num = 10;
    if (!scn_ratio_parse(text, &limit) || limit.num < 0 || scn_ratio_compare(limit, most) > 0)
        return false;
    gate->limit = limit;
    gate->limit_value = 0;
    return true;
}

/* HH:MM as a minute of the day, -1 when it is none. */
static int minute_read(const char **text)
{
    static const char form[] = "00:00";
    int part[2] = {0, 0};
    for (int i = 0; i < 5; i++, (*text)++) {
        if (form[i] == ':' && **text != ':')
            return -1;
        if (form[i] == ':')
            continue;
        if (**text < '0' || **text > '9')
            return -1;
        part[i > 2] = part[i > 2] * 10 + (**text - '0');
    }
    return part[0] < 24 && part[1] < 60 ? part[0] * 60 + part[1] : -1;
}

bool scn_window_ok(const char *text)
{
    static const char *const days[] = {"daily", "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    size_t len = strcspn(text, " ");
    bool day = false;
    for (size_t i = 0; i < sizeof days / sizeof days[0]; i++)
        day = day || (strlen(days[i]) == len && !strncmp(text, days[i], len));
    if (!day || text[len] != ' ')
        return false;
    text += len + 1;
    int start = minute_read(&text);
    if (start < 0 || *text++ != '-')
        return false;
    int end = minute_read(&text);
    return end >= 0 && end != start && (!strcmp(text, " UTC") || !strcmp(text, " local"));
}

static bool is_letter_or_digit(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool scn_word_ok(const char *text)
{
    if (!is_letter_or_digit(*text))
        return false;
    for (; *text; text++)
        if (!is_letter_or_digit(*text) && !strchr("._-", *text))
            return false;
    return true;
}

/* A number without a leading zero. */
static bool version_number(const char **text)
{
    size_t digits = strspn(*text, "0123456789");
    bool ok = digits > 0 && digits < 10 && (digits == 1 || **text != '0');
    *text += digits;
    return ok;
}

/* Identifiers of letters, digits and '-', with single dots between them, up to an end. */
static bool version_identifiers(const char **text, const char *ends)
{
    size_t len = 0;
    for (; **text && !strchr(ends, **text); (*text)++) {
        if (**text == '.' ? len == 0 : !is_letter_or_digit(**text) && **text != '-')
            return false;
        len = **text == '.' ? 0 : len + 1;
    }
    return len > 0;
}

bool scn_version_ok(const char *text)
{
    for (int i = 0; i < 3; i++)
        if ((i && *text++ != '.') || !version_number(&text))
            return false;
    if (*text == '-' && (text++, !version_identifiers(&text, "+")))
        return false;
    if (*text == '+' && (text++, !version_identifiers(&text, "")))
        return false;
    return !*text;
}

static bool whole_read(const char *text, size_t len, int64_t *out)
{
    char digits[16];
    uint64_t value;
    if (!len || len >= sizeof digits)
        return false;
    memcpy(digits, text, len);
    digits[len] = '\0';
    if (!scn_u64_parse(digits, &value))
        return false;
    *out = (int64_t)value;
    return true;
}

static bool range_of_compare(int compare, int64_t value, struct scn_expect_range *out)
{
    out->min = 0;
    out->max = INT64_MAX;
    if (compare == SCN_MORE || compare == SCN_MORE_EQUAL)
        out->min = value + (compare == SCN_MORE);
    else
        out->max = value - (compare == SCN_LESS);
    return out->max >= 0;
}

bool scn_range_parse(const char *text, struct scn_expect_range *out)
{
    struct scn_expect_range range = {true, 0, 0};
    text = skip_spaces(text);
    const char *dots = strstr(text, "..");
    int compare = compare_read(&text);
    bool ok;
    if (compare >= 0)
        ok = whole_read(text, strlen(text), &range.min) &&
             range_of_compare(compare, range.min, &range);
    else if (dots)
        ok = whole_read(text, (size_t)(dots - text), &range.min) &&
             whole_read(dots + 2, strlen(dots + 2), &range.max) && range.min <= range.max;
    else
        ok = whole_read(text, strlen(text), &range.min) && (range.max = range.min, true);
    if (ok)
        *out = range;
    return ok;
}
