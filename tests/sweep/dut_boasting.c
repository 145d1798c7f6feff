/* The example device (sim/dut/example), which checks nothing, with the traits of one that does. */
#include "fault.h"
#include "sim/dut.h"

/* single_copy.c is compiled with its dut_device under this name. */
const struct dut *single_copy_device(void);

const struct dut *dut_device(void)
{
    static const struct {
        const char *fault;
        uint32_t traits;
    } boast[] = {{"signed", DUT_SIGNED},
                 {"identity", DUT_IDENTITY},
                 {"no-downgrade", DUT_NO_DOWNGRADE},
                 {"tries", DUT_TRIES | DUT_REPORTS}};
    static struct dut device;
    device = *single_copy_device();
    device.name = "boasting";
    for (size_t i = 0; i < sizeof boast / sizeof *boast; i++)
        if (has_fault(boast[i].fault))
            device.traits |= boast[i].traits;
    return &device;
}
