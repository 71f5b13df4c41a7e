// The digest of what an input changed: order-sensitive, fast, the same on every machine.
//
// The fold feeds it each input, each logical mutation (which field, which new value; of an aggregate what it was given,
// not what it then says) and each effect; a run record carries the chained result, and a replay that ends with another
// one has diverged (docs/protocol.md §3, "Digest"). It detects mistakes, not attackers. The mixing step is the
// 64×64→128 multiply-and-fold of wyhash (Wang Yi, public domain), over a state of 64 bits; text goes through xxh3-64
// first. Frozen by tests/golden: changing it changes the fold version.
#pragma once

#include <cstdint>
#include <string_view>

namespace spur {

class Digest {
 public:
  constexpr Digest() = default;
  constexpr explicit Digest(std::uint64_t state) : state_(state) {}

  // `tag` says which field or what kind of thing; `value` what it is now.
  void add(std::uint64_t tag, std::uint64_t value) {
    const unsigned __int128 product =
        static_cast<unsigned __int128>(state_ ^ tag ^ 0xa0761d6478bd642fULL) * (value ^ 0xe7037ed1a0b428dbULL);
    state_ =
        static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64) ^ (state_ << 1 | state_ >> 63);
  }
  void add(std::uint64_t tag, std::string_view text);

  constexpr std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_ = 0;
};

// xxh3-64 of bytes: the one general hash of stored names and definitions.
std::uint64_t hash64_of_some(std::string_view bytes);  // the call behind it; of no bytes it gives kHash64OfNothing
inline constexpr std::uint64_t kHash64OfNothing = 0x2d06800538d394c2ULL;
// Most keys that the fold hashes are "".
inline std::uint64_t hash64(std::string_view bytes) {
  return bytes.empty() ? kHash64OfNothing : hash64_of_some(bytes);
}
inline void Digest::add(std::uint64_t tag, std::string_view text) { add(tag, hash64(text)); }

}  // namespace spur
