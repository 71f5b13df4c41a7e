// A walk over one JSON document that checks all of it and keeps what it is asked to.
//
// The cursor stands before a value; each call below passes exactly one, checked against RFC 8259
// and InputLimits. After the first false the walk is over and failure() says why. Text without
// escapes is a view into the document, other text is unescaped into the arena; so are lists and
// maps. A key given twice counts once, the first time.
//
//   if (reader.open(bytes) && reader.object(arena, [&](std::string_view key) { return
//   reader.skip(); }) &&
//       reader.finish()) …
#pragma once

#include <cstddef>
#include <cstdint>
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
  explicit JsonReader(const InputLimits& limits) : limits_(limits) {}

  // Begins with `bytes`, which must stay until the walk and what it returned are done with.
  [[nodiscard]] bool open(std::string_view bytes);
  // Checks that the document ends here.
  [[nodiscard]] bool finish();

  // The first byte of the value before us: { [ " t f n, a digit or -, anything else is wrong. 0:
  // the document ends.
  char peek() const { return at_ == end_ ? '\0' : bytes_[*at_]; }
  // What has been passed since `from`, an earlier position(), without white space at its end.
  std::size_t position() const { return *at_; }
  std::string_view passed(std::size_t from) const;

  // Passes any value.
  [[nodiscard]] bool skip();
  // Passes any value and keeps it.
  [[nodiscard]] bool read(Arena& arena, Value& value);
  // Passes a text; the cursor must stand before one.
  [[nodiscard]] bool text(Arena& arena, std::string_view& text);
  // Passes an object; the cursor must stand before one. `member(key)` must pass the value of that
  // key.
  template <typename Member>
  [[nodiscard]] bool object(Arena& arena, Member&& member);

  // Ends the walk: `what` is wrong with the value before us. Always false.
  bool fail(Reason reason, std::string_view what);
  // Why the walk ended.
  Malformed take_failure() { return std::move(failure_); }

 private:
  // A string as it is written between its quotes.
  struct Written {
    std::string_view text;
    bool escaped = false;
  };

  bool explain_index_failure();
  bool unexpected(std::string_view wanted);
  bool written(std::size_t bytes_max, Written& written);
  bool unescape(std::string_view written, char* to, std::size_t& size);
  bool keep(Arena& arena, const Written& written, std::string_view& text);
  bool check_escapes(const Written& written);
  bool key(Written& key);
  bool enter();
  bool scalar(Value& value);
  bool literal(std::string_view word);
  bool number(Value& value);
  bool skip_object();
  bool skip_list();
  bool read_object(Arena& arena, Value& value);
  bool read_list(Arena& arena, Value& value);
  std::size_t drop_repeated_keys(MapEntry* entries, std::size_t count);
  // Behind a member or element: true at a comma (passed), sets `done` at `close` (passed).
  bool next_or_close(char close, bool& done);
  bool too_many_keys();

  InputLimits limits_;
  StructuralIndex index_;
  const char* bytes_ = nullptr;
  std::size_t size_ = 0;
  const std::uint32_t* at_ = nullptr;  // the token before us
  const std::uint32_t* end_ = nullptr;
  std::size_t backslash_ =
      0;  // the first one not yet passed; size_: none. Most documents have none at all
  std::size_t depth_ = 0;
  std::vector<Value> stack_;  // of lists and maps being read
  std::vector<std::uint32_t> order_;
  std::string scratch_;
  Malformed failure_{Reason::kNotJson, {}};
};

template <typename Member>
bool JsonReader::object(Arena& arena, Member&& member) {
  if (!enter()) return false;
  if (peek() == '}') {
    ++at_;
    --depth_;
    return true;
  }
  std::size_t keys = 0;
  for (bool done = false; !done;) {
    Written written;
    std::string_view name;
    if (!key(written)) return false;
    if (++keys > limits_.object_keys_max) return too_many_keys();
    if (!written.escaped) {
      name = written.text;
    } else if (!keep(arena, written, name)) {
      return false;
    }
    if (!member(name)) return false;
    if (!next_or_close('}', done)) return false;
  }
  --depth_;
  return true;
}

}  // namespace spur
