/* What this machine can carry is said before anything starts, and what it says is true. */
#include "sim/loopback.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void limit_files(rlim_t most)
{
    const struct rlimit limit = {most, most};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static bool fits(uint32_t devices, uint32_t through_proxy, char *message, size_t len)
{
    const struct sim_loopback_need need = {.devices = devices, .through_proxy = through_proxy};
    *message = '\0';
    return !sim_loopback_preflight(&need, message, len);
}

Test(loopback_preflight, the_maximum_that_it_names_fits_and_one_more_does_not)
{
    static const struct {
        rlim_t files;
        uint32_t proxied_percent;
    } row[] = {{1024, 0}, {1024, 100}, {512, 50}, {300, 0}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char message[512];
        limit_files(row[i].files);
        cr_expect_not(fits(5000, 50 * row[i].proxied_percent, message, sizeof message));
        const char *at = strstr(message, "--devices ");
        cr_assert_not_null(at, "%s", message);
        uint32_t most = (uint32_t)strtoul(at + 10, NULL, 10);
        cr_expect_gt(most, 0, "%s", message);
        cr_expect(fits(most, most * row[i].proxied_percent / 100, message, sizeof message),
                  "%lu files, %u: %s", row[i].files, most, message);
    }
}

Test(loopback_preflight, the_message_says_what_to_change)
{
    char message[512];
    limit_files(256);
    cr_expect_not(fits(1000, 0, message, sizeof message));
    cr_expect_not_null(strstr(message, "ulimit -Hn"), "%s", message);
    cr_expect_not_null(strstr(message, "256"), "%s", message);
}

/* As few as do: one more device than one process carries makes a second one. */
Test(loopback_preflight, descriptors_say_how_many_processes_carry_the_fleet)
{
    static const struct {
        struct sim_loopback_need need;
        uint32_t processes;
    } row[] = {
        {{.devices = 240}, 1},
        {{.devices = 241}, 2},
        {{.devices = 40, .through_proxy = 40}, 1},
        {{.devices = 41, .through_proxy = 41}, 2},
        {{.devices = 336, .through_proxy = 336}, 9},
        {{.devices = 10000, .broker_given = true}, 43},
        {{.devices = 100, .processes = 3}, 3},
        {{.devices = 2, .processes = 3}, 2},
        {{.devices = 241, .processes = 1}, 1},
    };
    limit_files(400);
    for (size_t i = 0; i < sizeof row / sizeof *row; i++)
        cr_expect_eq(sim_loopback_processes(&row[i].need), row[i].processes, "row %zu: %u", i,
                     sim_loopback_processes(&row[i].need));
}

/* Our own mosquitto needs a descriptor for each device, somebody else's is not our matter. */
Test(loopback_preflight, a_broker_of_our_own_ends_a_fleet_that_processes_could_carry)
{
    char message[512] = "";
    struct sim_loopback_need need = {.devices = 337};
    limit_files(400);
    cr_expect(sim_loopback_preflight(&need, message, sizeof message));
    cr_expect_not_null(strstr(message, "mosquitto's as well"), "%s", message);
    cr_expect_not_null(strstr(message, "--devices 336"), "%s", message);
    need.devices = 336;
    cr_expect_not(sim_loopback_preflight(&need, message, sizeof message), "%s", message);
    need = (struct sim_loopback_need){.devices = 337, .broker_given = true};
    cr_expect_not(sim_loopback_preflight(&need, message, sizeof message), "%s", message);
    need = (struct sim_loopback_need){.devices = 300, .processes = 1};
    cr_expect(sim_loopback_preflight(&need, message, sizeof message));
    cr_expect_not_null(strstr(message, "--devices 235"), "%s", message);
}
