#include "heap.h"

#include <malloc.h>

#include <cstdlib>
#include <new>

namespace {
std::uint64_t count = 0;  // benchmarks have one thread that allocates
}  // namespace

void* operator new(std::size_t bytes) {
  ++count;
  if (void* const memory = std::malloc(bytes)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace spur {

std::uint64_t allocations() { return count; }

std::size_t heap_bytes() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

}  // namespace spur
