// What one evaluation carries along: where its values live and what it may still spend.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "operators/expression/program.h"
#include "state/arena.h"
#include "state/value.h"

namespace spur::expression {

// Messages of error values that several places give.
inline constexpr char kNoSuchOverload[] = "no such overload";
inline constexpr char kNoSuchKey[] = "no such key";
inline constexpr char kDivideByZero[] = "divide by zero";
inline constexpr char kOverflow[] = "integer overflow";
inline constexpr char kTooManySteps[] = "the expression takes too many steps";
inline constexpr char kTextTooLong[] = "the text would be too long";
inline constexpr char kTooManyElements[] = "the list or map would be too long";

struct Evaluation {
  Arena& arena;
  const Limits& limits;
  std::int64_t steps;  // left; below 0 the evaluation ends in kTooManySteps
  bool strict;

  // Spends `count` steps; false if there are not so many left.
  bool spend(std::size_t count) {
    steps -= static_cast<std::int64_t>(count);
    return steps >= 0;
  }
  // Spends for looking through `bytes` of text.
  bool spend_text(std::size_t bytes) { return spend(bytes / 64); }

  Value string(std::string_view text);                                     // copied
  Value concatenation(Kind kind, std::string_view a, std::string_view b);  // kString or kBytes
  Value optional(const Value& value);
  Value error(std::initializer_list<std::string_view> message);  // put together, copied
};

// Text that grows piece by piece in the arena, up to the limit.
class TextBuilder {
 public:
  explicit TextBuilder(Evaluation& evaluation) : evaluation_(evaluation) {}
  // False once the limit is passed; what is appended then is dropped.
  bool append(std::string_view text);
  std::string_view view() const { return {data_, size_}; }
  // The text, or the error that it is too long.
  Value finish(Kind kind = Kind::kString) const;

 private:
  Evaluation& evaluation_;
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  bool too_long_ = false;
};

// Whether a value is what optional.ofNonZeroValue takes for nothing: null, false, 0, "", an empty
// list or map, none.
bool is_zero(const Value& value);

// CEL's name of the type of a value: "int", "google.protobuf.Timestamp", "optional_type".
std::string_view type_name(Kind kind);

}  // namespace spur::expression
