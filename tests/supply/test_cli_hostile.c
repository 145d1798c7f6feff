/* The commands on files and arguments that are wrong: one clear complaint, and nothing left behind.
 */
#include "shell.h"
#include <criterion/criterion.h>
#include <string.h>

static void ok(const char *line)
{
    int code = shell("%s", line);
    cr_assert_eq(code, 0, "%s: exit %d: %s", line, code, shell_err());
}

#define BUILD "\"$FW\" build --version 1.0.0 --device-type t --min-hw A "
#define SIGN "\"$FW\" sign --key KEY.pem --image IMG --out OUT "
#define MANIFEST "\"$FW\" manifest --signature SIG --cert-id c --url u --out OUT "

static void enter_with_traps(void)
{
    shell_enter();
    ok("\"$FW\" keygen --id a --out KEY.pem --pub PUB.pem && " BUILD "--size 4096 --out IMG && "
       "\"$FW\" sign --key KEY.pem --image IMG --out SIG");
    ok("mkdir DIR && : >EMPTY && truncate -s 5G HUGE && mkfifo PIPE && ln -s LOOP LOOP && "
       "head -c 3000 /dev/urandom >NOISE && cp KEY.pem SECRET && cp PUB.pem OTHER && "
       "mkdir FULL && chmod 600 SECRET");
    ok("openssl ecparam -name secp384r1 -genkey -noout -out P384.pem && "
       "openssl pkey -in P384.pem -pubout -out P384PUB.pem && "
       "openssl genpkey -algorithm ed25519 -out ED.pem && "
       "openssl pkey -in KEY.pem -aes128 -passout pass:x -out LOCKED.pem && "
       "openssl ecparam -name secp256k1 -genkey -noout -out K256.pem");
}

TestSuite(firmware_hostile, .init = enter_with_traps, .fini = shell_leave);

struct row {
    const char *line, *file, *cause;
};

static void each_complains(const struct row *row, size_t rows)
{
    unsigned before = shell_entries();
    for (size_t i = 0; i < rows; i++) {
        int code = shell("%s", row[i].line);
        cr_assert_eq(code, 1, "%s: exit %d, %s", row[i].line, code, shell_err());
        cr_assert_not_null(strstr(shell_err(), row[i].file), "%s: %s", row[i].line, shell_err());
        cr_assert_not_null(strstr(shell_err(), row[i].cause), "%s: %s", row[i].line, shell_err());
        cr_assert_eq(shell_entries(), before, "%s leaves a file", row[i].line);
        cr_assert_null(strstr(shell_err(), "Sanitizer"), "%s: %s", row[i].line, shell_err());
    }
}

Test(firmware_hostile, inputs_that_are_no_files)
{
    static const struct row rows[] = {
        {BUILD "--payload DIR --out OUT", "DIR", "is a directory"},
        {BUILD "--payload NONE --out OUT", "NONE", "No such file"},
        {BUILD "--payload EMPTY --out OUT", "EMPTY", "is empty"},
        {BUILD "--payload HUGE --out OUT", "HUGE", "has 5368709120 bytes"},
        {BUILD "--payload PIPE --out OUT", "PIPE", "no regular file"},
        {BUILD "--payload LOOP --out OUT", "LOOP", "symbolic links"},
        {BUILD "--payload /dev/zero --out OUT", "/dev/zero", "no regular file"},
        {BUILD "--payload KEY.pem/x --out OUT", "KEY.pem/x", "Not a directory"},
        {"AS_NOBODY=1 " BUILD "--payload SECRET --out OUT", "SECRET", "Permission denied"},
        {"\"$FW\" sign --key DIR --image IMG --out OUT", "DIR", "is a directory"},
        {"\"$FW\" sign --key HUGE --image IMG --out OUT", "HUGE", "5368709120"},
        {"\"$FW\" sign --key KEY.pem --image HUGE --out OUT", "HUGE", "5368709120"},
        {"\"$FW\" sign --key KEY.pem --image PIPE --out OUT", "PIPE", "no regular file"},
        {"\"$FW\" verify --pub PUB.pem --image HUGE --signature SIG", "HUGE", "5368709120"},
        {"\"$FW\" verify --pub PUB.pem --image IMG --signature HUGE", "HUGE", "5368709120"},
        {"\"$FW\" verify --pub PUB.pem --image IMG --signature DIR", "DIR", "is a directory"},
        {"\"$FW\" verify --pub NONE --image IMG --signature SIG", "NONE", "No such file"},
        {MANIFEST "--image DIR", "DIR", "is a directory"},
        {MANIFEST "--image EMPTY", "EMPTY", "has 0 bytes"},
    };
    each_complains(rows, sizeof rows / sizeof *rows);
}

Test(firmware_hostile, contents_that_are_wrong)
{
    static const struct row rows[] = {
        {"\"$FW\" sign --key P384.pem --image IMG --out OUT", "P384.pem", "secp384r1"},
        {"\"$FW\" sign --key ED.pem --image IMG --out OUT", "ED.pem", "ED25519"},
        {"\"$FW\" sign --key LOCKED.pem --image IMG --out OUT", "LOCKED.pem", "encrypted"},
        {"\"$FW\" sign --key K256.pem --image IMG --out OUT", "K256.pem", "secp256k1"},
        {"\"$FW\" sign --key PUB.pem --image IMG --out OUT", "PUB.pem", "no PEM private key"},
        {"\"$FW\" sign --key NOISE --image IMG --out OUT", "NOISE", "no PEM private key"},
        {"\"$FW\" sign --key EMPTY --image IMG --out OUT", "EMPTY", "no PEM private key"},
        {"\"$FW\" sign --key KEY.pem --image NOISE --out OUT", "NOISE", "sound image header"},
        {"\"$FW\" sign --key KEY.pem --image EMPTY --out OUT", "EMPTY", "has 0 bytes"},
        {"\"$FW\" verify --pub P384PUB.pem --image IMG --signature SIG", "P384PUB", "secp384r1"},
        {"\"$FW\" verify --pub KEY.pem --image IMG --signature SIG", "KEY.pem", "no PEM public"},
        {"\"$FW\" verify --pub EMPTY --image IMG --signature SIG", "EMPTY", "no PEM public key"},
        {MANIFEST "--image NOISE", "NOISE", "sound image header"},
        {"\"$FW\" manifest --image IMG --signature NOISE --cert-id c --url u --out OUT", "NOISE",
         "strict DER"},
    };
    each_complains(rows, sizeof rows / sizeof *rows);
}

Test(firmware_hostile, outputs_that_cannot_be)
{
    static const struct row rows[] = {
        {SIGN "--force", "--force", "unknown option"},
        {"\"$FW\" sign --key KEY.pem --image IMG --out DIR", "DIR", "no regular file"},
        {"\"$FW\" sign --key KEY.pem --image IMG --out NONE/OUT", "NONE/OUT", "No such file"},
        {"\"$FW\" sign --key KEY.pem --image IMG --out PIPE", "PIPE", "no regular file"},
        {"\"$FW\" sign --key KEY.pem --image IMG --out IMG", "IMG", "also an input"},
        {"\"$FW\" sign --key KEY.pem --image IMG --out ./KEY.pem", "KEY.pem", "also an input"},
        {BUILD "--payload NOISE --out ./NOISE", "NOISE", "also an input"},
        {"\"$FW\" manifest --image IMG --signature SIG --cert-id c --url u --out SIG", "SIG",
         "also an input"},
        {"\"$FW\" keygen --id x --out NEW --pub NEW", "NEW", "private key"},
        {"\"$FW\" keygen --id x --out NONE/NEW", "NONE/NEW", "No such file"},
        {"\"$FW\" keygen --id x --out NEW --pub NONE/PUB", "NONE/PUB", "No such file"},
        {"\"$FW\" keygen --id x --out DIR --force", "DIR", "no regular file"},
        {"chmod 555 FULL && AS_NOBODY=1 " BUILD "--size 4096 --out FULL/OUT", "FULL/OUT",
         "Permission denied"},
        /* A disk that is full in the middle of the file. */
        {"trap '' XFSZ; ulimit -f 2; " BUILD "--size 1MiB --out OUT", "OUT", "cannot be written"},
    };
    each_complains(rows, sizeof rows / sizeof *rows);
    ok("cmp KEY.pem SECRET && test -p PIPE && \"$FW\" verify --pub PUB.pem --image IMG "
       "--signature SIG");
}

Test(firmware_hostile, arguments_that_are_wrong)
{
    static const struct row rows[] = {
        {"\"$FW\"", "usage", "keygen"},
        {"\"$FW\" frobnicate", "frobnicate", "no command"},
        {"\"$FW\" delta", "delta", "cannot make or apply deltas"},
        {"\"$FW\" patch --anything", "patch", "cannot make or apply deltas"},
        {"\"$FW\" sign --key KEY.pem --out OUT", "--image", "is missing"},
        {SIGN "--key KEY.pem", "--key", "given twice"},
        {SIGN "stray", "stray", "is no option"},
        {SIGN "--colour", "--colour", "unknown option"},
        {"\"$FW\" sign --key KEY.pem --image IMG --out", "--out", "missing argument"},
        {"\"$FW\" sign --key KEY.pem --image IMG --out ''", "--out", "is empty"},
        {"\"$FW\" keygen --id 'a b' --out NEW", "--id", "`a b`"},
        {"\"$FW\" keygen --id 123456789012345678901234 --out NEW", "--id", "1 to 23"},
        {BUILD "--out OUT", "--payload, --size", "exactly one"},
        {BUILD "--size 4096 --payload NOISE --out OUT", "--payload, --size", "exactly one"},
        {BUILD "--payload NOISE --seed 1 --out OUT", "--seed", "goes with --size"},
        {BUILD "--size 128 --out OUT", "--size", "no room"},
        {BUILD "--size -4096 --out OUT", "--size", "`-4096`"},
        {BUILD "--size 4096x --out OUT", "--size", "`4096x`"},
        {BUILD "--size 1GiB --out OUT", "--size", "`1GiB`"},
        {BUILD "--size 257MiB --out OUT", "--size", "`257MiB`"},
        {BUILD "--size 99999999999999999999999 --out OUT", "--size", "is no number"},
        {BUILD "--size 4096 --counter 4294967296 --out OUT", "--counter", "4294967295"},
        {BUILD "--size 4096 --counter 1KiB --out OUT", "--counter", "`1KiB`"},
        {"\"$FW\" build --size 4096 --version 2.4 --device-type t --min-hw A --out OUT",
         "--version", "no semantic version"},
        {"\"$FW\" build --size 4096 --version 1.0.0 --device-type "
         "12345678901234567890123456789012 --min-hw A --out OUT",
         "--device-type", "longer than 31"},
        {"\"$FW\" build --size 4096 --version 1.0.0 --device-type t --min-hw 1234567890123456 "
         "--out OUT",
         "--min-hw", "longer than 15"},
        {MANIFEST "--image IMG --published-at 2026-02-31T10:00:00Z", "--published-at", "no time"},
        {MANIFEST "--image IMG --published-at yesterday", "--published-at", "no time"},
        {MANIFEST "--image IMG --rollback-version x", "--rollback-version", "no semantic version"},
        {MANIFEST "--image IMG --firmware-id $(printf 'x%.0s' $(seq 40))", "manifest", "longer"},
        {MANIFEST "--image IMG --release-notes $(printf '\\377')", "manifest", "UTF-8"},
    };
    each_complains(rows, sizeof rows / sizeof *rows);
}

Test(firmware_hostile, help_is_no_error)
{
    ok("\"$FW\" --help");
    cr_assert_not_null(strstr(shell_out(), "--rollback-version"));
    ok("\"$FW\" keygen --help");
    cr_assert_not_null(strstr(shell_out(), "--force"));
}

/* A header may hold any bytes between its NULs; a terminal must not be made to obey them. */
Test(firmware_hostile, control_characters_of_a_header_are_not_printed)
{
    ok("\"$FW\" build --size 4096 --version 1.0.0 --device-type \"$(printf 'a\\033[2Jb')\" "
       "--min-hw A --out ESC && \"$FW\" sign --key KEY.pem --image ESC --out ESC.sig && "
       "\"$FW\" verify --pub PUB.pem --image ESC --signature ESC.sig");
    cr_assert_null(strchr(shell_out(), '\033'));
    cr_assert_not_null(strstr(shell_out(), "a?[2Jb"));
}
