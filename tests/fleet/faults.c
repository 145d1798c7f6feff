#include "fleet_bench.h"
