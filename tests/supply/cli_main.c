/* `brickyard firmware` alone. AS_NOBODY lets a test that runs as root meet a file that it may not
 * read. */
#include "sim/firmware.h"
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    enum { NOBODY = 65534 };
    if (getenv("AS_NOBODY") && geteuid() == 0 && setuid(NOBODY))
        return 99;
    return sim_fw_main(argc, argv);
}
