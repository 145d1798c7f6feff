#include "number.h"
#include <string.h>

/* digits / scale, scale a power of ten. */
struct decimal {
    int64_t digits, scale;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads sign, digits and decimals (18 digits in all, 9 of them decimals); NULL when there is no
 * number. */
static const char *decimal_read(const char *text, struct decimal *out)
{
    bool negative = *text == '-';
    int count = 0, places = 0;
    int64_t digits = 0, scale = 1;
    if (*text == '-' || *text == '+')
        text++;
    for (; is_digit(*text); text++, count++) {
        if (count == 18)
            return NULL;
        digits = digits * 10 + (*text - '0');
    }
    if (count && *text == '.' && is_digit(text[1])) {
        for (text++; is_digit(*text); text++, count++, places++) {
            if (count == 18 || places == 9)
                return NULL;
            digits = digits * 10 + (*text - '0');
            scale *= 10;
        }
    }
    if (!count)
        return NULL;
    *out = (struct decimal){negative ? -digits : digits, scale};
    return text;
}

bool scn_u64_parse(const char *text, uint64_t *out)
{
    uint64_t value = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (!is_digit(*text) || __builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
            return false;
    }
    *out = value;
    return true;
}

static bool ratio_fits(int64_t num, int64_t den)
{
    return den > 0 && den <= SCN_RATIO_LIMIT && num >= -(int64_t)SCN_RATIO_LIMIT &&
           num <= SCN_RATIO_LIMIT;
}

bool scn_ratio_parse(const char *text, struct scn_ratio *out)
{
    struct decimal number, below;
    const char *rest = decimal_read(text, &number);
    if (!rest)
        return false;
    struct scn_ratio ratio = {number.digits, 1};
    if (!strcmp(rest, "%")) {
        ratio.den = number.scale * 100;
    } else if (*rest == '/' && is_digit(rest[1]) && number.scale == 1) {
        rest = decimal_read(rest + 1, &below);
        if (!rest || *rest || below.scale != 1)
            return false;
        ratio.den = below.digits;
    } else if (*rest || number.digits || number.scale != 1) {
        return false;
    }
    if (!ratio_fits(ratio.num, ratio.den))
        return false;
    *out = ratio;
    return true;
}

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit duration_units[] = {
    {"us", 1}, {"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {"h", 3600000000}, {"d", 86400000000},
};
static const struct unit size_units[] = {
    {"", 1},
    {"KiB", 1024},
    {"MiB", 1048576},
    {"GiB", 1073741824},
};

static bool with_unit(const char *text, const struct unit *units, size_t count, int64_t *out)
{
    struct decimal number;
    const char *rest = decimal_read(text, &number);
    if (!rest)
        return false;
    for (size_t i = 0; i < count; i++) {
        int64_t product;
        if (strcmp(rest, units[i].name))
            continue;
        if (__builtin_mul_overflow(number.digits, units[i].factor, &product) ||
            product % number.scale)
            return false;
        *out = product / number.scale;
        return true;
    }
    return false;
}

bool scn_duration_parse(const char *text, int64_t *out_us)
{
    if (!strcmp(text, "0")) {
        *out_us = 0;
        return true;
    }
    return with_unit(text, duration_units, sizeof duration_units / sizeof duration_units[0],
                     out_us);
}

bool scn_size_parse(const char *text, int64_t *out_bytes)
{
    return with_unit(text, size_units, sizeof size_units / sizeof size_units[0], out_bytes);
}

int scn_ratio_compare(struct scn_ratio a, struct scn_ratio b)
{
    int64_t left = a.num * b.den, right = b.num * a.den;
    return (left > right) - (left < right);
}

static void text_with_unit(char *out, size_t size, int64_t value, const struct unit *units,
                           size_t count)
{
    const struct unit *best = &units[0];
    for (size_t i = 1; i < count; i++)
        if (value && value % units[i].factor == 0)
            best = &units[i];
    snprintf(out, size, "%lld%s", (long long)(value / best->factor), value ? best->name : "");
}

void scn_duration_text(char *out, size_t size, int64_t us)
{
    text_with_unit(out, size, us, duration_units, sizeof duration_units / sizeof duration_units[0]);
}

void scn_size_text(char *out, size_t size, int64_t bytes)
{
    text_with_unit(out, size, bytes, size_units, sizeof size_units / sizeof size_units[0]);
}

/* Two or more digits of fixed number; -1 when they are not there. */
static int fixed(const char **text, int digits)
{
    int value = 0;
    for (int i = 0; i < digits; i++, (*text)++) {
        if (!is_digit(**text))
            return -1;
        value = value * 10 + (**text - '0');
    }
    return value;
}

static bool skip(const char **text, char c)
{
    if (**text != c)
        return false;
    (*text)++;
    return true;
}

/* Days since 1970-01-01 of a date in the Gregorian calendar. */
static int64_t days_from_date(int year, int month, int day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t from_march = (month + 9) % 12;
    int64_t day_of_year = (153 * from_march + 2) / 5 + day - 1;
    return y * 365 + y / 4 - y / 100 + y / 400 + day_of_year - 719468;
}

static bool date_is_real(int year, int month, int day)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 1970 || year > 2199 || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && leap);
}

static bool time_zone(const char *text, int64_t *east_s)
{
    *east_s = 0;
    if (!strcmp(text, "Z"))
        return true;
    int sign = *text == '-' ? -1 : 1;
    if (*text != '+' && *text != '-')
        return false;
    text++;
    int hours = fixed(&text, 2);
    if (hours < 0 || hours > 14 || !skip(&text, ':'))
        return false;
    int minutes = fixed(&text, 2);
    *east_s = sign * (hours * 3600 + minutes * 60);
    return minutes >= 0 && minutes <= 59 && !*text;
}

static bool fraction(const char **text, int64_t *us)
{
    int64_t unit = 100000;
    *us = 0;
    if (!skip(text, '.'))
        return true;
    if (!is_digit(**text))
        return false;
    for (; is_digit(**text); (*text)++, unit /= 10)
        *us += unit * (**text - '0');
    return true;
}

bool scn_time_parse(const char *text, int64_t *out_us)
{
    int64_t us, east_s;
    int year = fixed(&text, 4);
    if (year < 0 || !skip(&text, '-'))
        return false;
    int month = fixed(&text, 2);
    if (month < 0 || !skip(&text, '-'))
        return false;
    int day = fixed(&text, 2);
    if (!date_is_real(year, month, day) || !skip(&text, 'T'))
        return false;
    int hour = fixed(&text, 2);
    if (hour < 0 || hour > 23 || !skip(&text, ':'))
        return false;
    int minute = fixed(&text, 2);
    if (minute < 0 || minute > 59 || !skip(&text, ':'))
        return false;
    int second = fixed(&text, 2);
    if (second < 0 || second > 59 || !fraction(&text, &us) || !time_zone(text, &east_s))
        return false;
    int64_t seconds = days_from_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
    *out_us = (seconds - east_s) * 1000000 + us;
    return true;
}
