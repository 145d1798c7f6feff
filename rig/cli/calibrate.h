/* What a calibration found, told to people and as JSON. */
#ifndef RIG_CLI_CALIBRATE_H
#define RIG_CLI_CALIBRATE_H

#include "cli_internal.h"
#include "rig/calibrate.h"

/* With at least one sample. */
void rig_cli_print_calibration(const struct rig_cli_seat *seat,
                               const struct rig_calibration *found);
/* 0, or -1: it could not be written. */
int rig_cli_json_calibration(const struct rig_cli_seat *seat, const struct rig_calibration *found);

#endif
