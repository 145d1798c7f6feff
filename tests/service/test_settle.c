/* When the service may judge again: by times alone. */
#include "settle.h"
#include <criterion/criterion.h>

Test(service_settle, all_has_come_when_it_is_quiet_or_only_the_present_talks)
{
    static const struct {
        const char *what;
        double heard_at, backlog_at, now; /* connected at 0, settle 2 s */
        bool settled;
    } rows[] = {
        {"nothing came, too early", 0, 0, 1.9, false},
        {"nothing came", 0, 0, 2, true},
        {"a fleet that never pauses", 19.95, 0, 19.99, false},
        {"a fleet that never pauses, long enough", 19.99, 0, 20, true},
        {"a backlog that streams in", 30, 30, 30, false},
        {"a backlog that streams in, its last dated word a while ago", 30, 28.1, 30, false},
        {"after the backlog the present", 30, 27.9, 30, true},
        {"a backlog, and a pause", 29.9, 29.9, 30, true},
        {"who lies about the time is not believed for ever", 200, 200, 200, true},
        {"but for long", 199.9, 199.9, 199.95, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct svc_settle it = {.heard_at = rows[i].heard_at,
                                      .backlog_at = rows[i].backlog_at};
        cr_expect_eq(svc_has_settled(&it, 2, rows[i].now), rows[i].settled, "%s", rows[i].what);
    }
}

Test(service_settle, deaf_since_the_last_word_but_no_longer_than_a_loss_can_go_unnoticed)
{
    static const int64_t S = 1000000, NOW = 1000000 * INT64_C(1000000);
    static const struct {
        const char *what;
        int64_t said_ago_s, pace, heard_ago_s;
    } rows[] = {
        {"a moment ago", 1, 1, 1},       {"half a keep-alive ago", 30, 1, 30},
        {"a quiet fleet", 3600, 1, 135}, {"a quiet fleet, fast", 86400, 60, 8100},
        {"never", 1000000, 1, 135},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_eq(svc_heard_until_us(NOW - rows[i].said_ago_s * S, NOW, rows[i].pace),
                     NOW - rows[i].heard_ago_s * S, "%s", rows[i].what);
}
