// A record of business data: one JSON object, read whole.
#pragma once

#include <string_view>
#include <variant>

#include "daemon/inputs/decoded.h"
#include "daemon/inputs/json_reader.h"
#include "state/arena.h"
#include "state/value.h"

namespace spur {

// One thread at a time. Keeps its memory from record to record.
class RecordDecoder {
 public:
  explicit RecordDecoder(const InputLimits& limits = {}) : reader_(limits) {}

  // A map that lives in `arena` and in `bytes`, or why there is none.
  std::variant<Value, Malformed> decode(std::string_view bytes, Arena& arena);

 private:
  JsonReader reader_;
};

}  // namespace spur
