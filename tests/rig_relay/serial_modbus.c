/* Modbus boards on a serial line, on TCP, and with RTU frames in TCP. The CRCs stand here as the
 * descriptions have them, or were reckoned by another program. */
#include "serial_kit.h"
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

static struct emu emu;
static struct use use;

static void begin_rtu(uint32_t timeout_ms)
{
    emu_start_pty(&emu, hear_rtu, 8);
    EXPECT_OK(use, use_open(&use, "modbus", timeout_ms, PAIRS("device", emu.path)));
}

static int open_tcp(const char *transport, uint32_t timeout_ms)
{
    return use_open(&use, "modbus", timeout_ms,
                    PAIRS("transport", transport, "host", "127.0.0.1", "port", emu.port));
}

static void end(void)
{
    use_close(&use);
    emu_stop(&emu);
}

Test(serial_modbus, rtu_frames_of_the_description)
{
    bool on = false;
    begin_rtu(EMU_PATIENT_MS);
    EXPECT_OK(use, use_set(&use, 0, true));
    emu_expect(&emu, "01 05 00 00 FF 00 8C 3A");
    EXPECT_OK(use, use_get(&use, 0, &on));
    emu_expect(&emu, "01 01 00 00 00 08 3D CC");
    cr_expect(on);
    EXPECT_OK(use, use_set(&use, 0, false));
    emu_expect(&emu, "01 05 00 00 00 00 CD CA");
    EXPECT_OK(use, use_set(&use, 7, true));
    emu_expect(&emu, "01 05 00 07 FF 00 3D FB");
    EXPECT_OK(use, use_get(&use, 0, &on));
    cr_expect(!on);
    EXPECT_OK(use, use_get(&use, 7, &on));
    cr_expect(on);
    end();
}

Test(serial_modbus, other_unit_base_and_one_coil_a_time)
{
    bool on = false;
    emu_start_pty(&emu, hear_rtu, 8); /* is unit 1: does not answer by itself */
    EXPECT_OK(use, use_open(&use, "modbus", EMU_TIMEOUT_MS,
                            PAIRS("device", emu.path, "unit", "17", "base", "19", "channels", "1",
                                  "read", "one")));
    EXPECT_ERROR(use, use_set(&use, 0, true), RIG_ESILENT, "unit 17");
    emu_expect(&emu, "11 05 00 13 FF 00 7F 6F");
    EXPECT_ERROR(use, use_get(&use, 0, &on), RIG_ESILENT, "no answer to FC01");
    emu_expect(&emu, "11 01 00 13 00 01 0E 9F");
    end();
}

/* 41: relays 0 and 6, from the boards' description. */
Test(serial_modbus, states_by_a_literal_answer)
{
    begin_rtu(EMU_PATIENT_MS);
    emu_fault(&emu, EMU_SAYS, "01 01 01 41 91 B8");
    for (uint32_t i = 0; i < 8; i++) {
        bool on;
        EXPECT_OK(use, use_get(&use, i, &on));
        cr_expect_eq(on, i == 0 || i == 6);
    }
    end();
}

/* An answer that came too late for its question is not taken for the next one's. */
Test(serial_modbus, what_came_before_is_thrown_away)
{
    bool on;
    begin_rtu(EMU_PATIENT_MS);
    EXPECT_OK(use, use_set(&use, 1, true));
    emu_say(&emu, "\x01\x01\x01\x00\x51\x88", 6); /* all off */
    EXPECT_OK(use, use_get(&use, 1, &on));
    cr_expect(on);
    end();
}

Test(serial_modbus, timed_forms)
{
    emu_start_pty(&emu, hear_rtu, 8);
    EXPECT_OK(use, use_open(&use, "modbus", EMU_PATIENT_MS,
                            PAIRS("device", emu.path, "timed", "waveshare")));
    EXPECT_OK(use, use_pulse(&use, 0, true, 700));
    emu_expect(&emu, "01 05 02 00 00 07 8D B0");
    EXPECT_OK(use, use_pulse(&use, 0, true, 601)); /* rounded up */
    emu_expect(&emu, "01 05 02 00 00 07 8D B0");
    EXPECT_OK(use, use_pulse(&use, 3, true, 1));
    emu_expect(&emu, "01 05 02 03 00 01 FD B2");
    EXPECT_OK(use, use_pulse(&use, 0, true, 3276700));
    emu_expect(&emu, "01 05 02 00 7F FF AC 02");
    EXPECT_ERROR(use, use_pulse(&use, 0, true, 3276701), RIG_EUNSUPPORTED, "at most 3276700 ms");
    EXPECT_ERROR(use, use_pulse(&use, 8, true, 100), RIG_EUNSUPPORTED, "channel 8");
    EXPECT_ERROR(use, use_pulse(&use, 0, false, 700), RIG_EREFUSED, "Illegal data address");
    emu_expect(&emu, "01 05 04 00 00 07 8D 38"); /* off; this board has no such form */
    end();
}

/* On another board 0x0200 + n is a relay like others. */
Test(serial_modbus, no_timed_forms_unless_said)
{
    begin_rtu(EMU_PATIENT_MS);
    EXPECT_ERROR(use, use_pulse(&use, 0, true, 700), RIG_EUNSUPPORTED, "timed");
    EXPECT_OK(use, use_set(&use, 0, false));
    emu_expect(&emu, "01 05 00 00 00 00 CD CA");
    end();
}

struct said {
    const char *says;
    int error;
    const char *part;
};

/* A little of it where the deadline is what is tested, else much: other tests run beside it. */
static uint32_t patience(const struct said *row)
{
    return strstr(row->part, "within") ? EMU_TIMEOUT_MS : EMU_PATIENT_MS;
}

/* Answers to "coil 0 on". */
Test(serial_modbus, wrong_answers_to_a_command)
{
    static const struct said rows[] = {
        {"01 05 00 00 FF 00 8C 3B", RIG_EANSWER, "Invalid CRC"},
        {"01 05 00 01 FF 00 DD FA", RIG_EANSWER, "FC05 coil 0000"}, /* another coil */
        {"01 05 00 00 00 00 CD CA", RIG_EANSWER, "value FF00"},     /* another value */
        {"02 05 00 00 FF 00 8C 09", RIG_EANSWER, "unit 1"},         /* another unit */
        {"01 01 01 41 91 B8", RIG_EANSWER, "Invalid"},              /* another function */
        {"01 85 02 C3 51", RIG_EREFUSED, "Illegal data address"},
        {"01 85 0B 03 57", RIG_ESILENT, "Target device"}, /* the gateway's word for it */
        {"01 85 63 02 B9", RIG_EANSWER, "exception"},     /* 0x63: none */
        {"01 05 00 00", RIG_ESILENT, "within 2000 ms"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        begin_rtu(patience(&rows[i]));
        emu_fault(&emu, EMU_SAYS, rows[i].says);
        EXPECT_ERROR(use, use_set(&use, 0, true), rows[i].error, rows[i].part);
        end();
    }
}

/* Answers to "the 8 coils from 0". */
Test(serial_modbus, wrong_answers_to_a_question)
{
    static const struct said rows[] = {
        {"01 01 02 41 00 89 AC", RIG_EANSWER, "FC01"}, /* two bytes for 8 coils */
        {"01 03 02 00 41 78 74", RIG_EANSWER, "FC01"},
        {"01 81 02 C1 91", RIG_EREFUSED, "Illegal data address"},
        {"01 01 01 41 91 B9", RIG_EANSWER, "Invalid CRC"},
        {"01 01", RIG_ESILENT, "within 2000 ms"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool on = true;
        begin_rtu(patience(&rows[i]));
        emu_fault(&emu, EMU_SAYS, rows[i].says);
        EXPECT_ERROR(use, use_get(&use, 1, &on), rows[i].error, rows[i].part);
        cr_expect(on, "an error has written the state");
        end();
    }
}

Test(serial_modbus, silent_slow_and_gone)
{
    bool on;
    begin_rtu(EMU_TIMEOUT_MS);
    emu_fault(&emu, EMU_SILENT, NULL);
    EXPECT_ERROR(use, use_set(&use, 0, true), RIG_ESILENT, "no answer to FC05 coil 0000");
    /* 8 bytes, 250 ms apart: the deadline is of the whole answer. */
    emu_fault(&emu, EMU_TRICKLES, NULL);
    EXPECT_ERROR(use, use_set(&use, 0, true), RIG_ESILENT, "within 2000 ms");
    end();
    begin_rtu(EMU_PATIENT_MS);
    emu_fault(&emu, EMU_GOES, NULL);
    EXPECT_ERROR(use, use_get(&use, 0, &on), RIG_EGONE, emu.path);
    end();
}

/* 3.5 characters of 11 bits at 1200 baud are 32 ms. */
Test(serial_modbus, frames_are_apart_on_a_serial_line)
{
    emu_start_pty(&emu, hear_rtu, 8);
    EXPECT_OK(use,
              use_open(&use, "modbus", EMU_PATIENT_MS, PAIRS("device", emu.path, "baud", "1200")));
    EXPECT_OK(use, use_set(&use, 0, true));
    int64_t since_us = rig_port_now_us();
    EXPECT_OK(use, use_set(&use, 0, false));
    cr_expect_geq(rig_port_now_us() - since_us, 31500);
    end();
}

Test(serial_modbus, tcp_frames_of_the_description)
{
    bool on = false;
    emu_start_tcp(&emu, hear_mbap, 8);
    EXPECT_OK(use, open_tcp("tcp", EMU_PATIENT_MS));
    EXPECT_OK(use, use_set(&use, 0, true));
    emu_expect(&emu, "00 00 00 00 00 06 01 05 00 00 FF 00");
    EXPECT_OK(use, use_get(&use, 0, &on));
    emu_expect(&emu, "00 01 00 00 00 06 01 01 00 00 00 08");
    cr_expect(on);
    EXPECT_OK(use, use_set(&use, 0, false));
    emu_expect(&emu, "00 00 00 00 00 06 01 05 00 00 00 00");
    end();
}

Test(serial_modbus, tcp_wrong_answers)
{
    static const struct said set_rows[] = {
        {"00 00 00 00 00 06 01 05 00 01 FF 00", RIG_EANSWER, "FC05"},
        {"00 00 00 00 00 06 09 05 00 00 FF 00", RIG_EANSWER, "FC05"},
        {"00 00 00 00 00 03 01 85 04", RIG_EREFUSED, "failure"},
    };
    static const struct said get_rows[] = {
        {"00 07 00 00 00 04 01 01 01 41", RIG_EANSWER, "FC01"}, /* another transaction */
        {"00 01 00 00 00 03 01 81 06", RIG_EREFUSED, "busy"},
    };
    bool on;
    for (size_t i = 0; i < sizeof set_rows / sizeof *set_rows; i++) {
        emu_start_tcp(&emu, hear_mbap, 8);
        EXPECT_OK(use, open_tcp("tcp", EMU_PATIENT_MS));
        emu_fault(&emu, EMU_SAYS, set_rows[i].says);
        EXPECT_ERROR(use, use_set(&use, 0, true), set_rows[i].error, set_rows[i].part);
        end();
    }
    for (size_t i = 0; i < sizeof get_rows / sizeof *get_rows; i++) {
        emu_start_tcp(&emu, hear_mbap, 8);
        EXPECT_OK(use, open_tcp("tcp", EMU_PATIENT_MS));
        emu_fault(&emu, EMU_SAYS, get_rows[i].says);
        EXPECT_ERROR(use, use_get(&use, 0, &on), get_rows[i].error, get_rows[i].part);
        end();
    }
}

Test(serial_modbus, rtu_frames_in_tcp)
{
    bool on = false;
    emu_start_tcp(&emu, hear_rtu, 8);
    EXPECT_OK(use, open_tcp("rtu_over_tcp", EMU_PATIENT_MS));
    EXPECT_OK(use, use_set(&use, 0, true));
    emu_expect(&emu, "01 05 00 00 FF 00 8C 3A");
    EXPECT_OK(use, use_get(&use, 0, &on));
    emu_expect(&emu, "01 01 00 00 00 08 3D CC");
    cr_expect(on);
    end();
}

/* And no SIGPIPE ends the rig. */
Test(serial_modbus, tcp_connection_lost)
{
    static const char *const transports[] = {"tcp", "rtu_over_tcp"};
    static emu_hear *const hears[] = {hear_mbap, hear_rtu};
    for (int i = 0; i < 2; i++) {
        emu_start_tcp(&emu, hears[i], 8);
        EXPECT_OK(use, open_tcp(transports[i], EMU_PATIENT_MS));
        emu_fault(&emu, EMU_GOES, NULL);
        EXPECT_ERROR(use, use_set(&use, 0, true), RIG_EGONE, emu.port);
        for (int again = 0; again < 3; again++)
            EXPECT_ERROR(use, use_set(&use, 0, true), RIG_EGONE, emu.port);
        end();
        EXPECT_ERROR(use, open_tcp(transports[i], EMU_PATIENT_MS), RIG_EOPEN, "refused");
    }
}

/* libmodbus waits by select(), whose sets end at 1024: a higher descriptor would write beside them.
 */
Test(serial_modbus, refused_where_too_many_files_are_open)
{
    struct rlimit limit;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_max < FD_SETSIZE + 100)
        cr_skip_test("no more than %d files may be open here", (int)limit.rlim_max);
    limit.rlim_cur = FD_SETSIZE + 100;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    emu_start_pty(&emu, hear_rtu, 8);
    int low = dup(0), high = low;
    while (high < FD_SETSIZE)
        cr_assert_geq(high = dup(0), 0);
    EXPECT_ERROR(use, use_open(&use, "modbus", EMU_PATIENT_MS, PAIRS("device", emu.path)),
                 RIG_EOPEN, "too many files");
    close(low);
    EXPECT_OK(use, use_open(&use, "modbus", EMU_PATIENT_MS, PAIRS("device", emu.path)));
    EXPECT_OK(use, use_set(&use, 0, true));
    end();
}

Test(serial_modbus, settings_that_do_not_go_together)
{
    EXPECT_ERROR(use, use_open(&use, "modbus", 100, PAIRS("transport", "rtu")), RIG_EOPEN,
                 "device");
    EXPECT_ERROR(use, use_open(&use, "modbus", 100, PAIRS("transport", "tcp")), RIG_EOPEN, "host");
    emu_start_pty(&emu, hear_rtu, 8);
    EXPECT_ERROR(use, use_open(&use, "modbus", 100, PAIRS("device", emu.path, "unit", "248")),
                 RIG_EOPEN, "unit");
    EXPECT_OK(use, use_open(&use, "modbus", 100, PAIRS("device", emu.path))); /* not left taken */
    end();
}
