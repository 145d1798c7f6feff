/* 2.3.1: samples, compares, tells. */
#include "pump.h"

const struct pump_release pump_release = {
    .built_ms = 1768471200000, /* 2026-01-15T10:00:00Z */
    .title = "pump monitor",
};
