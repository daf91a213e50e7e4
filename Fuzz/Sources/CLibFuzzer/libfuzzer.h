#pragma once

// What libFuzzer offers; it installs no header of its own for it.
#include <stddef.h>
#include <stdint.h>

/// Changes the bytes in place, and returns how many there are then: at most `maximum`.
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t count, size_t maximum);

/// Runs the fuzzer as its own `main` would.
int LLVMFuzzerRunDriver(int *count, char ***arguments, int (*test_one_input)(const uint8_t *bytes, size_t count));
