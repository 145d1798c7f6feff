#include "files.h"
#include "source.h"
#include "tree.h"
#include <fcntl.h>
#include <unistd.h>

static int load(const char *path, struct scn_messages *messages)
{
    struct scn *scn = (void *)messages;
    memset(messages, 0, sizeof *messages);
    int error = scn_load(&scn, path, NULL, messages);
    cr_assert_null(scn);
    cr_assert_eq(messages->count, 1);
    return error;
}

Test(scn_source, a_file_of_100_mb_is_refused_before_it_is_read)
{
    char path[] = "/tmp/scn-large-XXXXXX";
    struct scn_messages messages;
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    cr_assert_eq(ftruncate(fd, 100 << 20), 0);
    cr_expect_eq(load(path, &messages), SCN_ETOO_LARGE);
    cr_expect(strstr(messages.message[0].text, "accepted: at most 1MiB"));
    close(fd);
    unlink(path);
}

/* A device has no size to look at, so the reading itself must stop. */
Test(scn_source, an_endless_file_is_refused)
{
    struct scn_messages messages;
    cr_expect_eq(load("/dev/zero", &messages), SCN_ETOO_LARGE);
}

Test(scn_source, a_directory_is_refused)
{
    struct scn_messages messages;
    cr_expect_eq(load("/tmp", &messages), SCN_EFILE);
    cr_expect_str_eq(messages.message[0].text, "/tmp: is a directory; accepted: a YAML file");
}

Test(scn_source, an_absent_file_is_refused)
{
    struct scn_messages messages;
    cr_expect_eq(load("/nowhere/x.yaml", &messages), SCN_EFILE);
    cr_expect_str_eq(messages.message[0].text,
                     "/nowhere/x.yaml: can't be opened: No such file or directory");
}

Test(scn_source, a_text_of_exactly_the_limit_is_read)
{
    struct scn_messages messages = {0};
    struct scn *scn;
    size_t len = SCN_SOURCE_MAX;
    char *text = malloc(len + 1);
    cr_assert(text);
    memset(text, '\n', len + 1);
    memcpy(text, SMALL, strlen(SMALL));
    cr_expect_eq(scn_parse(&scn, "t", text, len, NULL, &messages), SCN_OK);
    scn_free(scn);
    cr_expect_eq(scn_parse(&scn, "t", text, len + 1, NULL, &messages), SCN_ETOO_LARGE);
    cr_expect_null(scn);
    free(text);
}

/* 64 levels are accepted by the reader of YAML, 65 are not, in both styles. */
Test(scn_source, nesting_ends_at_64_levels)
{
    for (size_t depth = SCN_DEPTH_MAX - 1; depth <= SCN_DEPTH_MAX; depth++) {
        char text[512] = "a: ";
        struct scn_messages messages;
        struct scn *scn;
        memset(text + 3, '[', depth);
        memset(text + 3 + depth, ']', depth);
        text[3 + 2 * depth] = '\0';
        int error = parse_text(&scn, text, NULL, &messages);
        cr_expect_eq(error, depth < SCN_DEPTH_MAX ? SCN_EVALUE : SCN_ESYNTAX, "%zu", depth);
    }
}

/* What the library would read ahead for seconds is refused before it sees it. */
Test(scn_source, a_megabyte_of_brackets_is_refused_at_once)
{
    struct scn_messages messages = {0};
    struct scn *scn;
    char *text = malloc(SCN_SOURCE_MAX);
    cr_assert(text);
    memset(text, '[', SCN_SOURCE_MAX);
    cr_expect_eq(scn_parse(&scn, "t", text, SCN_SOURCE_MAX, NULL, &messages), SCN_ESYNTAX);
    cr_expect_str_eq(messages.message[0].text,
                     "t:1:1025: nested too deeply; accepted: at most 64 levels");
    free(text);
}

Test(scn_source, more_than_256_keys_in_a_mapping_are_refused)
{
    char text[8192];
    struct scn_messages messages;
    struct scn *scn;
    size_t len = 0;
    for (int i = 0; i <= SCN_KEYS_MAX; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "k%d: 1\n", i);
    cr_expect_eq(parse_text(&scn, text, NULL, &messages), SCN_ESYNTAX);
    cr_expect_str_eq(messages.message[0].text,
                     "t.yaml:257:1: too many keys; accepted: at most 256 in one mapping");
}

Test(scn_source, more_than_10000_values_are_refused)
{
    char *text = malloc(60000);
    struct scn_messages messages;
    struct scn *scn;
    cr_assert(text);
    size_t len = (size_t)sprintf(text, "a: [");
    for (int i = 0; i < SCN_NODES_MAX; i++)
        len += (size_t)sprintf(text + len, "1,");
    sprintf(text + len, "1]\n");
    cr_expect_eq(parse_text(&scn, text, NULL, &messages), SCN_ESYNTAX);
    cr_expect(strstr(messages.message[0].text, "at most 10000"));
    free(text);
}

Test(scn_source, utf8_is_told_from_what_only_looks_like_it)
{
    static const struct {
        const char *bytes;
        size_t expect;
    } rows[] = {
        {"a", 1},
        {"\xc3\xbc", 2},
        {"\xe2\x82\xac", 3},
        {"\xf0\x9f\x98\x80", 4},
        {"\x80", 0},
        {"\xc0\xaf", 0},
        {"\xc3", 0},
        {"\xe0\x80\x80", 0},
        {"\xed\xa0\x80", 0},
        {"\xf0\x80\x80\x80", 0},
        {"\xf4\x90\x80\x80", 0},
        {"\xf5\x80\x80\x80", 0},
        {"\xff", 0},
        {"\xc3(", 0},
        {"\xe2\x82", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        cr_expect_eq(scn_utf8_length(rows[i].bytes, strlen(rows[i].bytes)), rows[i].expect,
                     "row %zu", i);
}

/* Nothing of libfyaml's own may reach the terminal. */
Test(scn_source, a_syntax_error_leaves_standard_error_empty)
{
    char path[] = "/tmp/scn-stderr-XXXXXX";
    struct scn_messages messages;
    struct scn *scn;
    int fd = mkstemp(path), saved = dup(STDERR_FILENO);
    cr_assert(fd >= 0 && saved >= 0);
    fflush(stderr);
    dup2(fd, STDERR_FILENO);
    int error = parse_text(&scn, "a: [\n b: {\n", NULL, &messages);
    fflush(stderr);
    dup2(saved, STDERR_FILENO);
    off_t written = lseek(fd, 0, SEEK_END);
    close(fd);
    close(saved);
    unlink(path);
    cr_expect_eq(error, SCN_ESYNTAX);
    cr_expect_eq(written, 0);
}

Test(scn_source, the_hash_is_of_the_content_only)
{
    struct scn_overrides overrides = {.has_seed = true, .seed = 9};
    struct scn *a = parse_good(SMALL, NULL), *b = parse_good(SMALL, &overrides);
    struct scn *c = parse_good(SMALL "# other\n", NULL);
    cr_expect_arr_eq(a->content_hash, b->content_hash, sizeof a->content_hash);
    cr_expect_arr_neq(a->content_hash, c->content_hash, sizeof a->content_hash);
    scn_free(a);
    scn_free(b);
    scn_free(c);
}
