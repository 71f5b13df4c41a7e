#include "daemon/inputs/record.h"

namespace spur {

std::variant<Value, Malformed> RecordDecoder::decode(std::string_view bytes, Arena& arena) {
  JsonReader::Token at = reader_.open(bytes);
  Value body;
  if (at != nullptr && reader_.peek(at) != '{')
    return Malformed{Reason::kWrongType, "a record of business data is a JSON object"};
  if (at != nullptr) at = reader_.read(at, arena, body);
  if (at == nullptr || !reader_.finish(at)) return reader_.take_failure();
  return body;
}

}  // namespace spur
