// size(), the encoders extension, and Spur's distance_m.

#include "absl/strings/escaping.h"
#include "operators/expression/containers.h"
#include "operators/expression/functions.h"
#include "operators/expression/geography.h"
#include "operators/expression/text.h"
#include "operators/expression/utf8.h"

namespace spur::expression {
namespace {

using Arguments = std::span<const Value>;

Value integer(std::size_t count) { return Value::integer(static_cast<std::int64_t>(count)); }
Value size_of_string(Evaluation& e, Arguments a) {
  if (!e.spend_text(a[0].as_text().size())) return Value::error(kTooManySteps);
  return integer(code_points(a[0].as_text()));
}
Value size_of_bytes(Evaluation&, Arguments a) { return integer(a[0].as_text().size()); }
Value size_of_list(Evaluation&, Arguments a) { return integer(a[0].elements().size()); }
Value size_of_map(Evaluation&, Arguments a) { return integer(map_size(a[0])); }

Value encode(Evaluation& e, Arguments a) {
  if (!e.spend_text(a[0].as_text().size())) return Value::error(kTooManySteps);
  return e.string(base64_text(a[0].as_text()));
}
Value decode(Evaluation& e, Arguments a) {
  const std::string_view text = a[0].as_text();
  if (!e.spend_text(text.size())) return Value::error(kTooManySteps);
  std::string bytes;
  if (!absl::Base64Unescape(absl::string_view(text.data(), text.size()), &bytes)) {
    return Value::error("the text is not base64");
  }
  return Value::bytes(e.arena.copy(bytes));
}

double number(const Value& value) {
  if (value.is(Kind::kInt)) return static_cast<double>(value.as_int());
  if (value.is(Kind::kUint)) return static_cast<double>(value.as_uint());
  return value.as_double();
}
Value distance(Evaluation&, Arguments a) {
  for (const Value& argument : a) {
    if (!argument.is_number()) return Value::error(kNoSuchOverload);
  }
  const std::optional<double> metres =
      distance_m({number(a[0]), number(a[1])}, {number(a[2]), number(a[3])});
  if (!metres) {
    return Value::error("distance_m: a latitude is beyond ±90° or a longitude beyond ±180°");
  }
  return Value::real(*metres);
}

}  // namespace

std::span<const Row> other_rows() {
  static constexpr Row kRows[] = {
      {"size", "(string) -> int", size_of_string},
      {"size", "(bytes) -> int", size_of_bytes},
      {"size", "(list(A)) -> int", size_of_list},
      {"size", "(map(A, B)) -> int", size_of_map},
      {"size", "string.() -> int", size_of_string},
      {"size", "bytes.() -> int", size_of_bytes},
      {"size", "list(A).() -> int", size_of_list},
      {"size", "map(A, B).() -> int", size_of_map},
      {"base64.encode", "(bytes) -> string", encode},
      {"base64.decode", "(string) -> bytes", decode},
      // A literal such as 18 is an int, so all four may be either; the code refuses what is no
      // number.
      {"distance_m", "(A, B, C, D) -> double", distance, Dialect::kSpur},
  };
  return kRows;
}

}  // namespace spur::expression
