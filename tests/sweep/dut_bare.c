/* A shared object that is no device: no dut_device. */
int dut_devise(void);

int dut_devise(void)
{
    return 1;
}
