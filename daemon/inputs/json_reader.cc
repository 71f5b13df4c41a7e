#include "daemon/inputs/json_reader.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstring>

#include "daemon/inputs/json_number.h"

namespace spur {
namespace {

// What may stand behind true, null or a number.
bool ends_scalar(char c) {
  return c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == ',' || c == '}' || c == ']' ||
         c == ':' || c == '[' || c == '{';
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

JsonReader::Token JsonReader::open(std::string_view bytes) {
  bytes_ = bytes.data();
  size_ = bytes.size();
  end_ = nullptr;
  depth_ = 0;
  stack_.clear();
  if (size_ > limits_.message_bytes_max) {
    failure_ = {Reason::kTooLarge,
                fmt::format("{} bytes; at most {} are taken", size_, limits_.message_bytes_max)};
    return nullptr;
  }
  if (!index_.build(bytes)) return explain_index_failure();
  end_ = index_.end();
  const void* const backslash = std::memchr(bytes_, '\\', size_);
  backslash_ = backslash == nullptr
                   ? size_
                   : static_cast<std::size_t>(static_cast<const char*>(backslash) - bytes_);
  return index_.begin();
}

JsonReader::Token JsonReader::open_object(std::string_view bytes, std::string_view what) {
  const Token at = open(bytes);
  if (at == nullptr || peek(at) == '{') return at;
  const Token behind = skip(at);
  if (behind != nullptr && finish(behind))
    fail(at, Reason::kWrongType, fmt::format("{} is a JSON object", what));
  return nullptr;
}

JsonReader::Token JsonReader::pass(Token at) {
  std::size_t open = 0;
  do {
    switch (peek(at)) {
      case '{':
      case '[':
        ++open;
        break;
      case '}':
      case ']':
        if (open == 0) return unexpected(at, "a value");
        --open;
        break;
      case ',':
      case ':':
        if (open == 0) return unexpected(at, "a value");
        break;
      case '\0':
        return unexpected(at, open == 0 ? "a value" : "a bracket");
      default:
        break;
    }
    ++at;
  } while (open > 0);
  return at;
}

bool JsonReader::finish(Token at) {
  if (at == end_) return true;
  fail(at, Reason::kNotJson, "more behind the end of the document");
  return false;
}

JsonReader::Token JsonReader::fail(Token at, Reason reason, std::string_view what) {
  failure_ = {reason, fmt::format("byte {}: {}", *at, what)};
  return nullptr;
}

// The index tells no position and, between instruction sets, not always the same first error: so
// look again, slowly.
JsonReader::Token JsonReader::explain_index_failure() {
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
  return nullptr;
}

JsonReader::Token JsonReader::unexpected(Token at, std::string_view wanted) {
  if (at == end_) {
    return fail(at, Reason::kTruncated, fmt::format("the message ends where {} should be", wanted));
  }
  return fail(at, Reason::kNotJson, fmt::format("{} should be here", wanted));
}

JsonReader::Token JsonReader::too_long(Token at, std::size_t size, std::size_t bytes_max) {
  return fail(at, Reason::kStringTooLong,
              fmt::format("a text of {} bytes; at most {} are taken here", size, bytes_max));
}

JsonReader::Token JsonReader::too_deep(Token at) {
  return fail(at, Reason::kTooDeep,
              fmt::format("more than {} objects and lists inside each other", limits_.depth_max));
}

JsonReader::Token JsonReader::too_many_keys(Token at) {
  return fail(at, Reason::kTooManyFields,
              fmt::format("an object of more than {} keys", limits_.object_keys_max));
}

JsonReader::Token JsonReader::too_many_elements(Token at) {
  return fail(at, Reason::kTooManyElements,
              fmt::format("a list of more than {}", limits_.list_elements_max));
}

// Escapes only shrink, so `to` has room with as many bytes as are written.
bool JsonReader::unescape(Token at, const Written& string, char* to, std::size_t& size) {
  const char* const begin = to;
  const char* p = string.data;
  const char* const end = p + string.size;
  while (p != end) {
    if (*p != '\\') {
      *to++ = *p++;
      continue;
    }
    const char letter = p[1];  // there is one: the closing quote is not escaped
    p += 2;
    if (letter != 'u') {
      *to = simple_escape(letter);
      if (*to++ == 0)
        return fail(at, Reason::kNotJson, "a backslash before what is no escape") != nullptr;
      continue;
    }
    int code = end - p >= 4 ? hex4(p) : -1;
    if (code < 0) return fail(at, Reason::kNotJson, "\\u without four hex digits") != nullptr;
    p += 4;
    if (code >= 0xd800 && code < 0xe000) {
      const bool pair = code < 0xdc00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u';
      const int low = pair ? hex4(p + 2) : -1;
      if (low < 0xdc00 || low >= 0xe000) {
        return fail(at, Reason::kInvalidUtf8, "half of a surrogate pair") != nullptr;
      }
      code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
      p += 6;
    }
    to = put_utf8(to, static_cast<unsigned>(code));
  }
  size = static_cast<std::size_t>(to - begin);
  return true;
}

bool JsonReader::keep(Token at, const Written& string, Arena& arena, std::string_view& text) {
  char* const to = static_cast<char*>(arena.allocate(string.size));
  std::size_t size = 0;
  if (!unescape(at, string, to, size)) return false;
  text = {to, size};
  return true;
}

bool JsonReader::check_escapes(Token at, const Written& string) {
  scratch_.resize(string.size);
  std::size_t size = 0;
  return unescape(at, string, scratch_.data(), size);
}

JsonReader::Token JsonReader::literal(Token at, std::string_view word) {
  const std::string_view rest(bytes_ + *at, size_ - *at);
  if (rest.starts_with(word) && (rest.size() == word.size() || ends_scalar(rest[word.size()])))
    return at + 1;
  if (word.starts_with(rest))
    return fail(at, Reason::kTruncated, "the message ends inside a value");
  return unexpected(at, "a value");
}

JsonReader::Token JsonReader::number(Token at, Value& value) {
  const std::string_view rest(bytes_ + *at, at[1] - *at);
  const JsonNumber number = parse_json_number(rest);
  if (number.fault == JsonNumber::Fault::kRange) {
    return fail(at, Reason::kNumberOutOfRange, "a number beyond 1.8e308");
  }
  if (number.fault == JsonNumber::Fault::kSyntax) {
    if (at + 1 == end_) return fail(at, Reason::kTruncated, "the message ends inside a number");
    return unexpected(at, "a value");
  }
  const std::size_t behind = *at + number.size;
  if (behind < size_ && !ends_scalar(bytes_[behind])) return unexpected(at, "a value");
  value = number.value;
  return at + 1;
}

// Passes true, false, null or a number.
JsonReader::Token JsonReader::scalar(Token at, Value& value) {
  const char c = peek(at);
  if (c == '-' || (c >= '0' && c <= '9')) return number(at, value);
  switch (c) {
    case 't': value = Value::boolean(true); return literal(at, "true");
    case 'f': value = Value::boolean(false); return literal(at, "false");
    case 'n': value = Value::null(); return literal(at, "null");
    default: return unexpected(at, "a value");
  }
}

JsonReader::Token JsonReader::skip(Token at) {
  switch (peek(at)) {
    case '"': return skip_string(at);
    case '{': return skip_object(at);
    case '[': return skip_list(at);
    default: {
      Value dropped;
      return scalar(at, dropped);
    }
  }
}

inline JsonReader::Token JsonReader::skip_string(Token at) {
  Written string;
  if (written(at, string) && !check_escapes(at, string)) return nullptr;
  if (string.size > limits_.string_bytes_max)
    return too_long(at, string.size, limits_.string_bytes_max);
  return at + 1;
}

JsonReader::Token JsonReader::skip_object(Token at) {
  if (++depth_ > limits_.depth_max) return too_deep(at);
  ++at;
  if (peek(at) != '}') {
    for (std::size_t keys = 1;; ++keys) {
      Written name;
      const Token value = key(at, name);
      if (value == nullptr) return nullptr;
      if (name.escaped && !check_escapes(at, name)) return nullptr;
      if (keys > limits_.object_keys_max) return too_many_keys(at);
      at = peek(value) == '"' ? skip_string(value) : skip(value);
      if (at == nullptr) return nullptr;
      const char c = peek(at);
      if (c == '}') break;
      if (c != ',') return unexpected(at, "a comma or }");
      ++at;
    }
  }
  --depth_;
  return at + 1;
}

JsonReader::Token JsonReader::skip_list(Token at) {
  return list(at, [this](Token element) { return skip(element); });
}

JsonReader::Token JsonReader::read(Token at, Arena& arena, Value& value) {
  switch (peek(at)) {
    case '"': {
      std::string_view kept;
      const Token behind = text(at, arena, kept);
      value = Value::string(kept);
      return behind;
    }
    case '{': return read_object(at, arena, value);
    case '[': return read_list(at, arena, value);
    default: return scalar(at, value);
  }
}

JsonReader::Token JsonReader::read_list(Token at, Arena& arena, Value& value) {
  const std::size_t base = stack_.size();
  at = list(at, [&](Token element_at) {
    Value element;
    const Token behind = read(element_at, arena, element);
    stack_.push_back(element);
    return behind;
  });
  if (at == nullptr) return nullptr;
  const std::span<Value> elements = arena.array<Value>(stack_.size() - base);
  std::copy(stack_.begin() + static_cast<std::ptrdiff_t>(base), stack_.end(), elements.begin());
  stack_.resize(base);
  value = Value::list(elements);
  return at;
}

JsonReader::Token JsonReader::read_object(Token at, Arena& arena, Value& value) {
  const std::size_t base = stack_.size();
  at = object(at, arena, [&](std::string_view name, Token member_at) {
    Value member;
    const Token behind = read(member_at, arena, member);
    stack_.push_back(Value::string(name));
    stack_.push_back(member);
    return behind;
  });
  if (at == nullptr) return nullptr;
  const std::span<MapEntry> entries = arena.array<MapEntry>((stack_.size() - base) / 2);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    entries[i] = {stack_[base + 2 * i], stack_[base + 2 * i + 1]};
  }
  stack_.resize(base);
  value = Value::map(entries.first(drop_repeated_keys(entries.data(), entries.size())));
  return at;
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
