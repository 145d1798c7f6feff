/* The words of --torn: each form by its name, and what is none is told. */
#include "sim/sweep.h"

#include <criterion/criterion.h>
#include <string.h>

Test(sweep_forms, every_form_has_a_name_of_its_own_and_is_found_by_it)
{
    for (int i = 0; i < SIM_SWEEP_FORMS; i++) {
        uint32_t mask = 0;
        const char *bad = NULL;
        size_t len = 0;
        cr_expect(sim_sweep_forms_parse(&mask, sim_sweep_form_name(i), &bad, &len), "%d", i);
        cr_expect_eq(mask, 1u << i, "%s", sim_sweep_form_name(i));
    }
    cr_expect_str_eq(sim_sweep_form_name(-1), "?");
    cr_expect_str_eq(sim_sweep_form_name(SIM_SWEEP_FORMS), "?");
}

/* The first seven are those of a scenario's power_loss, in its order. */
Test(sweep_forms, the_torn_ones_are_called_as_in_a_scenario)
{
    static const char *const name[] = {"before", "nothing",  "prefix", "suffix",
                                       "random", "unstable", "after"};
    cr_assert_eq(sizeof name / sizeof *name, (size_t)SCN_TORNS - 1);
    for (int i = 0; i < SCN_TORNS - 1; i++)
        cr_expect_str_eq(sim_sweep_form_name(i), name[i]);
}

Test(sweep_forms, a_list_is_a_mask)
{
    static const struct {
        const char *text, *bad; /* NULL: it is right */
        uint32_t mask;
    } row[] = {
        {"prefix,unstable", NULL, 1u << SIM_SWEEP_PREFIX | 1u << SIM_SWEEP_UNSTABLE},
        {"reset_pin,rot,before", NULL,
         1u << SIM_SWEEP_PIN | 1u << SIM_SWEEP_ROT | 1u << SIM_SWEEP_BEFORE},
        {"after,after", NULL, 1u << SIM_SWEEP_AFTER},
        {"", "", 0},
        {"prefix,", "", 0},
        {",prefix", "", 0},
        {"prefix,,after", "", 0},
        {"prefix,sideways", "sideways", 0},
        {"sideways,prefix", "sideways", 0},
        {"prefi", "prefi", 0},
        {"prefixes", "prefixes", 0},
        {"Prefix", "Prefix", 0},
        {"prefix, after", " after", 0},
        {"any", "any", 0},
    };
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        uint32_t mask = 0;
        const char *bad = NULL;
        size_t len = 0;
        bool right = sim_sweep_forms_parse(&mask, row[i].text, &bad, &len);
        cr_expect_eq(right, row[i].bad == NULL, "%s", row[i].text);
        if (right)
            cr_expect_eq(mask, row[i].mask, "%s", row[i].text);
        else
            cr_expect(len == strlen(row[i].bad) && !memcmp(bad, row[i].bad, len), "%s: %.*s",
                      row[i].text, (int)len, bad);
    }
}
