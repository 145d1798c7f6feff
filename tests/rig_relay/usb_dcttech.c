/* dcttech 16c0:05df against literals of its protocol. */
#include "usb_kit.h"

#define driver (&rig_relay_dcttech)

static struct usb_device two[] = {
    {.kind = USB_DCTTECH, .usb = "1-1.2", .product = "USBRelay2", .id = "BITFT"},
    {.kind = USB_DCTTECH, .usb = "1-1.3", .product = "USBRelay8", .id = "6QMBS"},
    {0},
};
static struct usb_device one[] = {
    {.kind = USB_OTHER, .usb = "1-1.1", .product = "DigiSpark"}, /* 16c0:05df is everybody's */
    {.kind = USB_DCTTECH, .usb = "1-1.4", .product = "USBRelay4", .id = "HURTM"},
    {0},
};

Test(usb_dcttech, on_and_off_are_nine_bytes_with_report_id_0)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_NO_PAIRS, RIG_OK, NULL);
    usb_sent("");
    usb_set(driver, relay, 1, true, RIG_OK, NULL);
    usb_sent("feature 00 FF 01 00 00 00 00 00 00");
    usb_set(driver, relay, 4, true, RIG_OK, NULL);
    usb_sent("feature 00 FF 04 00 00 00 00 00 00");
    usb_set(driver, relay, 1, false, RIG_OK, NULL);
    usb_sent("feature 00 FD 01 00 00 00 00 00 00");
    cr_assert_eq(one[1].state, 0x08);
    driver->close(relay);
    cr_assert_eq(one[1].state, 0x08, "closing switches nothing");
    cr_assert_eq(one[1].opened, one[1].closed);
}

Test(usb_dcttech, each_bit_of_byte_7_is_one_relay)
{
    usb_host(two);
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("id", "6QMBS"), RIG_OK, NULL);
    for (unsigned bits = 0; bits < 256; bits++) {
        two[1].state = (uint8_t)bits;
        for (uint32_t channel = 1; channel <= 8; channel++)
            cr_assert_eq(usb_get(driver, relay, channel, RIG_OK, NULL), bits >> (channel - 1) & 1);
    }
    driver->close(relay);
}

Test(usb_dcttech, no_such_device_is_said_with_what_is_there)
{
    struct usb_device none[] = {{0}};
    usb_host(none);
    usb_open(driver, USB_NO_PAIRS, RIG_EOPEN, "no dcttech relay (16c0:05df); there is none");
    usb_host(two);
    usb_open(driver, USB_PAIRS("usb", "3-1"), RIG_EOPEN, "at USB port 3-1; there is: 16c0:05df");
    usb_open(driver, USB_PAIRS("id", "XXXXX"), RIG_EOPEN, "BITFT at 1-1.2, 6QMBS at 1-1.3");
    struct usb_device other[] = {{.kind = USB_OTHER, .usb = "1-1.1", .product = "DigiSpark"}, {0}};
    usb_host(other);
    usb_open(driver, USB_NO_PAIRS, RIG_EOPEN, "DigiSpark at 1-1.1");
    cr_assert_eq(other[0].opened, 0);
}

Test(usb_dcttech, two_without_a_name_are_refused_with_both)
{
    usb_host(two);
    usb_open(driver, USB_NO_PAIRS, RIG_EOPEN,
             "2 of dcttech relay; say which one by id or usb: 16c0:05df USBRelay2 at 1-1.2, "
             "16c0:05df USBRelay8 at 1-1.3");
    cr_assert_eq(two[0].opened + two[1].opened, 0);
}

Test(usb_dcttech, the_id_or_the_port_tells_two_apart)
{
    usb_host(two);
    struct rig_relay *by_id = usb_open(driver, USB_PAIRS("id", "6QMBS"), RIG_OK, NULL);
    usb_set(driver, by_id, 8, true, RIG_OK, NULL);
    driver->close(by_id);
    cr_assert_eq(two[0].state, 0);
    cr_assert_eq(two[1].state, 0x80);
    struct rig_relay *by_port = usb_open(driver, USB_PAIRS("usb", "1-1.2"), RIG_OK, NULL);
    usb_set(driver, by_port, 2, true, RIG_OK, NULL);
    driver->close(by_port);
    cr_assert_eq(two[0].state, 0x02);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(two[i].opened, two[i].closed);
}

Test(usb_dcttech, the_product_string_tells_how_many_relays)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_NO_PAIRS, RIG_OK, NULL);
    usb_set(driver, relay, 5, true, RIG_EUNSUPPORTED, "5");
    usb_set(driver, relay, 0, true, RIG_EUNSUPPORTED, "0");
    usb_get(driver, relay, 5, RIG_EUNSUPPORTED, "5");
    usb_sent("");
    driver->close(relay);
}

Test(usb_dcttech, another_process_has_it)
{
    usb_host(one);
    one[1].taken = true;
    usb_open(driver, USB_NO_PAIRS, RIG_EBUSY, "another process");
    usb_open(driver, USB_PAIRS("id", "HURTM"), RIG_EBUSY, "another process");
    usb_host(two); /* the one that is busy is not the one that is meant */
    two[0].taken = true;
    driver->close(usb_open(driver, USB_PAIRS("id", "6QMBS"), RIG_OK, NULL));
}

Test(usb_dcttech, unplugged_in_the_middle)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_NO_PAIRS, RIG_OK, NULL);
    usb_set(driver, relay, 1, true, RIG_OK, NULL);
    one[1].unplugged = true;
    usb_set(driver, relay, 1, false, RIG_EGONE, "No such device");
    usb_get(driver, relay, 1, RIG_EGONE, "No such device");
    driver->close(relay);
    usb_open(driver, USB_NO_PAIRS, RIG_EOPEN, "no dcttech relay");
    one[1].unplugged = false;
    driver->close(usb_open(driver, USB_NO_PAIRS, RIG_OK, NULL));
}

Test(usb_dcttech, short_reports_are_no_state)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_NO_PAIRS, RIG_OK, NULL);
    for (one[1].report_bytes = 1; one[1].report_bytes < 8; one[1].report_bytes++)
        usb_get(driver, relay, 1, RIG_EANSWER, "not 8");
    driver->close(relay);
    one[1].report_bytes = 7;
    usb_open(driver, USB_NO_PAIRS, RIG_EANSWER, "a feature report of 7 bytes");
    cr_assert_eq(one[1].opened, one[1].closed);
}

Test(usb_dcttech, another_board_in_its_place_is_noticed)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_NO_PAIRS, RIG_OK, NULL);
    one[1].id = "\xEF"
                "AAMZ"; /* a spoilt one, as usbrelay's issue 102 has it */
    usb_get(driver, relay, 1, RIG_EANSWER, "its id is EF 41 41 4D 5A, and was HURTM");
    driver->close(relay);
    relay = usb_open(driver, USB_PAIRS("usb", "1-1.4"), RIG_OK, NULL);
    cr_assert_not(usb_get(driver, relay, 1, RIG_OK, NULL));
    driver->close(relay);
}

Test(usb_dcttech, a_state_that_does_not_follow_is_read_as_it_is)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_NO_PAIRS, RIG_OK, NULL);
    one[1].stuck = true;
    usb_set(driver, relay, 2, true, RIG_OK, NULL);
    cr_assert_not(usb_get(driver, relay, 2, RIG_OK, NULL));
    one[1].state = 0x02;
    usb_set(driver, relay, 2, false, RIG_OK, NULL);
    cr_assert(usb_get(driver, relay, 2, RIG_OK, NULL));
    driver->close(relay);
}
