/*
 * Loads libgit2 when it is needed. Criterion links it for one thing: the difference of two texts in
 * what an eq(str, ...) says when it fails. Its start reads the machine's CA certificates and brings
 * 13 more libraries, in each test's own process: about 45 ms of CPU for each of 1,900 tests. Names
 * and shapes as in git2/global.h and git2/diff.h of libgit2 1.5; GIT2_PATH is where the real one
 * is.
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdlib.h>

/* The options and the four callbacks go through as they are. */
typedef int git_diff_buffers_fn(const void *, size_t, const char *, const void *, size_t,
                                const char *, const void *, void *, void *, void *, void *, void *);
int git_libgit2_init(void);
int git_libgit2_shutdown(void);
git_diff_buffers_fn git_diff_buffers;

int git_libgit2_init(void)
{
    return 1;
}

int git_libgit2_shutdown(void)
{
    return 0;
}

int git_diff_buffers(const void *old_text, size_t old_len, const char *old_path,
                     const void *new_text, size_t new_len, const char *new_path,
                     const void *options, void *on_file, void *on_binary, void *on_hunk,
                     void *on_line, void *payload)
{
    void *real = dlopen(GIT2_PATH, RTLD_NOW | RTLD_LOCAL);
    int (*init)(void) = real ? (int (*)(void))dlsym(real, "git_libgit2_init") : NULL;
    git_diff_buffers_fn *diff =
        real ? (git_diff_buffers_fn *)dlsym(real, "git_diff_buffers") : NULL;
    if (!init || !diff || init() < 0)
        abort();
    return diff(old_text, old_len, old_path, new_text, new_len, new_path, options, on_file,
                on_binary, on_hunk, on_line, payload);
}
