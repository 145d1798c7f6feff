/* Shared by the files that run devices with faults of their own: a list of faults as text, and
 * where a device must end. */
#ifndef TESTS_FLEET_FAULT_LIST_H
#define TESTS_FLEET_FAULT_LIST_H

#include "fleet_bench.h"

#include <stddef.h>

enum { LIST_MAX = 16384 };

/* The scenario's list of faults, as text that grows. */
struct list {
    char text[LIST_MAX];
    size_t len;
};
void add(struct list *list, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Device i + 1 of the fleet, as `where` names it. */
#define ONE "where: {device: pumps-%05u}"

/* Old or new, settled (the promise of convergence), and the service knows which. */
void assert_at_rest(const struct fleet_run *run, const char *about);

#endif
