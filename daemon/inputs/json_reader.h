// A walk over one JSON document that checks all of it and keeps what it is asked to.
//
// A Token is a place in the document. Each call below takes the one that a value begins at, passes
// exactly that value, checked against RFC 8259 and InputLimits, and returns the one behind it; or
// nullptr: then the walk is over and take_failure() says why. Text without escapes is a view into
// the document, other text is unescaped into the arena; lists and maps lie there too. Of a key
// given twice the first counts.
//
//   JsonReader::Token at = reader.open(bytes);
//   if (at != nullptr) {
//     at = reader.object(at, arena, [&](std::string_view key, JsonReader::Token value) {
//       return reader.skip(value);
//     });
//   }
//   if (at == nullptr || !reader.finish(at)) return reader.take_failure();
//
// Tokens go from hand to hand, and not into a cursor inside, because every step would then wait for
// the store of the one before: a call took 1.0 µs instead of 0.5.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/inputs/decoded.h"
#include "daemon/inputs/structural_index.h"
#include "state/arena.h"
#include "state/value.h"

namespace spur {

// One thread at a time. Keeps its memory from document to document.
class JsonReader {
 public:
  using Token = const std::uint32_t*;

  explicit JsonReader(const InputLimits& limits) : limits_(limits) {}

  // Begins with `bytes`, which must stay until the walk and what it returned are done with.
  [[nodiscard]] Token open(std::string_view bytes);
  // The same where the document must be an object. One that is good and something else is refused:
  // "`what` is a JSON object".
  [[nodiscard]] Token open_object(std::string_view bytes, std::string_view what);
  // Passes a value by its brackets alone, unchecked, however deep: for what is read by itself
  // later.
  [[nodiscard]] Token pass(Token at);
  // Checks that the document ends at `at`.
  [[nodiscard]] bool finish(Token at);

  // The first byte of a value: { [ " t f n, a digit or -, anything else is wrong. 0: the document
  // ends here.
  char peek(Token at) const { return at == end_ ? '\0' : bytes_[*at]; }
  // What stands between two tokens, without white space at its end.
  std::string_view between(Token from, Token to) const {
    std::size_t end = *to;
    while (is_space(bytes_[end - 1])) --end;
    return {bytes_ + *from, end - *from};
  }

  // Passes any value.
  [[nodiscard]] Token skip(Token at);
  // Passes any value and keeps it.
  [[nodiscard]] Token read(Token at, Arena& arena, Value& value);
  // Passes a text: peek(at) is ".
  [[nodiscard]] Token text(Token at, Arena& arena, std::string_view& text);
  // Passes an object: peek(at) is {. `member(key, value)` must pass the value of each key and
  // return what is behind.
  template <typename Member>
  [[nodiscard]] Token object(Token at, Arena& arena, Member&& member);
  // Passes a list: peek(at) is [. `element(value)` must pass each element, likewise.
  template <typename Element>
  [[nodiscard]] Token list(Token at, Element&& element);

  // Ends the walk: `what` is wrong with the value at `at`. Always nullptr.
  Token fail(Token at, Reason reason, std::string_view what);
  // Why the walk ended.
  Malformed take_failure() { return std::move(failure_); }

 private:
  // A string as it is written between its quotes.
  struct Written {
    const char* data;
    std::size_t size;
    bool escaped;
  };

  static bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

  Token explain_index_failure();
  Token unexpected(Token at, std::string_view wanted);
  Token too_long(Token at, std::size_t size, std::size_t bytes_max);
  Token too_deep(Token at);
  Token too_many_keys(Token at);
  Token too_many_elements(Token at);

  bool written(Token at, Written& string);
  bool unescape(Token at, const Written& string, char* to, std::size_t& size);
  bool keep(Token at, const Written& string, Arena& arena, std::string_view& text);
  bool check_escapes(Token at, const Written& string);
  Token key(Token at, Written& name);
  Token literal(Token at, std::string_view word);
  Token number(Token at, Value& value);
  Token scalar(Token at, Value& value);
  Token skip_string(Token at);
  Token skip_object(Token at);
  Token skip_list(Token at);
  Token read_object(Token at, Arena& arena, Value& value);
  Token read_list(Token at, Arena& arena, Value& value);
  std::size_t drop_repeated_keys(MapEntry* entries, std::size_t count);

  InputLimits limits_;
  StructuralIndex index_;
  const char* bytes_ = nullptr;
  std::size_t size_ = 0;
  Token end_ = nullptr;
  std::size_t backslash_ =
      0;  // the first one not yet passed; size_: none. Most documents have none at all
  std::size_t depth_ = 0;
  std::vector<Value> stack_;  // of lists and maps being read
  std::vector<std::uint32_t> order_;
  std::string scratch_;
  Malformed failure_{Reason::kNotJson, {}};
};

// No byte of a string is looked at: between its closing quote and the next token there is only
// white space. True: it has escapes that lie before the next backslash searched for.
inline bool JsonReader::written(Token at, Written& string) {
  const std::size_t begin = std::size_t{*at} + 1;
  std::size_t end = at[1] - 1;
  while (bytes_[end] != '"') --end;
  string = {bytes_ + begin, end - begin, backslash_ < end};
  if (!string.escaped) [[likely]] return false;
  const void* const next = std::memchr(bytes_ + end, '\\', size_ - end);
  backslash_ =
      next == nullptr ? size_ : static_cast<std::size_t>(static_cast<const char*>(next) - bytes_);
  return true;
}

// Passes a key and its colon.
inline JsonReader::Token JsonReader::key(Token at, Written& name) {
  if (peek(at) != '"') [[unlikely]] return unexpected(at, "a key");
  written(at, name);
  if (name.size > limits_.key_bytes_max) [[unlikely]]
    return too_long(at, name.size, limits_.key_bytes_max);
  ++at;
  if (peek(at) != ':') [[unlikely]] return unexpected(at, "a colon");
  return at + 1;
}

inline JsonReader::Token JsonReader::text(Token at, Arena& arena, std::string_view& text) {
  Written string;
  written(at, string);
  if (string.size > limits_.string_bytes_max) [[unlikely]] {
    return too_long(at, string.size, limits_.string_bytes_max);
  }
  if (!string.escaped) [[likely]] {
    text = {string.data, string.size};
  } else if (!keep(at, string, arena, text)) {
    return nullptr;
  }
  return at + 1;
}

template <typename Member>
JsonReader::Token JsonReader::object(Token at, Arena& arena, Member&& member) {
  if (++depth_ > limits_.depth_max) return too_deep(at);
  ++at;
  if (peek(at) == '}') {
    --depth_;
    return at + 1;
  }
  for (std::size_t keys = 1;; ++keys) {
    Written written;
    const Token value = key(at, written);
    if (value == nullptr) return nullptr;
    if (keys > limits_.object_keys_max) return too_many_keys(at);
    std::string_view name(written.data, written.size);
    if (written.escaped && !keep(at, written, arena, name)) return nullptr;
    at = member(name, value);
    if (at == nullptr) return nullptr;
    const char c = peek(at);
    if (c == '}') break;
    if (c != ',') return unexpected(at, "a comma or }");
    ++at;
  }
  --depth_;
  return at + 1;
}

template <typename Element>
JsonReader::Token JsonReader::list(Token at, Element&& element) {
  if (++depth_ > limits_.depth_max) return too_deep(at);
  ++at;
  if (peek(at) == ']') {
    --depth_;
    return at + 1;
  }
  for (std::size_t count = 1;; ++count) {
    if (count > limits_.list_elements_max) return too_many_elements(at);
    at = element(at);
    if (at == nullptr) return nullptr;
    const char c = peek(at);
    if (c == ']') break;
    if (c != ',') return unexpected(at, "a comma or ]");
    ++at;
  }
  --depth_;
  return at + 1;
}

}  // namespace spur
