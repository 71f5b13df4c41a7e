#include "daemon/inputs/json_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "daemon/inputs/json_number.h"

namespace spur {
namespace {

bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

// What may stand behind true, null or a number.
bool ends_scalar(char c) {
  return is_space(c) || c == ',' || c == '}' || c == ']' || c == ':' || c == '[' || c == '{';
}

// The position of the first backslash in bytes[from, size), or `size`.
std::size_t find_backslash(const char* bytes, std::size_t from, std::size_t size) {
  const void* found = std::memchr(bytes + from, '\\', size - from);
  return found == nullptr ? size
                          : static_cast<std::size_t>(static_cast<const char*>(found) - bytes);
}

// Four hex digits as a number, or -1.
int hex4(const char* p) {
  int code = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = p[i];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

char* put_utf8(char* to, unsigned code) {
  if (code < 0x80) {
    *to++ = static_cast<char>(code);
    return to;
  }
  if (code < 0x800) {
    *to++ = static_cast<char>(0xc0 | code >> 6);
  } else if (code < 0x10000) {
    *to++ = static_cast<char>(0xe0 | code >> 12);
    *to++ = static_cast<char>(0x80 | (code >> 6 & 0x3f));
  } else {
    *to++ = static_cast<char>(0xf0 | code >> 18);
    *to++ = static_cast<char>(0x80 | (code >> 12 & 0x3f));
    *to++ = static_cast<char>(0x80 | (code >> 6 & 0x3f));
  }
  *to++ = static_cast<char>(0x80 | (code & 0x3f));
  return to;
}

// What \c stands for, but for u; 0: no such escape.
char simple_escape(char c) {
  switch (c) {
    case '"': return '"';
    case '\\': return '\\';
    case '/': return '/';
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
  }
}

}  // namespace

bool JsonReader::open(std::string_view bytes) {
  bytes_ = bytes.data();
  size_ = bytes.size();
  at_ = end_ = nullptr;
  depth_ = 0;
  stack_.clear();
  if (size_ > limits_.message_bytes_max) {
    failure_ = {Reason::kTooLarge,
                fmt::format("{} bytes; at most {} are taken", size_, limits_.message_bytes_max)};
    return false;
  }
  if (!index_.build(bytes)) return explain_index_failure();
  at_ = index_.begin();
  end_ = index_.end();
  backslash_ = find_backslash(bytes_, 0, size_);
  return true;
}

bool JsonReader::finish() {
  if (at_ == end_) return true;
  return fail(Reason::kNotJson, "more behind the end of the document");
}

std::string_view JsonReader::passed(std::size_t from) const {
  std::size_t to = *at_;
  while (to > from && is_space(bytes_[to - 1])) --to;
  return {bytes_ + from, to - from};
}

bool JsonReader::fail(Reason reason, std::string_view what) {
  failure_ = {reason, fmt::format("byte {}: {}", *at_, what)};
  return false;
}

// The index tells no position and, between instruction sets, not always the same first error: so
// look again, slowly.
bool JsonReader::explain_index_failure() {
  std::size_t at = 0;
  std::size_t string_at = 0;
  bool in_string = false;
  bool escaped = false;
  for (; at < size_; ++at) {
    const char c = bytes_[at];
    if (in_string && static_cast<unsigned char>(c) < 0x20) break;
    if (c == '"' && !escaped) {
      in_string = !in_string;
      string_at = at;
    }
    escaped = c == '\\' && !escaped;
  }
  if (!StructuralIndex::is_utf8({bytes_, size_})) {
    failure_ = {Reason::kInvalidUtf8, "the message is not UTF-8"};
  } else if (at < size_) {
    failure_ = {Reason::kNotJson,
                fmt::format("byte {}: a control character in a text; write it as \\u00xx", at)};
  } else if (in_string) {
    failure_ = {Reason::kTruncated, fmt::format("byte {}: this text has no end", string_at)};
  } else {
    failure_ = {Reason::kNotJson, "the message is empty"};
  }
  return false;
}

bool JsonReader::unexpected(std::string_view wanted) {
  if (at_ == end_)
    return fail(Reason::kTruncated, fmt::format("the message ends where {} should be", wanted));
  return fail(Reason::kNotJson, fmt::format("{} should be here", wanted));
}

bool JsonReader::too_many_keys() {
  return fail(Reason::kTooManyFields,
              fmt::format("an object with more than {} keys", limits_.object_keys_max));
}

bool JsonReader::enter() {
  if (++depth_ > limits_.depth_max) {
    return fail(Reason::kTooDeep,
                fmt::format("more than {} objects and lists inside each other", limits_.depth_max));
  }
  ++at_;
  return true;
}

bool JsonReader::next_or_close(char close, bool& done) {
  const char c = peek();
  if (c != ',' && c != close) return unexpected(close == '}' ? "a comma or }" : "a comma or ]");
  ++at_;
  done = c == close;
  return true;
}

// Passes a string. No byte of it is looked at: between its closing quote and the next token there
// is only white space.
bool JsonReader::written(std::size_t bytes_max, Written& written) {
  const std::size_t begin = *at_ + 1;
  std::size_t end = at_[1] - 1;
  while (bytes_[end] != '"') --end;
  written.text = {bytes_ + begin, end - begin};
  if (written.text.size() > bytes_max) {
    return fail(Reason::kStringTooLong, fmt::format("a text of {} bytes; at most {} are taken here",
                                                    end - begin, bytes_max));
  }
  written.escaped = backslash_ < end;
  if (written.escaped) backslash_ = find_backslash(bytes_, end, size_);
  ++at_;
  return true;
}

bool JsonReader::unescape(std::string_view written, char* to, std::size_t& size) {
  const char* const begin = to;
  const char* p = written.data();
  const char* const end = p + written.size();
  const auto wrong = [&](Reason reason, std::string_view what) {
    --at_;  // the string has been passed already
    return fail(reason, what);
  };
  while (p != end) {
    if (*p != '\\') {
      *to++ = *p++;
      continue;
    }
    const char letter = p[1];  // there is one: the closing quote is not escaped
    p += 2;
    if (letter != 'u') {
      *to = simple_escape(letter);
      if (*to++ == 0) return wrong(Reason::kNotJson, "a backslash before what is no escape");
      continue;
    }
    int code = end - p >= 4 ? hex4(p) : -1;
    if (code < 0) return wrong(Reason::kNotJson, "\\u without four hex digits");
    p += 4;
    if (code >= 0xd800 && code < 0xe000) {
      const int low =
          code < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2) : -1;
      if (low < 0xdc00 || low >= 0xe000)
        return wrong(Reason::kInvalidUtf8, "half of a surrogate pair");
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      p += 6;
    }
    to = put_utf8(to, static_cast<unsigned>(code));
  }
  size = static_cast<std::size_t>(to - begin);
  return true;
}

bool JsonReader::keep(Arena& arena, const Written& written, std::string_view& text) {
  if (!written.escaped) {
    text = written.text;
    return true;
  }
  char* const to = static_cast<char*>(arena.allocate(written.text.size()));  // escapes only shrink
  std::size_t size = 0;
  if (!unescape(written.text, to, size)) return false;
  text = {to, size};
  return true;
}

bool JsonReader::check_escapes(const Written& written) {
  if (!written.escaped) return true;
  scratch_.resize(written.text.size());
  std::size_t size = 0;
  return unescape(written.text, scratch_.data(), size);
}

// Passes a key and its colon.
bool JsonReader::key(Written& key) {
  if (peek() != '"') return unexpected("a key");
  if (!written(limits_.key_bytes_max, key)) return false;
  if (peek() != ':') return unexpected("a colon");
  ++at_;
  return true;
}

bool JsonReader::text(Arena& arena, std::string_view& text) {
  Written string;
  return written(limits_.string_bytes_max, string) && keep(arena, string, text);
}

bool JsonReader::literal(std::string_view word) {
  const std::string_view rest(bytes_ + *at_, size_ - *at_);
  if (!rest.starts_with(word) || (rest.size() > word.size() && !ends_scalar(rest[word.size()]))) {
    return word.starts_with(rest) ? fail(Reason::kTruncated, "the message ends inside a value")
                                  : unexpected("a value");
  }
  ++at_;
  return true;
}

bool JsonReader::number(Value& value) {
  const std::string_view rest(bytes_ + *at_, at_[1] - *at_);
  const JsonNumber number = parse_json_number(rest);
  if (number.fault == JsonNumber::Fault::kRange) {
    return fail(Reason::kNumberOutOfRange, "a number beyond 1.8e308");
  }
  if (number.fault == JsonNumber::Fault::kSyntax) {
    return at_ + 1 == end_ ? fail(Reason::kTruncated, "the message ends inside a number")
                           : unexpected("a value");
  }
  if (*at_ + number.size < size_ && !ends_scalar(bytes_[*at_ + number.size]))
    return unexpected("a value");
  value = number.value;
  ++at_;
  return true;
}

// Passes true, false, null or a number.
bool JsonReader::scalar(Value& value) {
  switch (peek()) {
    case 't': value = Value::boolean(true); return literal("true");
    case 'f': value = Value::boolean(false); return literal("false");
    case 'n': value = Value::null(); return literal("null");
    case '-':
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9':
      return number(value);
    default: return unexpected("a value");
  }
}

bool JsonReader::skip() {
  switch (peek()) {
    case '"': {
      Written string;
      return written(limits_.string_bytes_max, string) && check_escapes(string);
    }
    case '{': return skip_object();
    case '[': return skip_list();
    default: {
      Value dropped;
      return scalar(dropped);
    }
  }
}

bool JsonReader::skip_object() {
  if (!enter()) return false;
  bool done = peek() == '}';
  if (done) ++at_;
  for (std::size_t keys = 1; !done; ++keys) {
    Written name;
    if (!key(name) || !check_escapes(name)) return false;
    if (keys > limits_.object_keys_max) return too_many_keys();
    if (!skip() || !next_or_close('}', done)) return false;
  }
  --depth_;
  return true;
}

bool JsonReader::skip_list() {
  if (!enter()) return false;
  bool done = peek() == ']';
  if (done) ++at_;
  for (std::size_t elements = 1; !done; ++elements) {
    if (elements > limits_.list_elements_max) {
      return fail(Reason::kTooManyElements,
                  fmt::format("a list of more than {}", limits_.list_elements_max));
    }
    if (!skip() || !next_or_close(']', done)) return false;
  }
  --depth_;
  return true;
}

bool JsonReader::read(Arena& arena, Value& value) {
  switch (peek()) {
    case '"': {
      std::string_view kept;
      if (!text(arena, kept)) return false;
      value = Value::string(kept);
      return true;
    }
    case '{': return read_object(arena, value);
    case '[': return read_list(arena, value);
    default: return scalar(value);
  }
}

bool JsonReader::read_list(Arena& arena, Value& value) {
  const std::size_t base = stack_.size();
  if (!enter()) return false;
  bool done = peek() == ']';
  if (done) ++at_;
  while (!done) {
    Value element;
    if (stack_.size() - base == limits_.list_elements_max) {
      return fail(Reason::kTooManyElements,
                  fmt::format("a list of more than {}", limits_.list_elements_max));
    }
    if (!read(arena, element) || !next_or_close(']', done)) return false;
    stack_.push_back(element);
  }
  --depth_;
  const std::span<Value> elements = arena.array<Value>(stack_.size() - base);
  std::copy(stack_.begin() + static_cast<std::ptrdiff_t>(base), stack_.end(), elements.begin());
  stack_.resize(base);
  value = Value::list(elements);
  return true;
}

bool JsonReader::read_object(Arena& arena, Value& value) {
  const std::size_t base = stack_.size();
  const bool good = object(arena, [&](std::string_view name) {
    Value member;
    if (!read(arena, member)) return false;
    stack_.push_back(Value::string(name));
    stack_.push_back(member);
    return true;
  });
  if (!good) return false;
  const std::span<MapEntry> entries = arena.array<MapEntry>((stack_.size() - base) / 2);
  for (std::size_t i = 0; i < entries.size(); ++i)
    entries[i] = {stack_[base + 2 * i], stack_[base + 2 * i + 1]};
  stack_.resize(base);
  value = Value::map(entries.first(drop_repeated_keys(entries.data(), entries.size())));
  return true;
}

// Keeps the first entry of each key, in order, and returns how many are left. A few are compared
// each with each; many are sorted, since 1,024 keys in each of 100 objects would be 50 million
// comparisons.
std::size_t JsonReader::drop_repeated_keys(MapEntry* entries, std::size_t count) {
  constexpr std::size_t kFew = 16;
  const auto name = [&](std::size_t i) { return entries[i].key.as_text(); };
  std::size_t kept = 0;
  if (count <= kFew) {
    for (std::size_t i = 0; i < count; ++i) {
      std::size_t earlier = 0;
      while (earlier < kept && name(earlier) != name(i)) ++earlier;
      if (earlier == kept) entries[kept++] = entries[i];
    }
    return kept;
  }
  order_.resize(count);
  for (std::size_t i = 0; i < count; ++i) order_[i] = static_cast<std::uint32_t>(i);
  std::sort(order_.begin(), order_.end(), [&](std::uint32_t a, std::uint32_t b) {
    const int compared = name(a).compare(name(b));
    return compared != 0 ? compared < 0 : a < b;
  });
  const auto repeated = [&](std::size_t at) {
    return at > 0 && name(order_[at]) == name(order_[at - 1]);
  };
  std::vector<bool> drop(count);
  for (std::size_t at = 0; at < count; ++at) drop[order_[at]] = repeated(at);
  for (std::size_t i = 0; i < count; ++i) {
    if (!drop[i]) entries[kept++] = entries[i];
  }
  return kept;
}

}  // namespace spur
