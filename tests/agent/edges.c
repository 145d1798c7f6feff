#include "world.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Every drawn edge is taken, every other pair is refused, and the drawing is the table. */

static struct world world;
static bool taken[AGENT_STATES][AGENT_STATES];

static bool allowed(int from, int to)
{
    return agent_transition_allowed((enum agent_state)from, (enum agent_state)to);
}

static void end(void)
{
    for (int from = 0; from < AGENT_STATES; from++)
        for (int to = 0; to < AGENT_STATES; to++)
            taken[from][to] |= world.edge[from][to];
    boot_openssl_free(&world.openssl);
}

static void order(const char *command)
{
    char json[80];
    snprintf(json, sizeof json, "{\"command_id\":\"c\",\"command\":\"%s\"}", command);
    world_order(&world, json);
}

static void closed_window(void)
{
    world.config.window.start_min = 60;
    world.config.window.end_min = 300;
}

static void clean_then_ordered_back(void)
{
    world_update(&world, &world_v2);
    world_run(&world);
    order("rollback");
    world_run(&world);
}

static void refused(void)
{
    struct world_notice notice;
    world_notice(&notice, &world_v2);
    strcpy(notice.device_type, "other");
    world_notify(&world, &notice);
}

static void replaced_and_abandoned(void)
{
    static const enum agent_state when[] = {AGENT_DOWNLOAD_SCHEDULED, AGENT_DOWNLOADING,
                                            AGENT_DOWNLOAD_FAILED, AGENT_WAITING_APPLY};
    for (int abandon = 0; abandon < 2; abandon++) {
        for (size_t i = 0; i < sizeof when / sizeof when[0]; i++) {
            world_init(&world);
            world.config.approval = true;
            world.http = HTTP_500;
            world.http_times = when[i] == AGENT_DOWNLOAD_FAILED;
            if (when[i] == AGENT_DOWNLOAD_SCHEDULED)
                closed_window();
            world_update(&world, &world_v2);
            world_run_to(&world, when[i]);
            if (abandon)
                order("rollback");
            else
                world_update(&world, &world_v3);
            end();
        }
    }
    world_init(&world);
}

static void retried(void)
{
    world.http = HTTP_500;
    world.http_times = 1;
    world_update(&world, &world_v2);
    world_run(&world);
}

static void damaged(void)
{
    world.http = HTTP_FLIP;
    world.http_times = 1;
    world_update(&world, &world_v2);
    world_run(&world);
}

/* Flash that fails at one place: the trailer of the other slot, or the boot config. */
static void fail_at(uint32_t from, uint32_t to)
{
    world.config.approval = true;
    world_update(&world, &world_v2);
    world_run_to(&world, AGENT_DOWNLOADING);
    while (!world.http_head)
        world_step(&world);
    if (from == WORLD_SECTOR)
        world_run(&world);
    world.flash.fail_from = from;
    world.flash.fail_to = to;
    world_run(&world);
    order("apply");
    world_run(&world);
}

static void trailer_fails(void)
{
    uint32_t trailer = boot_layout_trailer(&world.flash.layout, BOOT_SLOT_B);
    fail_at(trailer, trailer + WORLD_SECTOR);
}

static void trial_can_not_be_asked_for(void)
{
    fail_at(WORLD_SECTOR, 3 * WORLD_SECTOR);
}

static void withdrawn(void)
{
    world.deaf = true;
    world_update(&world, &world_v2);
    world_run_to(&world, AGENT_REBOOTING);
    order("rollback");
}

static void failed_trial(void)
{
    world.health.config = false;
    world_update(&world, &world_v2);
    world_run(&world);
}

/* The journal stays at Applying; what the boots make of it is set by hand. */
static void left_at_applying(void)
{
    world.config.approval = true;
    world_update(&world, &world_v2);
    world_run(&world);
    cr_assert_eq(agent_journal_step(&world.agent.journal, AGENT_APPLYING, 0, 0), AGENT_OK);
    cr_assert_eq(agent_journal_commit(&world.agent.journal), AGENT_OK);
}

static void applying_resumed(void)
{
    left_at_applying();
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
}

static void applying_into_a_trial(void)
{
    left_at_applying();
    cr_assert_eq(boot_request_trial(&world.env, BOOT_SLOT_A), BOOT_OK);
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world_run(&world);
}

static void applying_into_a_confirmed_image(void)
{
    struct boot_outcome outcome;
    left_at_applying();
    cr_assert_eq(boot_request_trial(&world.env, BOOT_SLOT_A), BOOT_OK);
    cr_assert_eq(boot_run(&world.env, BOOT_RESET_SOFTWARE, &outcome), BOOT_OK);
    cr_assert_eq(boot_confirm(&world.env, BOOT_SLOT_B), BOOT_OK);
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world_run(&world);
    cr_assert_eq(world_count(&world, "confirmed"), 1);
}

static void applying_into_a_failed_trial(void)
{
    struct boot_outcome outcome;
    left_at_applying();
    cr_assert_eq(boot_request_trial(&world.env, BOOT_SLOT_A), BOOT_OK);
    cr_assert_eq(boot_run(&world.env, BOOT_RESET_SOFTWARE, &outcome), BOOT_OK);
    world_power_on(&world, BOOT_RESET_WATCHDOG);
    world_run(&world);
    cr_assert_str_eq(world_reason(&world, "rolled_back"), "watchdog");
}

static void rebooting(void)
{
    world_update(&world, &world_v2);
    world_run_to(&world, AGENT_REBOOTING);
    while (!world.boot_pending)
        world_step(&world);
}

static void rebooting_into_a_hanging_image(void)
{
    struct boot_outcome outcome;
    rebooting();
    cr_assert_eq(boot_run(&world.env, BOOT_RESET_SOFTWARE, &outcome), BOOT_OK);
    world_power_on(&world, BOOT_RESET_WATCHDOG);
    world_run(&world);
}

static void rebooting_into_a_confirmed_image(void)
{
    struct boot_outcome outcome;
    rebooting();
    cr_assert_eq(boot_run(&world.env, BOOT_RESET_SOFTWARE, &outcome), BOOT_OK);
    cr_assert_eq(boot_confirm(&world.env, BOOT_SLOT_B), BOOT_OK);
    world_run(&world);
}

/* The running image rots; the bootloader tries what was staged, or what it finds. */
static void waiting_when_the_running_image_breaks(void)
{
    world.config.approval = true;
    world_update(&world, &world_v2);
    world_run(&world);
    world.flash.cell[world.flash.layout.slot_addr[BOOT_SLOT_A] + 500] ^= 1;
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
    cr_assert_eq(world_count(&world, "confirmed"), 1);
}

static void idle_when_the_running_image_breaks(void)
{
    world_factory(&world, BOOT_SLOT_B, &world_v2, false);
    world.flash.cell[world.flash.layout.slot_addr[BOOT_SLOT_A] + 500] ^= 1;
    world_power_on(&world, BOOT_RESET_POWER_ON);
    world_run(&world);
    cr_assert_str_eq(agent_running_version(&world.agent), "2.4.0");
}

static void (*const walks[])(void) = {
    clean_then_ordered_back,
    refused,
    replaced_and_abandoned,
    retried,
    damaged,
    trailer_fails,
    trial_can_not_be_asked_for,
    withdrawn,
    failed_trial,
    applying_resumed,
    applying_into_a_trial,
    applying_into_a_confirmed_image,
    applying_into_a_failed_trial,
    rebooting_into_a_hanging_image,
    rebooting_into_a_confirmed_image,
    waiting_when_the_running_image_breaks,
    idle_when_the_running_image_breaks,
};

Test(agent_edges, each_drawn_edge_is_taken_and_no_other)
{
    for (size_t i = 0; i < sizeof walks / sizeof walks[0]; i++) {
        world_init(&world);
        walks[i]();
        end();
    }
    for (int from = 0; from < AGENT_STATES; from++)
        for (int to = 0; to < AGENT_STATES; to++)
            cr_expect_eq(taken[from][to], allowed(from, to), "%s -> %s: %s", agent_state_name(from),
                         agent_state_name(to),
                         taken[from][to] ? "taken, not drawn" : "drawn, never taken");
}

Test(agent_edges, states_out_of_range_are_refused)
{
    cr_assert_not(agent_transition_allowed(AGENT_STATES, AGENT_IDLE));
    cr_assert_not(agent_transition_allowed(AGENT_IDLE, AGENT_STATES));
    cr_assert_not(agent_transition_allowed((enum agent_state) - 1, AGENT_IDLE));
    for (int state = 0; state < AGENT_STATES; state++)
        cr_assert_not(allowed(state, state));
}

static int state_of(const char *name)
{
    for (int state = 0; state < AGENT_STATES; state++)
        if (!strcmp(name, agent_state_name(state)))
            return state;
    return -1;
}

/* The drawing in agent/DESIGN.md has a line "    From --> To: why" for each edge. */
Test(agent_edges, the_drawing_is_the_table)
{
    char path[1024], line[512], from[40], to[40];
    bool drawn[AGENT_STATES][AGENT_STATES] = {{false}};
    snprintf(path, sizeof path, "%s/agent/DESIGN.md", getenv("BRICKYARD_SOURCE"));
    FILE *file = fopen(path, "r");
    cr_assert(file, "%s", path);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, " %39[A-Za-z] --> %39[A-Za-z]", from, to) != 2)
            continue;
        cr_assert(state_of(from) >= 0 && state_of(to) >= 0, "no such states: %s", line);
        cr_expect_not(drawn[state_of(from)][state_of(to)], "drawn twice: %s", line);
        drawn[state_of(from)][state_of(to)] = true;
    }
    fclose(file);
    for (int i = 0; i < AGENT_STATES; i++)
        for (int k = 0; k < AGENT_STATES; k++)
            cr_expect_eq(drawn[i][k], allowed(i, k), "%s --> %s is %s", agent_state_name(i),
                         agent_state_name(k),
                         drawn[i][k] ? "drawn, but not in the table" : "not drawn");
}

Test(agent_names, are_distinct_and_never_null)
{
    for (int i = 0; i < AGENT_STATUSES; i++)
        for (int k = 0; k < i; k++)
            cr_assert_str_neq(agent_status_name(i), agent_status_name(k));
    for (int i = 0; i < AGENT_WHYS; i++)
        for (int k = 0; k < i; k++)
            cr_assert_str_neq(agent_reason_name(i), agent_reason_name(k));
    for (int i = 0; i < AGENT_STATES; i++)
        for (int k = 0; k < i; k++)
            cr_assert_str_neq(agent_state_name(i), agent_state_name(k));
    cr_assert_str_eq(agent_state_name(AGENT_DOWNLOAD_SCHEDULED), "DownloadScheduled");
    cr_assert_str_eq(agent_state_name(AGENT_STATES), "State?");
    cr_assert_str_eq(agent_state_name(-1), "State?");
    cr_assert_str_eq(agent_status_name(AGENT_ST_REFUSED), "refused");
    cr_assert_str_eq(agent_status_name(-1), "status?");
    cr_assert_str_eq(agent_reason_name(AGENT_WHY_NONE), "");
    cr_assert_str_eq(agent_reason_name(AGENT_WHY_FAULTY_BOOTS), "faulty_boots");
    cr_assert_str_eq(agent_reason_name(AGENT_WHYS), "reason?");
    cr_assert_str_eq(agent_error_name(AGENT_OK), "AGENT_OK");
    cr_assert_str_eq(agent_error_name(AGENT_EFULL), "AGENT_EFULL");
    cr_assert_str_eq(agent_error_name(1), "AGENT_?");
    cr_assert_str_eq(agent_error_name(-6), "AGENT_?");
}
