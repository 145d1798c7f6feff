/* YKUSH 04d8:f2f7 against literals of its protocol. */
#include "usb_kit.h"
#include <stdio.h>
#include <string.h>

#define driver (&rig_relay_ykush)

static struct usb_device one[] = {{.kind = USB_YKUSH, .usb = "1-1.4", .serial = "YK10001"}, {0}};

/* 65 bytes: report id 0, the command twice, zeros. */
static void sent(const char *command)
{
    char literal[300];
    int n = snprintf(literal, sizeof literal, "write 00 %s %s", command, command);
    for (int i = 0; i < 62; i++)
        n += snprintf(literal + n, sizeof literal - (size_t)n, " 00");
    usb_sent(literal);
}

Test(usb_ykush, commands_are_sent_twice_in_65_bytes)
{
    static const char command[3][2][3] = {{"01", "11"}, {"02", "12"}, {"03", "13"}};
    static const char question[3][3] = {"21", "22", "23"};
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_NO_PAIRS, RIG_OK, NULL);
    for (uint32_t port = 1; port <= 3; port++) {
        usb_set(driver, relay, port, true, RIG_OK, NULL);
        sent(command[port - 1][1]);
        cr_assert(usb_get(driver, relay, port, RIG_OK, NULL));
        sent(question[port - 1]);
        usb_set(driver, relay, port, false, RIG_OK, NULL);
        sent(command[port - 1][0]);
        cr_assert_not(usb_get(driver, relay, port, RIG_OK, NULL));
        sent(question[port - 1]);
    }
    usb_set(driver, relay, 4, true, RIG_EUNSUPPORTED, "4");
    usb_get(driver, relay, 10, RIG_EUNSUPPORTED, "10"); /* 0A and 1A are all of them */
    usb_sent("");
    driver->close(relay);
    cr_assert_eq(one[0].opened, one[0].closed);
}

Test(usb_ykush, the_xs_has_one_port)
{
    struct usb_device xs[] = {{.kind = USB_YKUSH, .usb = "1-1.4", .product_id = 0xf0cd}, {0}};
    usb_host(xs);
    struct rig_relay *relay = usb_open(driver, USB_NO_PAIRS, RIG_OK, NULL);
    usb_set(driver, relay, 1, true, RIG_OK, NULL);
    sent("11");
    usb_set(driver, relay, 2, true, RIG_EUNSUPPORTED, "2");
    driver->close(relay);
}

Test(usb_ykush, the_first_model_is_not_taken_for_one_of_these)
{
    struct usb_device legacy[] = {{.kind = USB_YKUSH, .usb = "1-1.4", .product_id = 0x0042}, {0}};
    usb_host(legacy);
    usb_open(driver, USB_NO_PAIRS, RIG_EOPEN, "there is: 04d8:0042 at 1-1.4");
}

Test(usb_ykush, the_serial_number_tells_two_apart)
{
    struct usb_device two[] = {
        {.kind = USB_YKUSH, .usb = "1-1.4", .serial = "YK10001"},
        {.kind = USB_YKUSH, .usb = "1-1.3", .serial = "Y3N0002", .product_id = 0xf11b},
        {0}};
    usb_host(two);
    usb_open(driver, USB_NO_PAIRS, RIG_EOPEN,
             "2 of YKUSH; say which one by serial or usb: 04d8:f2f7 at 1-1.4 (serial YK10001), "
             "04d8:f11b at 1-1.3 (serial Y3N0002)");
    struct rig_relay *relay = usb_open(driver, USB_PAIRS("serial", "Y3N0002"), RIG_OK, NULL);
    usb_set(driver, relay, 3, true, RIG_OK, NULL);
    driver->close(relay);
    cr_assert_eq(two[0].state, 0);
    cr_assert_eq(two[1].state, 0x04);
    two[0].taken = true;
    usb_open(driver, USB_PAIRS("usb", "1-1.4"), RIG_EBUSY, "another process");
}

Test(usb_ykush, answers_that_are_none)
{
    static const struct {
        const char *answer;
        int on_set, on_get;
    } rows[] = {
        {"01 11 00", RIG_OK, RIG_OK},
        {"00 11 00", RIG_EREFUSED, RIG_EREFUSED},
        {"FF 11 00", RIG_EREFUSED, RIG_EREFUSED},
        {"01", RIG_EANSWER, RIG_EANSWER},
        {"01 12 00", RIG_OK, RIG_EANSWER}, /* another port's */
        {"01 21 00", RIG_OK, RIG_EANSWER}, /* neither up nor down */
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        usb_host(one);
        struct rig_relay *relay = usb_open(driver, USB_NO_PAIRS, RIG_OK, NULL);
        one[0].raw[0] = rows[i].answer;
        usb_set(driver, relay, 1, true, rows[i].on_set, "11 11: ");
        usb_get(driver, relay, 1, rows[i].on_get, "");
        driver->close(relay);
    }
}

Test(usb_ykush, silence_is_told_with_the_command)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_NO_PAIRS, RIG_OK, NULL);
    one[0].silent = true;
    usb_set(driver, relay, 2, true, RIG_ESILENT, "no answer to 12 12 within 250 ms");
    usb_get(driver, relay, 2, RIG_ESILENT, "no answer to 22 22 within 250 ms");
    driver->close(relay);
}

Test(usb_ykush, a_late_answer_is_not_taken_for_the_next)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_NO_PAIRS, RIG_OK, NULL);
    usb_says(&one[0], "01 11 00");
    cr_assert_not(usb_get(driver, relay, 1, RIG_OK, NULL));
    driver->close(relay);
}

Test(usb_ykush, unplugged_in_the_middle_and_a_state_that_does_not_follow)
{
    usb_host(one);
    struct rig_relay *relay = usb_open(driver, USB_NO_PAIRS, RIG_OK, NULL);
    one[0].stuck = true;
    usb_set(driver, relay, 1, true, RIG_OK, NULL);
    cr_assert_not(usb_get(driver, relay, 1, RIG_OK, NULL));
    one[0].unplugged = true;
    usb_set(driver, relay, 1, true, RIG_EGONE, "No such device");
    usb_get(driver, relay, 1, RIG_EGONE, "No such device");
    driver->close(relay);
    usb_open(driver, USB_NO_PAIRS, RIG_EOPEN, "no YKUSH (04d8:f2f7); there is none");
}
