/* Kinds of PDUs that are switched by SNMP, from their MIBs. */
#include "snmp_kind.h"
#include <assert.h>
#include <ctype.h>
#include <string.h>

const struct rig_snmp_kind rig_snmp_kinds[RIG_SNMP_KINDS] = {
    /* PowerNet-MIB sPDUOutletCtl: outletOn 1, outletOff 2 */
    {
        .name = "apc_masterswitch",
        .v1 = true,
        .on_oid = ".1.3.6.1.4.1.318.1.1.4.4.2.1.3.{channel}",
        .off_oid = ".1.3.6.1.4.1.318.1.1.4.4.2.1.3.{channel}",
        .on = 1,
        .off = 2,
        .state_oid = ".1.3.6.1.4.1.318.1.1.4.4.2.1.3.{channel}",
        .state_on = 1,
        .state_off = 2,
    },
    /* PowerNet-MIB rPDUOutletControlOutletCommand: immediateOn 1, immediateOff 2 */
    {
        .name = "apc_rpdu",
        .v1 = true,
        .on_oid = ".1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.{channel}",
        .off_oid = ".1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.{channel}",
        .on = 1,
        .off = 2,
        .state_oid = ".1.3.6.1.4.1.318.1.1.12.3.3.1.1.4.{channel}",
        .state_on = 1,
        .state_off = 2,
    },
    /* PDU2-MIB switchingOperation: off 0, on 1; outletSwitchingState: on 7, off 8 */
    {
        .name = "raritan",
        .on_oid = ".1.3.6.1.4.1.13742.6.4.1.2.1.2.1.{channel}",
        .off_oid = ".1.3.6.1.4.1.13742.6.4.1.2.1.2.1.{channel}",
        .on = 1,
        .off = 0,
        .state_oid = ".1.3.6.1.4.1.13742.6.4.1.2.1.3.1.{channel}",
        .state_on = 7,
        .state_off = 8,
    },
    /* EATON-EPDU-MIB outletControlOffCmd and OnCmd: seconds of delay, 1 is what others send too
     * (labgrid); outletControlStatus: off 0, on 1, pendingOff 2, pendingOn 3 */
    {
        .name = "eaton",
        .on_oid = ".1.3.6.1.4.1.534.6.6.7.6.6.1.4.0.{channel}",
        .off_oid = ".1.3.6.1.4.1.534.6.6.7.6.6.1.3.0.{channel}",
        .on = 1,
        .off = 1,
        .state_oid = ".1.3.6.1.4.1.534.6.6.7.6.6.1.2.0.{channel}",
        .state_on = 1,
        .state_off = 0,
        .still_on = 2,
        .still_off = 3,
    },
    /* RFC 3621 pethPsePortAdminEnable: true 1, false 2; group 1 */
    {
        .name = "poe",
        .on_oid = ".1.3.6.1.2.1.105.1.1.1.3.1.{channel}",
        .off_oid = ".1.3.6.1.2.1.105.1.1.1.3.1.{channel}",
        .on = 1,
        .off = 2,
        .state_oid = ".1.3.6.1.2.1.105.1.1.1.3.1.{channel}",
        .state_on = 1,
        .state_off = 2,
    },
};

/* One number at *at; false: none, or more than 32 bits. */
static bool number(unsigned long *out, const char **at)
{
    uint64_t value = 0;
    if (!isdigit((unsigned char)**at))
        return false;
    for (; isdigit((unsigned char)**at); (*at)++) {
        value = value * 10 + (uint64_t)(**at - '0');
        if (value > UINT32_MAX)
            return false;
    }
    *out = (unsigned long)value;
    return true;
}

size_t rig_snmp_oid(unsigned long *out, size_t room, const char *text, uint32_t channel)
{
    static const char mark[] = "{channel}";
    assert(out && text);
    size_t n = 0;
    text += *text == '.';
    for (;; text++) {
        if (n == room)
            return 0;
        if (!strncmp(text, mark, strlen(mark))) {
            out[n] = channel;
            text += strlen(mark);
        } else if (!number(&out[n], &text)) {
            return 0;
        }
        n++;
        if (*text != '.')
            break;
    }
    /* BER packs the first two numbers into one: 0 to 2, and below 40 unless the first is 2. */
    bool packs = n >= 2 && (out[0] == 2 || (out[0] < 2 && out[1] < 40));
    return *text || !packs ? 0 : n;
}
