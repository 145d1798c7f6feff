#ifndef SIM_FAULTS_INTERNAL_H
#define SIM_FAULTS_INTERNAL_H

#include "sim/faults.h"

/* Draws how, form, target and details of one strike; the round counts up. */
void sim_fault_draw(struct sim_fault *out, const struct scn *scn, uint32_t fault, uint32_t device,
                    const uint32_t image_units[2]);

#endif
