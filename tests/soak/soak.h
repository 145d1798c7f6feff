/*
 * How often a test repeats what is only more of the same: few times in `./dev test`, many where
 * BRICKYARD_SOAK is set in the environment, as tests/soak/more.sh does.
 */
#ifndef TESTS_SOAK_H
#define TESTS_SOAK_H

#include <stdint.h>
#include <stdlib.h>

/* For a test that shows the sanitizers nothing which others do not: Test(suite, name,
 * RELEASE_ONLY). */
#ifdef __SANITIZE_ADDRESS__
#define RELEASE_ONLY .disabled = true
#else
#define RELEASE_ONLY .disabled = false
#endif

/* How often a test repeats what the sanitizers have seen after the first few. */
static inline uint32_t sanitized(uint32_t few, uint32_t many)
{
#ifdef __SANITIZE_ADDRESS__
    (void)many;
    return few;
#else
    (void)few;
    return many;
#endif
}

static inline uint32_t soak(uint32_t few, uint32_t many)
{
    return getenv("BRICKYARD_SOAK") ? many : few;
}

#endif
