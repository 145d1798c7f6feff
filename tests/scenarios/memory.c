#include "files.h"

/*
 * Every allocation of the parser's own is failed in turn (the linker sends its calloc here): each
 * time the answer is SCN_EMEMORY with a message, nothing comes out, and the sanitizer finds nothing
 * left behind.
 */
void *__real_calloc(size_t count, size_t bytes);
void *__wrap_calloc(size_t count, size_t bytes);

static uint32_t calls, fail_at; /* from 1; 0: none */

void *__wrap_calloc(size_t count, size_t bytes)
{
    calls++;
    return calls == fail_at ? NULL : __real_calloc(count, bytes);
}

static int parse_failing_at(struct scn **out, uint32_t call, struct scn_messages *messages)
{
    const char *const sets[] = {"device.watchdog=150s"};
    struct scn_overrides overrides = {.sets = 1, .set = sets};
    calls = 0;
    fail_at = call;
    int error = parse_text(out, SMALL, &overrides, messages);
    fail_at = 0;
    return error;
}

Test(scn_memory, each_allocation_that_fails_is_told_and_leaves_nothing)
{
    struct scn_messages messages;
    struct scn *scn;
    cr_assert_eq(parse_failing_at(&scn, 0, &messages), SCN_OK);
    uint32_t count = calls;
    scn_free(scn);
    cr_assert_gt(count, 30);
    for (uint32_t call = 1; call <= count; call++) {
        cr_expect_eq(parse_failing_at(&scn, call, &messages), SCN_EMEMORY, "call %u", call);
        cr_expect_null(scn);
        cr_assert_eq(messages.count, 1);
        cr_expect_str_eq(messages.message[0].text, "t.yaml: out of memory");
    }
}
