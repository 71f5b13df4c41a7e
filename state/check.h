// CHECK: an assertion that stays on in release. A failed one is a bug of ours: the process prints where and why, and
// stops; the log still has everything (style.md C9, "us"). Never used for bad input or for trouble of the world.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace spur::internal {
[[noreturn]] inline void check_failed(const char* file, int line, const char* what) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, what);
  std::abort();
}
}  // namespace spur::internal

#define SPUR_CHECK(condition)                                            \
  (__builtin_expect(static_cast<bool>(condition), 1)                     \
       ? static_cast<void>(0)                                            \
       : ::spur::internal::check_failed(__FILE__, __LINE__, #condition))
