/* The parts of a bench file, each read by one function: 0, or -1 with the message. */
#ifndef RIG_BENCHFILE_READER_H
#define RIG_BENCHFILE_READER_H

#include "value.h"

/* `controllers:`, before the boards: they name them. */
int bench_read_controllers(struct bench_reader *r, const struct bench_node *node);
int bench_read_boards(struct bench_reader *r, const struct bench_node *node);
/* {controller, channel, ...} with the keys of its function. */
enum bench_contact_kind { BENCH_POWER, BENCH_RESET, BENCH_STRAP };
int bench_read_contact(struct bench_reader *r, struct rig_bench_contact *out,
                       enum bench_contact_kind kind, const struct bench_node *node);
/* {serial, baud}, {tcp} or {unix}. */
int bench_read_console(struct bench_reader *r, struct rig_console_at *out,
                       const struct bench_node *node);
/* That nothing belongs to two boards. */
int bench_check_boards(struct bench_reader *r, const struct bench_node *boards);

#endif
