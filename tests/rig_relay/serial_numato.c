/* Numato: commands as text, by width of the model. */
#include "serial_kit.h"

static struct emu emu;
static struct use use;

static void begin(const char *channels, uint32_t relays)
{
    emu_start_pty(&emu, hear_numato, relays);
    EXPECT_OK(use, use_open(&use, "numato", EMU_PATIENT_MS,
                            PAIRS("device", emu.path, "channels", channels)));
    emu_expect(&emu, "0D");
}

static void end(void)
{
    use_close(&use);
    emu_stop(&emu);
}

Test(serial_numato, bytes_of_the_description)
{
    bool on;
    begin("8", 8);
    EXPECT_OK(use, use_set(&use, 3, true));
    emu_expect(&emu, "72 65 6C 61 79 20 6F 6E 20 33 0D"); /* relay on 3 */
    EXPECT_OK(use, use_set(&use, 3, false));
    emu_expect(&emu, "72 65 6C 61 79 20 6F 66 66 20 33 0D"); /* relay off 3 */
    EXPECT_OK(use, use_get(&use, 0, &on));
    emu_expect(&emu, "72 65 6C 61 79 20 72 65 61 64 20 30 0D"); /* relay read 0 */
    cr_expect(!on);
    end();
}

Test(serial_numato, numbers_of_each_width)
{
    static const struct {
        const char *channels;
        uint32_t relays, channel;
        const char *heard;
    } rows[] = {
        {"1", 1, 0, "72 65 6C 61 79 20 6F 6E 20 30 0D"},
        {"16", 16, 9, "72 65 6C 61 79 20 6F 6E 20 39 0D"},
        {"16", 16, 10, "72 65 6C 61 79 20 6F 6E 20 41 0D"},
        {"16", 16, 15, "72 65 6C 61 79 20 6F 6E 20 46 0D"},
        {"32", 32, 16, "72 65 6C 61 79 20 6F 6E 20 47 0D"},
        {"32", 32, 31, "72 65 6C 61 79 20 6F 6E 20 56 0D"},
        {"64", 64, 0, "72 65 6C 61 79 20 6F 6E 20 30 30 0D"},
        {"64", 64, 7, "72 65 6C 61 79 20 6F 6E 20 30 37 0D"},
        {"64", 64, 63, "72 65 6C 61 79 20 6F 6E 20 36 33 0D"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool on = false;
        begin(rows[i].channels, rows[i].relays);
        EXPECT_OK(use, use_set(&use, rows[i].channel, true));
        emu_expect(&emu, rows[i].heard);
        cr_expect(emu_on(&emu, rows[i].channel));
        EXPECT_OK(use, use_get(&use, rows[i].channel, &on));
        cr_expect(on);
        EXPECT_ERROR(use, use_set(&use, rows[i].relays, true), RIG_EUNSUPPORTED, "channel");
        end();
    }
}

/* Somebody before left half a command: the CR at opening ends it, and nothing is switched by it. */
Test(serial_numato, resync_after_half_a_command)
{
    struct use other;
    emu_start_pty(&emu, hear_numato, 8);
    memcpy(emu.frame, "rel", 3);
    emu.frame_bytes = 3;
    EXPECT_OK(other, use_open(&other, "numato", EMU_PATIENT_MS,
                              PAIRS("device", emu.path, "channels", "8")));
    EXPECT_OK(other, use_set(&other, 1, true));
    cr_expect(emu_on(&emu, 1));
    use_close(&other);
    emu_stop(&emu);
}

Test(serial_numato, answers_literally)
{
    static const struct {
        const char *says; /* to relay read 2 */
        int error;
        bool on;
        const char *part;
    } rows[] = {
        /* relay read 2 LF CR on LF CR > */
        {"72 65 6C 61 79 20 72 65 61 64 20 32 0A 0D 6F 6E 0A 0D 3E", RIG_OK, true, ""},
        {"72 65 6C 61 79 20 72 65 61 64 20 32 0D 0A 6F 66 66 0D 0A 3E", RIG_OK, false, ""},
        {"72 65 6C 61 79 20 72 65 61 64 20 32 0A 0D 3E", RIG_EANSWER, false, "no value"},
        /* ... what */
        {"72 65 6C 61 79 20 72 65 61 64 20 32 0A 0D 77 68 61 74 0A 0D 3E", RIG_EREFUSED, false,
         "what"},
        /* echo of relay read 3 */
        {"72 65 6C 61 79 20 72 65 61 64 20 33 0A 0D 6F 6E 0A 0D 3E", RIG_EANSWER, false,
         "came back as \"relay read 3\""},
        {"1B 5B 32 4A 00 3E", RIG_EANSWER, false, "came back as \"?[2J\""},
        {"3E", RIG_EANSWER, false, "came back as \"\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool on = !rows[i].on;
        begin("8", 8);
        emu_fault(&emu, EMU_SAYS, rows[i].says);
        if (rows[i].error)
            EXPECT_ERROR(use, use_get(&use, 2, &on), rows[i].error, rows[i].part);
        else
            EXPECT_OK(use, use_get(&use, 2, &on));
        cr_expect_eq(on, rows[i].error ? !rows[i].on : rows[i].on, "row %zu", i);
        end();
    }
}

/* A bench file that says 8 for a board of 4. */
Test(serial_numato, the_board_complains)
{
    bool on;
    begin("8", 4);
    EXPECT_ERROR(use, use_set(&use, 6, true), RIG_EREFUSED, "ERROR: Invalid command");
    EXPECT_ERROR(use, use_get(&use, 6, &on), RIG_EREFUSED, "relay read 6");
    EXPECT_OK(use, use_set(&use, 2, true)); /* and goes on */
    end();
}

Test(serial_numato, silent_endless_and_gone)
{
    bool on;
    char much[3 * 200 + 1] = "";
    for (int i = 0; i < 200; i++)
        memcpy(much + 3 * i, "41 ", 4);
    much[3 * 200 - 1] = '\0';
    emu_start_pty(&emu, hear_numato, 8);
    emu_fault(&emu, EMU_SILENT, NULL);
    EXPECT_ERROR(
        use, use_open(&use, "numato", EMU_TIMEOUT_MS, PAIRS("device", emu.path, "channels", "8")),
        RIG_ESILENT, "a bare CR");
    emu_fault(&emu, EMU_WELL, NULL);
    EXPECT_OK(use,
              use_open(&use, "numato", EMU_PATIENT_MS, PAIRS("device", emu.path, "channels", "8")));
    emu_fault(&emu, EMU_SAYS, much);
    EXPECT_ERROR(use, use_get(&use, 1, &on), RIG_EANSWER, "no end");
    emu_fault(&emu, EMU_GOES, NULL);
    EXPECT_ERROR(use, use_get(&use, 1, &on), RIG_EGONE, "relay read 1");
    end();
}
