/*
 * `brickyard rig ...`: the bench from the command line. Each subcommand is a file here and a row of
 * the table in rig.c.
 *
 * argv[0] is "rig". Returns an exit code of CONTRACT.md: 0; 1: usage, bench file, a board that is
 * in use (nothing was touched); 7: the console's marker did not come; 8: relay, console or flashing
 * failed. What is wrong goes to standard error. NULL is misuse.
 */
#ifndef RIG_CLI_H
#define RIG_CLI_H

int rig_cli(int argc, char **argv);

#endif
