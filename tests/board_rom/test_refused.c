/* What the bootloader refuses by itself, when it was written straight into the slot. */
#include "bench.h"
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

static struct bench bench;

static void setup(void)
{
    bench_init(&bench);
}

static void teardown(void)
{
    bench_free(&bench);
}

TestSuite(board_refused, .init = setup, .fini = teardown);

static uint8_t *trailer_of(int slot)
{
    return bench.nor + boot_layout_trailer(bench.env.layout, slot);
}

/* Writes the trailer's body again with another signature. */
static void put_signature(int slot, const uint8_t *sig, uint16_t len)
{
    struct boot_trailer trailer = {0};
    cr_assert(!boot_trailer_decode(&trailer, trailer_of(slot)));
    memset(trailer.signature, 0, sizeof trailer.signature);
    memcpy(trailer.signature, sig, len);
    trailer.signature_bytes = len;
    cr_assert(!boot_trailer_encode(trailer_of(slot), &trailer));
}

static void header(int slot, void (*change)(struct boot_image *header))
{
    struct bench_image image;
    bench_image(&image, "idle", 0);
    change(&image.header);
    bench_seal(&image);
    bench_install(&bench, slot, &image, 0, 0);
    bench_image_free(&image);
}

static void whole(int slot, int key)
{
    struct bench_image image;
    bench_image(&image, "idle", 0);
    bench_install(&bench, slot, &image, key, 0);
    bench_image_free(&image);
}

static void is_unsigned(int slot)
{
    whole(slot, 0);
    memset(trailer_of(slot), 0xFF, BOARD_NOR_SECTOR);
}

static void has_no_image(int slot)
{
    whole(slot, 0);
    memset(bench.nor + bench.env.layout->slot_addr[slot], 0xFF, BOARD_NOR_PAGE);
}

static void is_by_a_stranger(int slot)
{
    whole(slot, 1);
}

static void names_an_unknown_key(int slot)
{
    struct boot_trailer trailer = {0};
    whole(slot, 1);
    cr_assert(!boot_trailer_decode(&trailer, trailer_of(slot)));
    memcpy(trailer.cert_id, "stranger", sizeof "stranger");
    cr_assert(!boot_trailer_encode(trailer_of(slot), &trailer));
}

static void has_a_flipped_bit(int slot)
{
    whole(slot, 0);
    bench.nor[bench.env.layout->slot_addr[slot] + 1000] ^= 0x10;
}

static void has_another_version(int slot)
{
    struct bench_image image;
    whole(slot, 0);
    bench_image(&image, "idle", 0);
    memcpy(image.header.version, "9.9.9", sizeof "9.9.9");
    bench_seal(&image);
    memcpy(bench.nor + bench.env.layout->slot_addr[slot], image.bytes, BOOT_IMAGE_HEADER_BYTES);
    bench_image_free(&image);
}

static void has_r_of_0(int slot)
{
    whole(slot, 0);
    put_signature(slot, (const uint8_t[]){0x30, 6, 2, 1, 0, 2, 1, 1}, 8);
}

static void has_a_padded_signature(int slot)
{
    uint8_t sig[BOOT_SIGNATURE_MAX + 1];
    struct boot_trailer trailer = {0};
    whole(slot, 0);
    cr_assert(!boot_trailer_decode(&trailer, trailer_of(slot)));
    memcpy(sig, trailer.signature, BOOT_SIGNATURE_MAX);
    /* s becomes one byte longer than it must be; the first bytes of r stay. */
    size_t at_s = 4 + (size_t)sig[3];
    size_t len = trailer.signature_bytes;
    memmove(sig + at_s + 3, sig + at_s + 2, len - at_s - 2);
    sig[at_s + 2] = 0;
    sig[at_s + 1]++;
    sig[1]++;
    if (len + 1 <= BOOT_SIGNATURE_MAX)
        put_signature(slot, sig, (uint16_t)(len + 1));
    else
        has_r_of_0(slot);
}

static void change_size(struct boot_image *image)
{
    image->image_bytes = BOARD_SLOT_BYTES - BOARD_NOR_SECTOR + 1;
}

static void is_too_large(int slot)
{
    struct bench_image image;
    bench_image(&image, "idle", BOARD_SLOT_BYTES - BOARD_NOR_SECTOR + 1);
    bench_install(&bench, slot, &image, 0, 0);
    bench_image_free(&image);
}

static void says_that_it_is_too_large(int slot)
{
    header(slot, change_size);
}

static void change_type(struct boot_image *image)
{
    memcpy(image->device_type, "valve", sizeof "valve");
}

static void is_for_another_type(int slot)
{
    header(slot, change_type);
}

static void change_revision(struct boot_image *image)
{
    memcpy(image->min_hw_revision, "Rev-D", sizeof "Rev-D");
}

static void needs_a_newer_board(int slot)
{
    header(slot, change_revision);
}

struct row {
    char name[40], verdict[48];
    void (*make)(int slot);
};
static const struct row row[] = {
    {"unsigned", "empty", is_unsigned},
    {"no image", "empty", has_no_image},
    {"by a stranger", "\"wrong hash or signature\"", is_by_a_stranger},
    {"unknown key", "\"unknown key\"", names_an_unknown_key},
    {"flipped bit", "\"wrong hash or signature\"", has_a_flipped_bit},
    {"another header", "\"wrong hash or signature\"", has_another_version},
    {"r = 0", "\"wrong hash or signature\"", has_r_of_0},
    {"padded s", "\"wrong hash or signature\"", has_a_padded_signature},
    {"too large", "\"broken header\"", is_too_large},
    {"says that it is too large", "\"broken header\"", says_that_it_is_too_large},
    {"another type", "\"wrong device type\"", is_for_another_type},
    {"newer board", "\"hardware revision too old\"", needs_a_newer_board},
};

/* Alone on the device: the trailer's mark says that it was confirmed, and it is refused all the
 * same. */
ParameterizedTestParameters(board_refused, alone_it_is_not_booted)
{
    static int index[sizeof row / sizeof *row];
    for (int i = 0; i < (int)(sizeof row / sizeof *row); i++)
        index[i] = i;
    return cr_make_param_array(int, index, sizeof row / sizeof *row);
}

ParameterizedTest(int *index, board_refused, alone_it_is_not_booted)
{
    char expected[160];
    row[*index].make(BOOT_SLOT_A);
    cr_assert(!boot_trailer_mark(&bench.flash, bench.env.layout, BOOT_SLOT_A, 1));
    snprintf(expected, sizeof expected,
             "event=no_boot error=BOOT_OK slot_a=%s slot_b=", row[*index].verdict);
    bench_on(&bench);
    cr_expect(bench_wait(&bench, expected), "%s", row[*index].name);
    cr_expect_not(bench_says(&bench, "event=payload", 300), "%s", row[*index].name);
}

ParameterizedTestParameters(board_refused, as_a_trial_it_gives_way_to_the_active_image)
{
    static int index[sizeof row / sizeof *row];
    for (int i = 0; i < (int)(sizeof row / sizeof *row); i++)
        index[i] = i;
    return cr_make_param_array(int, index, sizeof row / sizeof *row);
}

ParameterizedTest(int *index, board_refused, as_a_trial_it_gives_way_to_the_active_image)
{
    struct bench_image image;
    bench_image(&image, "idle", 0);
    bench_install(&bench, BOOT_SLOT_A, &image, 0, 1);
    bench_image_free(&image);
    bench_config(&bench);
    row[*index].make(BOOT_SLOT_B);
    bench_trial(&bench);
    bench_on(&bench);
    cr_expect(bench_wait(&bench, "event=boot slot=A trial=no"), "%s", row[*index].name);
    cr_expect(bench_wait(&bench, "cause=\"trial slot not valid\""), "%s", row[*index].name);
    cr_expect(bench_wait(&bench, "event=payload slot=0 trial=0"), "%s", row[*index].name);
}
