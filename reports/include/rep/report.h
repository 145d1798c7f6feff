/*
 * The subcommand `brickyard report RUN.db [--json FILE] [--junit FILE]`: shows a stored result
 * again, in any form. The summary goes to standard output, unless a form was asked for there ("-").
 */
#ifndef REP_REPORT_H
#define REP_REPORT_H

/*
 * argv[0] is the subcommand's own name. Gives the exit code of the run in the file (0..8); 1 for
 * wrong usage or a file that cannot be read (the reason is on standard error); 8 where a form could
 * not be written.
 */
int rep_main(int argc, char **argv);

#endif
