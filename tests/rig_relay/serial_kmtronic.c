/* KMtronic: two ways to ask, by model. */
#include "serial_kit.h"

static struct emu emu;
static struct use use;

static void begin(const char *channels, uint32_t relays)
{
    emu_start_pty(&emu, hear_kmtronic, relays);
    EXPECT_OK(use, use_open(&use, "kmtronic", EMU_PATIENT_MS,
                            PAIRS("device", emu.path, "channels", channels)));
}

static void end(void)
{
    use_close(&use);
    emu_stop(&emu);
}

/* Asked again with little patience: for what never comes. */
static void hurry(const char *channels)
{
    use_close(&use);
    EXPECT_OK(use, use_open(&use, "kmtronic", EMU_TIMEOUT_MS,
                            PAIRS("device", emu.path, "channels", channels)));
}

Test(serial_kmtronic, two_relays_are_asked_one_by_one)
{
    bool on = false;
    begin("2", 2);
    EXPECT_OK(use, use_set(&use, 1, true));
    emu_expect(&emu, "FF 01 01");
    EXPECT_OK(use, use_get(&use, 1, &on));
    emu_expect(&emu, "FF 01 03");
    cr_expect(on);
    EXPECT_OK(use, use_get(&use, 2, &on));
    emu_expect(&emu, "FF 02 03");
    cr_expect(!on);
    EXPECT_OK(use, use_set(&use, 1, false));
    emu_expect(&emu, "FF 01 00");
    EXPECT_ERROR(use, use_set(&use, 3, true), RIG_EUNSUPPORTED, "1 to 2");
    end();
}

Test(serial_kmtronic, eight_relays_are_asked_at_once)
{
    begin("8", 8);
    EXPECT_OK(use, use_set(&use, 8, true));
    EXPECT_OK(use, use_set(&use, 3, true));
    emu_expect(&emu, "FF 08 01 FF 03 01");
    for (uint32_t i = 1; i <= 8; i++) {
        bool on;
        EXPECT_OK(use, use_get(&use, i, &on));
        emu_expect(&emu, "FF 09 00");
        cr_expect_eq(on, i == 3 || i == 8);
    }
    end();
}

Test(serial_kmtronic, four_relays_answer_four_bytes)
{
    bool on;
    begin("4", 4);
    emu_fault(&emu, EMU_SAYS, "00 01 00 01");
    EXPECT_OK(use, use_get(&use, 4, &on));
    cr_expect(on);
    EXPECT_OK(use, use_get(&use, 3, &on));
    cr_expect(!on);
    EXPECT_ERROR(use, use_get(&use, 5, &on), RIG_EUNSUPPORTED, "1 to 4");
    end();
}

Test(serial_kmtronic, wrong_answers)
{
    static const char *const of_two[] = {"FF 01 02", "FF 02 01", "FE 01 01", "41 54 0D"};
    bool on = true;
    begin("2", 2);
    for (size_t i = 0; i < sizeof of_two / sizeof *of_two; i++) {
        emu_fault(&emu, EMU_SAYS, of_two[i]);
        EXPECT_ERROR(use, use_get(&use, 1, &on), RIG_EANSWER, of_two[i]);
        cr_expect(strstr(use.message, "FF 01 03") && strstr(use.message, emu.path), "%s",
                  use.message);
    }
    cr_expect(on, "an error has written the state");
    end();
    begin("8", 8);
    emu_fault(&emu, EMU_SAYS, "00 00 FF 00 00 00 00 00");
    EXPECT_ERROR(use, use_get(&use, 1, &on), RIG_EANSWER, "00 00 FF 00");
    end();
}

Test(serial_kmtronic, silent_short_and_slow)
{
    bool on;
    begin("2", 2);
    hurry("2");
    emu_fault(&emu, EMU_SILENT, NULL);
    EXPECT_ERROR(use, use_get(&use, 1, &on), RIG_ESILENT, "no answer to FF 01 03 within 2000 ms");
    emu_fault(&emu, EMU_SAYS, "FF 01");
    EXPECT_ERROR(use, use_get(&use, 1, &on), RIG_ESILENT, "only 2 of 3 bytes");
    /* The deadline is of the whole answer, not of each byte. */
    emu_fault(&emu, EMU_TRICKLES, NULL);
    EXPECT_ERROR(use, use_get(&use, 1, &on), RIG_ESILENT, "of 3 bytes");
    end();
}

/* What comes too late, or unasked, is no answer to the next question. */
Test(serial_kmtronic, what_came_before_is_thrown_away)
{
    bool on;
    begin("2", 2);
    emu_say(&emu, "\xFF\x01\x01\xFF\x01", 5);
    EXPECT_OK(use, use_get(&use, 1, &on));
    cr_expect(!on);
    end();
}

Test(serial_kmtronic, unplugged_while_it_is_asked)
{
    bool on;
    begin("8", 8);
    emu_fault(&emu, EMU_GOES, NULL);
    EXPECT_ERROR(use, use_get(&use, 1, &on), RIG_EGONE, "unplugged");
    EXPECT_ERROR(use, use_set(&use, 1, true), RIG_EGONE, "FF 01 01");
    end();
}
