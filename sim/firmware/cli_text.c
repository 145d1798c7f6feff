/* What the commands share: complaints, numbers, and the reading of an image. */
#include "cli.h"
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

int sim_fw_complain(const struct sim_fw_arguments *arguments, const char *subject,
                    const char *cause, ...)
{
    va_list values;
    fprintf(stderr, "brickyard firmware %s: %s: ", arguments->command, subject);
    va_start(values, cause);
    vfprintf(stderr, cause, values);
    va_end(values);
    fputc('\n', stderr);
    return SIM_FW_EXIT_USAGE;
}

int sim_fw_complain_file(const struct sim_fw_arguments *arguments, const char *path,
                         const struct sim_fw_why *why)
{
    return sim_fw_complain(arguments, path, "%s", why->text);
}

bool sim_fw_number(const struct sim_fw_arguments *arguments, enum sim_fw_option option,
                   bool with_unit, uint64_t max, uint64_t *out)
{
    const char *text = arguments->value[option];
    char *end;
    errno = 0;
    uint64_t number = strtoull(text, &end, 10);
    uint64_t unit = 1;
    if (with_unit && !strcmp(end, "KiB"))
        unit = 1 << 10;
    else if (with_unit && !strcmp(end, "MiB"))
        unit = 1 << 20;
    else if (*end)
        unit = 0;
    /* strtoull takes a sign and blanks, which are no part of a size or a counter. */
    if (unit && isdigit((unsigned char)text[0]) && !errno && number <= max / unit) {
        *out = number * unit;
        return true;
    }
    sim_fw_complain(arguments, sim_fw_option_name(option), "`%s` is no number from 0 to %ju%s",
                    text, (uintmax_t)max, with_unit ? " (KiB and MiB may follow)" : "");
    return false;
}

bool sim_fw_output_is_input(const struct sim_fw_arguments *arguments, const char *output,
                            const char *input)
{
    if (!input || !sim_fw_file_same(output, input))
        return false;
    sim_fw_complain(arguments, output, "is also an input (%s); give another file", input);
    return true;
}

static int check_image(const struct sim_fw_bytes *image, struct boot_image *header,
                       struct sim_fw_why *why)
{
    if (image->len <= BOOT_IMAGE_HEADER_BYTES) {
        sim_fw_explain(why, "has %zu bytes; an image has a header of %d and a payload", image->len,
                       BOOT_IMAGE_HEADER_BYTES);
        return SIM_FW_EFORMAT;
    }
    if (boot_image_decode(header, image->data)) {
        sim_fw_explain(why, "does not begin with a sound image header");
        return SIM_FW_EFORMAT;
    }
    if (header->image_bytes != image->len) {
        sim_fw_explain(why, "has %zu bytes, but its header says %ju", image->len,
                       (uintmax_t)header->image_bytes);
        return SIM_FW_EFORMAT;
    }
    return SIM_FW_OK;
}

int sim_fw_read_image(const struct sim_fw_arguments *arguments, struct sim_fw_bytes *image,
                      struct boot_image *header)
{
    const char *path = arguments->value[SIM_FW_OPT_IMAGE];
    struct sim_fw_why why;
    if (sim_fw_file_read(image, path, SIM_FW_IMAGE_MAX, &why))
        return sim_fw_complain_file(arguments, path, &why);
    if (!check_image(image, header, &why))
        return SIM_FW_EXIT_OK;
    sim_fw_bytes_free(image);
    sim_fw_complain_file(arguments, path, &why);
    return SIM_FW_EXIT_UNSAFE;
}
