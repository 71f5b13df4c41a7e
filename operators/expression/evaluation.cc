#include "operators/expression/evaluation.h"

#include <algorithm>
#include <cstring>

#include "operators/expression/containers.h"
#include "state/text_prefix.h"

namespace spur::expression {

Value Evaluation::string(std::string_view text) {
  if (text.size() > limits.text_bytes_max) return Value::error(kTextTooLong);
  return Value::string(arena.copy(text));
}

Value Evaluation::concatenation(Kind kind, std::string_view a, std::string_view b) {
  const std::size_t size = a.size() + b.size();
  if (size > limits.text_bytes_max) return Value::error(kTextTooLong);
  if (!spend_text(size)) return Value::error(kTooManySteps);
  char* at = static_cast<char*>(arena.allocate(std::max<std::size_t>(size, 1)));
  if (!a.empty()) std::memcpy(at, a.data(), a.size());
  if (!b.empty()) std::memcpy(at + a.size(), b.data(), b.size());
  return kind == Kind::kBytes ? Value::bytes({at, size}) : Value::string({at, size});
}

Value Evaluation::optional(const Value& value) {
  const std::span<Value> held = arena.array<Value>(1);
  held[0] = value;
  return Value::optional(held.data());
}

Value Evaluation::error(std::initializer_list<std::string_view> message) {
  TextBuilder text(*this);
  for (const std::string_view part : message) text.append(text_prefix(part, 200));
  return Value::error(text.view());
}

bool TextBuilder::append(std::string_view text) {
  if (too_long_) return false;
  if (size_ + text.size() > evaluation_.limits.text_bytes_max) {
    too_long_ = true;
    return false;
  }
  if (text.empty()) return true;
  if (size_ + text.size() > capacity_) {
    capacity_ = std::max<std::size_t>({64, 2 * capacity_, size_ + text.size()});
    char* larger = static_cast<char*>(evaluation_.arena.allocate(capacity_));
    if (size_ > 0) std::memcpy(larger, data_, size_);
    data_ = larger;
  }
  std::memcpy(data_ + size_, text.data(), text.size());
  size_ += text.size();
  return true;
}

Value TextBuilder::finish(Kind kind) const {
  if (too_long_) return Value::error(kTextTooLong);
  return kind == Kind::kBytes ? Value::bytes(view()) : Value::string(view());
}

bool is_zero(const Value& value) {
  switch (value.kind()) {
    case Kind::kNull:
      return true;
    case Kind::kBool:
      return !value.as_bool();
    case Kind::kInt:
      return value.as_int() == 0;
    case Kind::kUint:
      return value.as_uint() == 0;
    case Kind::kDouble:
      return value.as_double() == 0;
    case Kind::kString:
    case Kind::kBytes:
      return value.as_text().empty();
    case Kind::kTimestamp:
    case Kind::kDuration:
      return value.seconds() == 0 && value.nanos() == 0;
    case Kind::kList:
      return value.elements().empty();
    case Kind::kMap:
      return map_size(value) == 0;
    case Kind::kOptional:
      return value.optional_value() == nullptr;
    default:
      return false;
  }
}

std::string_view type_name(Kind kind) {
  switch (kind) {
    case Kind::kNull:
      return "null_type";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kUint:
      return "uint";
    case Kind::kDouble:
      return "double";
    case Kind::kString:
      return "string";
    case Kind::kBytes:
      return "bytes";
    case Kind::kTimestamp:
      return "google.protobuf.Timestamp";
    case Kind::kDuration:
      return "google.protobuf.Duration";
    case Kind::kList:
      return "list";
    case Kind::kMap:
      return "map";
    case Kind::kType:
      return "type";
    case Kind::kOptional:
      return "optional_type";
    case Kind::kAbsent:
    case Kind::kError:
      return "error";
  }
  return "error";
}

}  // namespace spur::expression
