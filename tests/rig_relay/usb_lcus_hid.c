/* LCUS HID 5131:2007 and Ucreatefun 0519:2018 against literals of their protocols. */
#include "usb_kit.h"
#include <string.h>

#define driver (&rig_relay_lcus_hid)

static struct usb_device one[] = {{.kind = USB_LCUS, .usb = "1-1.4"}, {0}};

Test(usb_lcus_hid, the_four_bytes_behind_report_id_0)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_NO_PAIRS, RIG_OK, NULL);
    usb_set(driver, relay, 1, true, RIG_OK, NULL);
    usb_sent("write 00 A0 01 01 A2");
    usb_set(driver, relay, 1, false, RIG_OK, NULL);
    usb_sent("write 00 A0 01 00 A1");
    usb_set(driver, relay, 2, true, RIG_OK, NULL);
    usb_sent("write 00 A0 02 01 A3");
    usb_set(driver, relay, 2, false, RIG_OK, NULL);
    usb_sent("write 00 A0 02 00 A2");
    usb_set(driver, relay, 8, true, RIG_OK, NULL);
    usb_sent("write 00 A0 08 01 A9");
    cr_assert_eq(one[0].state, 0x80);
    driver->close(relay);
}

Test(usb_lcus_hid, decimal_5131_2007_is_another_device)
{
    struct usb_device dec[] = {{.kind = USB_LCUS, .usb = "1-1.4", .product_id = 2007}, {0}};
    usb_host(dec);
    usb_open(driver, USB_NO_PAIRS, RIG_EOPEN, "no LCUS HID relay (5131:2007)");
}

Test(usb_lcus_hid, two_are_told_apart_by_the_port_alone)
{
    struct usb_device two[] = {
        {.kind = USB_LCUS, .usb = "1-1.4"}, {.kind = USB_LCUS, .usb = "1-1.3"}, {0}};
    usb_host(two);
    usb_open(driver, USB_NO_PAIRS, RIG_EOPEN,
             "say which one by usb: 5131:2007 at 1-1.4, 5131:2007 at 1-1.3");
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("usb", "1-1.3"), RIG_OK, NULL);
    usb_set(driver, relay, 3, true, RIG_OK, NULL);
    driver->close(relay);
    cr_assert_eq(two[0].state, 0);
    cr_assert_eq(two[1].state, 0x04);
    two[1].taken = true;
    usb_open(driver, USB_PAIRS("usb", "1-1.3"), RIG_EBUSY, "another process");
    usb_open(driver, USB_PAIRS("usb", "1-1"), RIG_EOPEN, "at USB port 1-1; there is:");
}

Test(usb_lcus_hid, it_is_not_asked_for_its_state_unless_told_to)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("channels", "2"), RIG_OK, NULL);
    usb_get(driver, relay, 1, RIG_EUNSUPPORTED, "status: false");
    usb_get(driver, relay, 3, RIG_EUNSUPPORTED, "3");
    usb_set(driver, relay, 3, true, RIG_EUNSUPPORTED, "3");
    usb_sent("");
    driver->close(relay);
}

Test(usb_lcus_hid, the_status_is_text_over_several_reports)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("status", "true"), RIG_OK, NULL);
    for (unsigned bits = 0; bits < 16; bits++) {
        one[0].state = (uint8_t)bits;
        for (uint32_t channel = 1; channel <= 4; channel++) {
            cr_assert_eq(usb_get(driver, relay, channel, RIG_OK, NULL), bits >> (channel - 1) & 1);
            usb_sent("write 00 A0 0F 02 B1");
        }
    }
    usb_get(driver, relay, 5, RIG_ESILENT, "CH5: not told within 250 ms of A0 0F 02 B1");
    driver->close(relay);
}

/* "CH1: O" is the start of both. */
Test(usb_lcus_hid, half_a_word_is_no_state)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("status", "true"), RIG_OK, NULL);
    const char *const whole = "CH1: OFF\r\n";
    for (size_t n = 0; n < strlen(whole) - 1; n++) {
        char text[16] = "";
        memcpy(text, whole, n);
        one[0].text = text;
        usb_get(driver, relay, 1, RIG_ESILENT, "CH1: not told");
    }
    for (int i = 0; i < 3; i++) {
        one[0].text = (const char *[]){"CH1: ONLINE\r\n", "CH1: \r\n", "CH11: ON\r\nCH1=ON\r\n"}[i];
        usb_get(driver, relay, 1, RIG_ESILENT, "CH1: not told");
    }
    one[0].text = "CH1:ON \r\n";
    cr_assert(usb_get(driver, relay, 1, RIG_OK, NULL));
    driver->close(relay);
}

Test(usb_lcus_hid, what_was_said_unasked_is_no_answer)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("status", "true"), RIG_OK, NULL);
    one[0].silent = false;
    usb_says(&one[0], "43 48 31 3A 20 4F 4E 0D 0A"); /* CH1: ON, an old one */
    cr_assert_not(usb_get(driver, relay, 1, RIG_OK, NULL));
    driver->close(relay);
}

Test(usb_lcus_hid, a_board_that_does_not_know_the_command_or_floods)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("status", "true"), RIG_OK, NULL);
    one[0].silent = true;
    usb_get(driver, relay, 1, RIG_ESILENT, "status: false, where a board doesn't know it");
    one[0].silent = false;
    char flood[1000];
    memset(flood, 'x', sizeof flood - 1);
    flood[sizeof flood - 1] = '\0';
    one[0].text = flood;
    usb_get(driver, relay, 1, RIG_EANSWER, "CH1: ON or OFF is not in them");
    driver->close(relay);
}

Test(usb_lcus_hid, unplugged_in_the_middle_and_a_state_that_does_not_follow)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("status", "true"), RIG_OK, NULL);
    one[0].stuck = true;
    usb_set(driver, relay, 1, true, RIG_OK, NULL);
    cr_assert_not(usb_get(driver, relay, 1, RIG_OK, NULL));
    one[0].unplugged = true;
    usb_set(driver, relay, 1, false, RIG_EGONE, "No such device");
    usb_get(driver, relay, 1, RIG_EGONE, "No such device");
    driver->close(relay);
}

#undef driver
#define driver (&rig_relay_ucreatefun)

Test(usb_ucreatefun, one_byte_behind_report_id_0)
{
    struct usb_device board[] = {{.kind = USB_UCREATEFUN, .usb = "1-2", .serial = "A0001"}, {0}};
    usb_host(board);
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("channels", "4"), RIG_OK, NULL);
    usb_set(driver, relay, 1, true, RIG_OK, NULL);
    usb_sent("write 00 F1");
    usb_set(driver, relay, 4, true, RIG_OK, NULL);
    usb_sent("write 00 F4");
    usb_set(driver, relay, 1, false, RIG_OK, NULL);
    usb_sent("write 00 01");
    cr_assert_eq(board[0].state, 0x08);
    /* 09 and F9 would switch all of them. */
    usb_set(driver, relay, 9, false, RIG_EUNSUPPORTED, "9");
    usb_set(driver, relay, 5, true, RIG_EUNSUPPORTED, "5");
    usb_sent("");
    cr_assert_null(driver->get);
    board[0].unplugged = true;
    usb_set(driver, relay, 1, true, RIG_EGONE, "No such device");
    driver->close(relay);
    cr_assert_eq(board[0].opened, board[0].closed);
}

Test(usb_ucreatefun, two_of_the_same_serial_number_need_the_port)
{
    struct usb_device two[] = {{.kind = USB_UCREATEFUN, .usb = "1-2", .serial = "A0001"},
                               {.kind = USB_UCREATEFUN, .usb = "1-3", .serial = "A0001"},
                               {0}};
    usb_host(two);
    usb_open(driver, USB_PAIRS("serial", "A0001"), RIG_EOPEN,
             "0519:2018 at 1-2 (serial A0001), 0519:2018 at 1-3 (serial A0001)");
    usb_open(driver, USB_PAIRS("serial", "A0002"), RIG_EOPEN, "of serial number A0002; there is:");
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("usb", "1-3"), RIG_OK, NULL);
    usb_set(driver, relay, 1, true, RIG_OK, NULL);
    cr_assert_eq(two[1].state, 0x01);
    driver->close(relay);
    two[0].taken = true;
    usb_open(driver, USB_PAIRS("usb", "1-2"), RIG_EBUSY, "another process");
}
