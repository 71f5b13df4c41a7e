#include "daemon/inputs/record.h"

namespace spur {

std::variant<Value, Malformed> RecordDecoder::decode(std::string_view bytes, Arena& arena) {
  JsonReader::Token at = reader_.open_object(bytes, "a record of business data");
  Value body;
  if (at != nullptr) at = reader_.read(at, arena, body);
  if (at == nullptr || !reader_.finish(at)) return reader_.take_failure();
  return body;
}

}  // namespace spur
