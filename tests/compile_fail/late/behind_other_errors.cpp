// SPDX-License-Identifier: BSL-1.0
// error: too late
#ifdef BAD
static_assert(sizeof(char) == 2, "one");
static_assert(sizeof(char) == 2, "another");
static_assert(sizeof(char) == 2, "too late");
#else
static_assert(sizeof(char) == 1);
#endif
