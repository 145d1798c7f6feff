/* LCUS and HW-667: what goes out, byte by byte. */
#include "serial_kit.h"
#include <unistd.h>

static struct emu emu;
static struct use use;

Test(serial_lcus, frames_of_the_description)
{
    emu_start_pty(&emu, hear_lcus, 8);
    EXPECT_OK(use, use_open(&use, "lcus", EMU_TIMEOUT_MS, PAIRS("device", emu.path)));
    EXPECT_OK(use, use_set(&use, 1, true));
    emu_expect(&emu, "A0 01 01 A2");
    EXPECT_OK(use, use_set(&use, 1, false));
    emu_expect(&emu, "A0 01 00 A1");
    EXPECT_OK(use, use_set(&use, 2, true));
    emu_expect(&emu, "A0 02 01 A3");
    EXPECT_OK(use, use_set(&use, 2, false));
    emu_expect(&emu, "A0 02 00 A2");
    EXPECT_OK(use, use_set(&use, 8, true));
    emu_expect(&emu, "A0 08 01 A9");
    cr_expect(emu_on(&emu, 8) && !emu_on(&emu, 1) && !emu_on(&emu, 2));
    cr_expect_null(use.driver->get, "what it answers is not to be relied on");
    cr_expect_null(use.driver->pulse);
    use_close(&use);
    emu_stop(&emu);
}

/* Opening and closing moves no relay. */
Test(serial_lcus, nothing_is_sent_unasked)
{
    emu_start_pty(&emu, hear_lcus, 8);
    for (int i = 0; i < 3; i++) {
        EXPECT_OK(use, use_open(&use, "lcus", EMU_TIMEOUT_MS, PAIRS("device", emu.path)));
        use_close(&use);
    }
    EXPECT_OK(use, use_open(&use, "lcus", EMU_TIMEOUT_MS, PAIRS("device", emu.path)));
    EXPECT_OK(use, use_set(&use, 3, true));
    emu_expect(&emu, "A0 03 01 A4");
    use_close(&use);
    emu_stop(&emu);
}

/* 300 answers of 70 bytes are more than a tty holds: they must stop neither side. */
Test(serial_lcus, the_talking_kind_is_not_listened_to)
{
    emu_start_pty(&emu, hear_lcus_talking, 8);
    EXPECT_OK(use, use_open(&use, "lcus", EMU_PATIENT_MS, PAIRS("device", emu.path)));
    for (int i = 0; i < 150; i++) {
        EXPECT_OK(use, use_set(&use, 4, true));
        emu_expect(&emu, "A0 04 01 A5");
        EXPECT_OK(use, use_set(&use, 4, false));
        emu_expect(&emu, "A0 04 00 A4");
    }
    use_close(&use);
    emu_stop(&emu);
}

Test(serial_hw667, bytes_of_the_description)
{
    emu_start_pty(&emu, hear_hw667, 1);
    EXPECT_OK(use, use_open(&use, "hw667", EMU_TIMEOUT_MS, PAIRS("device", emu.path)));
    EXPECT_OK(use, use_set(&use, 1, true));
    EXPECT_OK(use, use_set(&use, 1, false));
    EXPECT_OK(use, use_pulse(&use, 1, true, 1000));
    EXPECT_OK(use, use_pulse(&use, 1, true, 300)); /* rounded up to its one grain */
    emu_expect(&emu, "AA BB CC CC");
    EXPECT_ERROR(use, use_pulse(&use, 1, true, 1001), RIG_EUNSUPPORTED, "one second");
    EXPECT_ERROR(use, use_pulse(&use, 1, false, 500), RIG_EUNSUPPORTED, "one second");
    EXPECT_ERROR(use, use_pulse(&use, 2, true, 500), RIG_EUNSUPPORTED, "channel 2");
    EXPECT_OK(use, use_set(&use, 1, false));
    emu_expect(&emu, "BB");
    use_close(&use);
    emu_stop(&emu);
}
