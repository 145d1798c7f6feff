/*
 * For fuzzers of YAML readers. libfyaml (0.7.12 of Debian 12) loses the memory in which it takes a
 * quoted text of many pieces apart, such as a single-quoted one with 100 quotes in it: its issues
 * 233 and 337 on GitHub, closed in 2026. The text is valid, the reader frees what it got, and a run
 * reads a file once. Leaks of our own are seen here as ever, and by tests/scenarios and
 * tests/rig_benchfile on the sanitizer build, without this file.
 */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libfyaml";
}
