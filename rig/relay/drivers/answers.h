/* What devices answer, read without a device: for the drivers, their tests and the fuzzer. */
#ifndef RIG_RELAY_ANSWERS_H
#define RIG_RELAY_ANSWERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum rig_scpi_dialect { RIG_SCPI_RIGOL, RIG_SCPI_SIGLENT, RIG_SCPI_KEYSIGHT };

/* Each returns RIG_OK, RIG_EANSWER or RIG_EREFUSED, the latter with *said: the device's own words,
 * printable, cut to room. */

/* The answer to the question for an output's state: "ON", "1", or "0x14" (Siglent: bit 4 is CH1).
 */
int rig_scpi_state(bool *on, enum rig_scpi_dialect dialect, uint32_t channel, const char *text);
/* An entry of the error queue: +0,"No error", 0 No Error, -222,"Data out of range". */
int rig_scpi_error(const char *text);

/* {"POWER1":"OFF"}; POWER alone is the only relay of its device, thus relay 1. */
int rig_tasmota_power(bool *on, uint32_t channel, const char *text, size_t len, char *said,
                      size_t room);
/* {"StatusSTS":{...,"POWER1":"ON"}} */
int rig_tasmota_status(bool *on, uint32_t channel, const char *text, size_t len, char *said,
                       size_t room);

/* {"id":7,"result":{"was_on":true}} */
int rig_shelly_was_on(uint32_t id, const char *text, size_t len, char *said, size_t room);
/* {"id":7,"result":{"id":0,"output":true}} */
int rig_shelly_output(bool *on, uint32_t channel, uint32_t id, const char *text, size_t len,
                      char *said, size_t room);

/* Copies what can be printed, other bytes as '.', cut to room. */
void rig_answer_quote(char *out, size_t room, const char *text, size_t len);

#endif
