// What a program takes from the heap: counted by an operator new of its own, measured by asking the allocator.
#pragma once

#include <cstddef>
#include <cstdint>

namespace spur {

// Calls of operator new since the program began.
std::uint64_t allocations();
// Bytes in use, with the allocator's header and rounding of every block; free ones between them are not in it.
std::size_t heap_bytes();

}  // namespace spur
