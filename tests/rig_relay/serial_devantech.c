/* Devantech USB-RLY. */
#include "serial_kit.h"

static struct emu emu;
static struct use use;

static void begin(uint32_t relays)
{
    emu_start_pty(&emu, hear_devantech, relays);
}

static int open_it(uint32_t timeout_ms)
{
    return use_open(&use, "devantech_usb", timeout_ms, PAIRS("device", emu.path));
}

static void end(void)
{
    use_close(&use);
    emu_stop(&emu);
}

Test(serial_devantech, bytes_of_the_manual)
{
    bool on;
    begin(8);
    EXPECT_OK(use, open_it(EMU_PATIENT_MS));
    emu_expect(&emu, "5A");
    EXPECT_OK(use, use_set(&use, 1, true));
    EXPECT_OK(use, use_set(&use, 8, true));
    EXPECT_OK(use, use_set(&use, 1, false));
    EXPECT_OK(use, use_set(&use, 8, false));
    EXPECT_OK(use, use_set(&use, 5, true));
    emu_expect(&emu, "65 6C 6F 76 69");
    for (uint32_t i = 1; i <= 8; i++) {
        EXPECT_OK(use, use_get(&use, i, &on));
        emu_expect(&emu, "5B");
        cr_expect_eq(on, i == 5);
    }
    EXPECT_ERROR(use, use_set(&use, 9, true), RIG_EUNSUPPORTED, "1 to 8");
    EXPECT_ERROR(use, use_set(&use, 0, true), RIG_EUNSUPPORTED, "1 to 8");
    end();
}

Test(serial_devantech, the_states_bits)
{
    bool on;
    begin(8);
    EXPECT_OK(use, open_it(EMU_PATIENT_MS));
    emu_fault(&emu, EMU_SAYS, "81");
    for (uint32_t i = 1; i <= 8; i++) {
        EXPECT_OK(use, use_get(&use, i, &on));
        cr_expect_eq(on, i == 1 || i == 8);
    }
    end();
}

Test(serial_devantech, the_small_one_has_two)
{
    begin(2);
    EXPECT_OK(use, open_it(EMU_PATIENT_MS));
    EXPECT_OK(use, use_set(&use, 2, true));
    EXPECT_ERROR(use, use_set(&use, 3, true), RIG_EUNSUPPORTED, "1 to 2");
    emu_expect(&emu, "5A 66");
    end();
}

/* Another device behind the name is not switched. */
Test(serial_devantech, an_unknown_module_is_refused_unless_one_says_what_it_has)
{
    begin(4);
    EXPECT_ERROR(use, open_it(EMU_PATIENT_MS), RIG_EANSWER, "module 28");
    emu_expect(&emu, "5A");
    EXPECT_OK(use, use_open(&use, "devantech_usb", EMU_PATIENT_MS,
                            PAIRS("device", emu.path, "channels", "4")));
    EXPECT_OK(use, use_set(&use, 4, true));
    EXPECT_ERROR(use, use_set(&use, 5, true), RIG_EUNSUPPORTED, "1 to 4");
    emu_expect(&emu, "5A 68");
    end();
}

Test(serial_devantech, silent_and_gone)
{
    bool on;
    begin(8);
    emu_fault(&emu, EMU_SILENT, NULL);
    EXPECT_ERROR(use, open_it(EMU_TIMEOUT_MS), RIG_ESILENT, "no answer to 5A");
    emu_fault(&emu, EMU_SAYS, "09");
    EXPECT_ERROR(use, open_it(EMU_TIMEOUT_MS), RIG_ESILENT, "only 1 of 2");
    emu_fault(&emu, EMU_WELL, NULL);
    EXPECT_OK(use, open_it(EMU_PATIENT_MS)); /* the first one's line is free again */
    emu_fault(&emu, EMU_GOES, NULL);
    EXPECT_ERROR(use, use_get(&use, 1, &on), RIG_EGONE, "5B");
    end();
}
