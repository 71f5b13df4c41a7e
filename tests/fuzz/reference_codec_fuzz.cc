// Arbitrary bytes as a record's versions, a change or what is kept beside them: either refused, or
// written back as the same bytes. The first byte chooses which.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "state/check.h"
#include "state/codec/reference_codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      if (const auto record = spur::decode_record(bytes))
        SPUR_CHECK(spur::encode_record(*record) == bytes);
      break;
    case 1:
      if (const auto change = spur::decode_change(bytes))
        SPUR_CHECK(spur::encode_change(*change) == bytes);
      break;
    case 2:
      if (const auto state = spur::decode_references(bytes))
        SPUR_CHECK(spur::encode_references(*state) == bytes);
      break;
  }
  return 0;
}
