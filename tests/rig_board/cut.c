/* Cuts: where they are asked, what they leave, and that it is the same again. */
#include "../soak/soak.h"
#include "kit.h"
#include <stdlib.h>
#include <string.h>

static struct kit kit;
static uint8_t flash[BOARD_NOR_BYTES], wanted[BOARD_NOR_BYTES];
static char message[256];

static void plan(struct rig_cut_plan what)
{
    cr_assert_eq(rig_cutter_plan(kit.cutter, &what, message, sizeof message), 0, "%s", message);
}

static void cut_at(uint64_t op, struct rig_tear tear)
{
    kit_on(&kit);
    plan((struct rig_cut_plan){.at = RIG_CUT_AT_OP, .op = op, .tear = tear});
    kit_run(&kit);
    cr_assert_not(rig_board_is_on(kit.board));
    cr_assert(kit.cut.clean && kit.cut.hit && kit.cut.any);
    cr_assert_eq(kit.cut.op.number, op);
    cr_assert_eq(kit.cut.strays, 0);
}

/* Operation 1 erases, 2 to 17 program. Page 10 is operation 11. */
enum { OP = 11, PAGE_AT = 0x10000 + 9 * 256 };

static void page(uint8_t *out, uint32_t number)
{
    for (uint32_t i = 0; i < 256; i++)
        out[i] = (uint8_t)(i < 4 ? number >> 8 * i : number * 7 + i);
}

Test(rig_board_cut, before_and_after_an_operation)
{
    for (int after = 0; after < 2; after++) {
        kit_open(&kit, KIT_STEPPED | KIT_CUTTER, KIT_PAGES_FAST);
        cut_at(OP, (struct rig_tear){.form = after ? SCN_TORN_AFTER : SCN_TORN_BEFORE});
        cr_assert_eq(kit_pages(&kit), 9U + (unsigned)after);
        kit_close(&kit);
    }
}

Test(rig_board_cut, torn_at_the_byte_that_was_asked)
{
    uint8_t half[256];
    kit_open(&kit, KIT_STEPPED | KIT_CUTTER, KIT_PAGES_FAST);
    cut_at(OP, (struct rig_tear){.form = SCN_TORN_PREFIX, .tear = 17});
    kit_read_flash(&kit, flash);
    page(half, 10);
    memset(half + 17, 0xFF, sizeof half - 17);
    cr_assert_eq(memcmp(flash + PAGE_AT, half, sizeof half), 0);
    cr_assert_eq(kit_pages(&kit), 9);
    kit_close(&kit);
}

/* Each form that draws, at a program and at an erase: twice the same seed, the same file. */
Test(rig_board_cut, same_seed_same_file, RELEASE_ONLY)
{
    static const uint64_t ops[] = {OP, 18};
    for (int form = SCN_TORN_RANDOM; form <= SCN_TORN_UNSTABLE; form++)
        for (int o = 0; o < 2; o++) {
            uint64_t hash[3];
            for (int again = 0; again < 3; again++) {
                kit_open(&kit, KIT_STEPPED | KIT_CUTTER, KIT_PAGES_FAST);
                memset(flash, 0x5A, sizeof flash); /* so that there is something to erase */
                FILE *file = fopen(kit.flash, "r+");
                fseek(file, 0x11000, SEEK_SET);
                fwrite(flash, 1, 4096, file);
                fclose(file);
                cut_at(ops[o],
                       (struct rig_tear){.form = (enum scn_torn)form, .seed = again < 2 ? 77 : 78});
                hash[again] = kit_hash(&kit);
                kit_close(&kit);
            }
            cr_assert_eq(hash[0], hash[1]);
            cr_assert_neq(hash[0], hash[2], "another seed tears otherwise");
        }
}

Test(rig_board_cut, at_a_line_and_some_time_later)
{
    char text[512];
    kit_open(&kit, KIT_CUTTER, KIT_PAGES);
    /* QEMU's late write-back, which a busy host can bring, does not come each time. */
    int cuts = 0;
    for (; cuts < 3 && (!cuts || kit.cut.strays); cuts++) {
        plan((struct rig_cut_plan){.at = RIG_CUT_AT_LINE,
                                   .pattern = "^done [0-9]*5$",
                                   .delay_ms = 20,
                                   .tear = {.seed = 3}});
        kit_on(&kit);
        kit_run(&kit);
    }
    cr_assert_eq(kit.cuts, cuts);
    cr_assert(kit.cut.any && kit.cut.clean);
    cr_assert_geq(kit.cut.got_us, 20000);
    cr_assert_eq(kit.cut.strays, 0);
    rig_cut_text(&kit.cut, text, sizeof text);
    cr_log_info("%s", text);
    cr_assert(strstr(text, "asked /^done [0-9]*5$/ + 20 ms, any form"), "%s", text);
    kit_close(&kit);
}

/* A page that is being erased is torn, one whose time is over is whole. */
Test(rig_board_cut, at_random_times_hits_what_is_in_progress, RELEASE_ONLY)
{
    uint32_t hits = 0, wholes = 0, strays = 0;
    kit_open(&kit, KIT_CUTTER, KIT_PAGES);
    uint32_t cuts = 0;
    for (; cuts < 20 || (hits <= 3 && cuts < 200); cuts++) {
        kit_on(&kit);
        kit_until(&kit, "BOOT");
        plan((struct rig_cut_plan){.at = RIG_CUT_AT_TIME,
                                   .from_ms = 5,
                                   .to_ms = 80,
                                   .tear = {.form = SCN_TORN_NOTHING, .seed = 5, .index = cuts}});
        kit_run(&kit);
        cr_assert(kit.cut.clean);
        strays += kit.cut.strays;
        cr_assert(kit.cut.asked_us >= 5000 && kit.cut.asked_us <= 80000);
        hits += kit.cut.hit;
        wholes += kit.cut.any && !kit.cut.hit;
        kit_read_flash(&kit, flash);
        rig_history_flash(rig_cutter_history(kit.cutter), wanted);
        cr_assert_eq(memcmp(flash, wanted, sizeof flash), 0);
        if (kit.cut.hit && !kit.cut.op.erase)
            cr_assert_eq(flash[kit.cut.op.addr + 100], 0xFF, "nothing of it is done");
    }
    cr_log_info("%u of %u in progress, %u not; %u strays put right", hits, cuts, wholes, strays);
    cr_assert_leq(strays, cuts / 10,
                  "QEMU's late write-back, which a busy host can bring, is rare");
    cr_assert_gt(hits, 3);
    kit_close(&kit);
}

/* The differential: what the bus saw, and the cuts, replayed from text by the simulator's flash. */
Test(rig_board_cut, a_history_replays_to_the_same_bytes)
{
    char *text = NULL;
    size_t len = 0;
    FILE *to = open_memstream(&text, &len);
    kit_open(&kit, KIT_STEPPED | KIT_TRACED, KIT_MIXED);
    struct rig_board *plain = kit.board;
    struct rig_board_config config = {
        .loop = kit.loop, .rom = LOAD_ELF, .flash = kit.flash, .stepped = true};
    /* The kit's own events are those of the plain board; this one needs none. */
    cr_assert_eq(rig_cutter_create(&kit.cutter, &config, NULL, to, message, sizeof message), 0);
    kit.board = rig_cutter_board(kit.cutter);
    for (unsigned bit = 4; bit < 7; bit++)
        rig_board_strap(kit.board, bit, true);
    for (uint32_t i = 1; i <= 8; i++) {
        kit_on(&kit);
        plan((struct rig_cut_plan){
            .at = RIG_CUT_AT_OP, .op = i * 40, .tear = {.seed = 9, .index = i}});
        for (int ms = 0; ms < 60000 && rig_board_is_on(kit.board); ms += 10)
            kit_run_ms(&kit, 10);
        cr_assert_not(rig_board_is_on(kit.board));
    }
    fclose(to);
    kit_read_flash(&kit, flash);
    FILE *from = fmemopen(text, len, "r");
    struct rig_history *again;
    cr_assert_eq(rig_history_replay(&again, from, message, sizeof message), 0, "%s", message);
    fclose(from);
    rig_history_flash(again, wanted);
    cr_assert_eq(memcmp(flash, wanted, sizeof flash), 0);
    rig_history_free(again);
    /* And half of the history does not. */
    *(strchr(text + strlen(text) / 2, '\n') + 1) = '\0';
    from = fmemopen(text, strlen(text), "r");
    cr_assert_eq(rig_history_replay(&again, from, message, sizeof message), 0, "%s", message);
    fclose(from);
    rig_history_flash(again, wanted);
    cr_assert_neq(memcmp(flash, wanted, sizeof flash), 0);
    rig_history_free(again);
    free(text);
    rig_board_free(plain);
    kit_close(&kit);
}

Test(rig_board_cut, what_cant_be_done_is_refused)
{
    kit_open(&kit, KIT_CUTTER, KIT_IDLE);
    struct rig_cut_plan bad = {.at = RIG_CUT_AT_OP, .op = 1};
    cr_assert_eq(rig_cutter_plan(kit.cutter, &bad, message, sizeof message), -1);
    cr_assert_str_eq(message, "a cut at an operation needs a stepped board");
    bad = (struct rig_cut_plan){.at = RIG_CUT_AT_LINE, .pattern = "(("};
    cr_assert_eq(rig_cutter_plan(kit.cutter, &bad, message, sizeof message), -1);
    bad = (struct rig_cut_plan){.at = RIG_CUT_AT_TIME, .from_ms = 2, .to_ms = 1};
    cr_assert_eq(rig_cutter_plan(kit.cutter, &bad, message, sizeof message), -1);
    kit_close(&kit);
}

Test(rig_board_cut, a_history_of_rubbish_names_its_line)
{
    static const struct {
        char text[96];
        unsigned line;
    } rows[] = {
        {"nonsense\n", 1},
        {"", 1},
        {"brickyard-flash-history 1\nprogram 1 0x00010000\n", 2},
        {"brickyard-flash-history 1\nprogram 1 0x000100ff 0011\n", 2},
        {"brickyard-flash-history 1\nerase 1 0x00010000 4095\n", 2},
        {"brickyard-flash-history 1\nerase 1 0x000ff000 8192\n", 2},
        {"brickyard-flash-history 1\nblank 0x00010000\ncut 1 any 0 1 1 erase 0x0 4096\n", 3},
        {"brickyard-flash-history 1\ncut 1 prefix 256 1 1 program 0x0 00\n", 2},
        {"brickyard-flash-history 1\nblank 0x00010000", 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig_history *history;
        char line[16];
        FILE *from = rows[i].text[0] ? fmemopen((void *)rows[i].text, strlen(rows[i].text), "r")
                                     : fopen("/dev/null", "r");
        cr_assert_eq(rig_history_replay(&history, from, message, sizeof message), -1, "row %zu", i);
        snprintf(line, sizeof line, "line %u:", rows[i].line);
        cr_assert_eq(strncmp(message, line, strlen(line)), 0, "row %zu: %s", i, message);
        fclose(from);
    }
}
