#include "fault_list.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void add(struct list *list, const char *format, ...)
{
    va_list values;
    const char *comma = list->len ? ",\n  " : "";
    list->len += (size_t)snprintf(list->text + list->len, LIST_MAX - list->len, "%s{", comma);
    va_start(values, format);
    list->len += (size_t)vsnprintf(list->text + list->len, LIST_MAX - list->len, format, values);
    va_end(values);
    list->len += (size_t)snprintf(list->text + list->len, LIST_MAX - list->len, "}");
    cr_assert_lt(list->len, LIST_MAX);
}

void assert_at_rest(const struct fleet_run *run, const char *about)
{
    fleet_assert_sound(run, about);
    for (uint32_t d = 0; d < run->result.device_rows; d++) {
        const struct rep_device *row = fleet_device(run, d);
        bool is_new = !strcmp(row->version, "2.4.0");
        cr_expect(is_new || !strcmp(row->version, "2.3.1"), "%s: %s runs '%s'", about, row->id,
                  row->version);
        cr_expect_eq(row->outcome == REP_OUT_CONFIRMED, is_new, "%s: %s is %s on %s", about,
                     row->id, rep_outcome_name((int)row->outcome), row->version);
    }
}
