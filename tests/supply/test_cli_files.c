/* The commands on good files, checked by the openssl command line and by other plain tools. */
#include "boot/image.h"
#include "shell.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void ok(const char *line)
{
    int code = shell("%s", line);
    cr_assert_eq(code, 0, "%s: exit %d: %s", line, code, shell_err());
}

/* A key pair, an image and its signature, by the commands under test. */
static void enter_with_release(void)
{
    shell_enter();
    ok("\"$FW\" keygen --id release-2026 --out KEY.pem --pub PUB.pem");
    ok("\"$FW\" build --size 20KiB --version 2.4.0 --device-type pump_monitor_v2 --min-hw Rev-B "
       "--counter 7 --out IMG");
    ok("\"$FW\" sign --key KEY.pem --image IMG --out SIG");
}

TestSuite(firmware_cli, .init = enter_with_release, .fini = shell_leave);

Test(firmware_cli, openssl_accepts_the_signature)
{
    ok("openssl dgst -sha256 -verify PUB.pem -signature SIG IMG");
    cr_assert_str_eq(shell_out(), "Verified OK\n");
    ok("cp IMG BAD && printf x | dd of=BAD bs=1 seek=5000 conv=notrunc");
    cr_assert_neq(shell("openssl dgst -sha256 -verify PUB.pem -signature SIG BAD"), 0);
}

Test(firmware_cli, verify_accepts_a_signature_made_by_openssl)
{
    ok("openssl dgst -sha256 -sign KEY.pem -out SIG2 IMG");
    ok("\"$FW\" verify --pub PUB.pem --image IMG --signature SIG2");
}

Test(firmware_cli, signing_twice_gives_the_same_bytes)
{
    ok("\"$FW\" sign --key KEY.pem --image IMG --out SIG2 && cmp SIG SIG2");
    ok("\"$FW\" build --size 20480 --seed 1 --version 2.4.0 --device-type pump_monitor_v2 "
       "--min-hw Rev-B --counter 7 --out IMG2 && cmp IMG IMG2");
}

Test(firmware_cli, the_private_key_is_readable_by_its_owner_alone)
{
    struct stat info;
    cr_assert_eq(stat("KEY.pem", &info), 0);
    cr_assert_eq(info.st_mode & 07777, 0600);
    ok("openssl pkey -in KEY.pem -noout -check");
    ok("openssl pkey -in KEY.pem -pubout -out P1 && openssl pkey -pubin -in PUB.pem -out P2 && "
       "cmp P1 P2");
    ok("grep -q 'certificate id: release-2026' KEY.pem");
}

Test(firmware_cli, two_keys_are_different)
{
    ok("\"$FW\" keygen --id b --out KEY2.pem --pub PUB2.pem");
    cr_assert_eq(shell("cmp -s KEY.pem KEY2.pem"), 1);
    cr_assert_eq(shell("\"$FW\" verify --pub PUB2.pem --image IMG --signature SIG"), 3);
}

Test(firmware_cli, keygen_never_overwrites_without_force)
{
    ok("cp KEY.pem BEFORE");
    cr_assert_eq(shell("\"$FW\" keygen --id b --out KEY.pem"), 1);
    cr_assert_not_null(strstr(shell_err(), "KEY.pem: exists already"), "%s", shell_err());
    /* A public key in the way: no private key without its public one. */
    cr_assert_eq(shell("\"$FW\" keygen --id b --out NEW.pem --pub PUB.pem"), 1);
    cr_assert_not_null(strstr(shell_err(), "PUB.pem: exists already"), "%s", shell_err());
    ok("cmp KEY.pem BEFORE");
    cr_assert_eq(shell_entries(), 5, "nothing is left behind");
    ok("\"$FW\" keygen --id b --out KEY.pem --pub PUB.pem --force");
    cr_assert_eq(shell("cmp -s KEY.pem BEFORE"), 1);
    cr_assert_eq(shell_entries(), 5);
}

Test(firmware_cli, verify_says_what_the_header_contains)
{
    static const char *const words[] = {"2.4.0", "pump_monitor_v2", "Rev-B",
                                        "7",     "20480",           "good, by PUB.pem"};
    ok("\"$FW\" verify --pub PUB.pem --image IMG --signature SIG");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        cr_assert_not_null(strstr(shell_out(), words[i]), "%s in %s", words[i], shell_out());
    ok("test \"$(\"$FW\" verify --pub PUB.pem --image IMG --signature SIG | sed -n 's/^sha256 "
       "*//p')\""
       " = \"$(sha256sum <IMG | cut -d' ' -f1)\"");
}

/* How an image or a signature is spoilt, and a word of the complaint. */
Test(firmware_cli, verify_exits_3_for_what_must_not_run)
{
    static const struct {
        const char *spoil, *word;
    } rows[] = {
        {"printf x | dd of=IMG bs=1 seek=20479 conv=notrunc", "not this key's signature"},
        {"printf x | dd of=IMG bs=1 seek=20 conv=notrunc", "sound image header"},
        {"printf x >>IMG", "header says 20480"},
        {"truncate -s -1 IMG", "header says 20480"},
        {"truncate -s 128 IMG", "has 128 bytes"},
        {"truncate -s 0 IMG", "has 0 bytes"},
        {"printf x >>SIG", "strict DER"},
        {"truncate -s -1 SIG", "strict DER"},
        {"truncate -s 0 SIG", "strict DER"},
        {"printf x | dd of=SIG bs=1 seek=40 conv=notrunc", "SIG"},
        {"head -c 72 /dev/zero >SIG", "strict DER"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ok("cp IMG IMG.good && cp SIG SIG.good");
        ok(rows[i].spoil);
        cr_assert_eq(shell("\"$FW\" verify --pub PUB.pem --image IMG --signature SIG"), 3, "%s: %s",
                     rows[i].spoil, shell_err());
        cr_assert_not_null(strstr(shell_err(), rows[i].word), "%s: %s", rows[i].spoil, shell_err());
        cr_assert_null(strstr(shell_out(), "good"));
        ok("mv IMG.good IMG && mv SIG.good SIG");
    }
    ok("\"$FW\" verify --pub PUB.pem --image IMG --signature SIG");
}

Test(firmware_cli, build_puts_a_header_before_the_payload)
{
    uint8_t bytes[BOOT_IMAGE_HEADER_BYTES];
    struct boot_image header;
    ok("head -c 12345 /dev/urandom >PAY && \"$FW\" build --payload PAY --version 1.10.0-rc.1 "
       "--device-type valve --min-hw Rev-C10 --out IMG && tail -c +129 IMG | cmp - PAY");
    FILE *file = fopen("IMG", "rb");
    cr_assert_not_null(file);
    cr_assert_eq(fread(bytes, 1, sizeof bytes, file), sizeof bytes);
    fclose(file);
    cr_assert_eq(boot_image_decode(&header, bytes), 0);
    cr_assert_eq(header.image_bytes, 12345 + BOOT_IMAGE_HEADER_BYTES);
    cr_assert_eq(header.security_counter, 1);
    cr_assert_str_eq(header.version, "1.10.0-rc.1");
    cr_assert_str_eq(header.device_type, "valve");
    cr_assert_str_eq(header.min_hw_revision, "Rev-C10");
}

Test(firmware_cli, manifest_names_the_bytes_that_are_there)
{
    ok("\"$FW\" manifest --image IMG --signature SIG --cert-id release-2026 --url "
       "https://cdn/p.bin "
       "--firmware-id pump-240 --release-notes https://n --rollback-version 2.3.1 "
       "--published-at 2026-03-19T10:00:00Z --out M");
    ok("printf '{\"firmware_id\":\"pump-240\",\"version\":\"2.4.0\",\"device_type\":"
       "\"pump_monitor_v2\",\"min_hw_revision\":\"Rev-B\",\"binary_url\":\"https://cdn/p.bin\","
       "\"binary_size_bytes\":20480,\"checksum_sha256\":\"%s\",\"signature_ecdsa\":\"%s\","
       "\"signing_cert_id\":\"release-2026\",\"release_notes_url\":\"https://n\","
       "\"rollback_version\":\"2.3.1\",\"published_at\":\"2026-03-19T10:00:00Z\"}\\n' "
       "\"$(sha256sum <IMG | cut -d' ' -f1)\" \"$(od -An -v -tx1 SIG | tr -d ' \\n')\" >WANT");
    ok("diff WANT M");
}

Test(firmware_cli, manifest_goes_to_standard_output_and_fills_in_the_rest)
{
    ok("\"$FW\" manifest --image IMG --signature SIG --cert-id c --url https://u --out -");
    cr_assert_not_null(strstr(shell_out(), "\"firmware_id\":\"pump_monitor_v2-2.4.0\""));
    cr_assert_not_null(strstr(shell_out(), "\"rollback_version\":\"\""));
    cr_assert_not_null(strstr(shell_out(), "Z\"}\n"));
    cr_assert_eq(shell_entries(), 4);
    cr_assert_eq(shell("\"$FW\" manifest --image IMG --signature SIG --cert-id c --url https://u "
                       "--out - >&-"),
                 1);
}

Test(firmware_cli, outputs_replace_old_ones_and_follow_the_umask)
{
    struct stat info;
    ok("echo old >OUT && umask 027 && \"$FW\" sign --key KEY.pem --image IMG --out OUT && "
       "cmp OUT SIG");
    cr_assert_eq(stat("OUT", &info), 0);
    cr_assert_eq(info.st_mode & 07777, 0640);
}
