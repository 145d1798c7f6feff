/* What is looked at before libfyaml sees it: that library trusts its input more than it may. */
#ifndef DAEMON_KIT_YAML_CHECK_H
#define DAEMON_KIT_YAML_CHECK_H

#include "daemon_kit/settings.h"

/* NULL, or what is wrong with the text, and where. */
const char *agent_kit_yaml_check(struct agent_kit_place *at, const char *bytes, size_t len);

#endif
