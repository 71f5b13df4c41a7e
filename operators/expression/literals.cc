// What the text between a string's quotes means: CEL's escapes (langdef.md, "String and Bytes
// Values").

#include <cstdint>

#include "operators/expression/lexer.h"
#include "operators/expression/utf8.h"

namespace spur::expression {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

class Decoder {
 public:
  Decoder(std::string_view body, bool bytes, std::string* out)
      : body_(body), bytes_(bytes), out_(out) {}

  // False on a bad escape; position() is then where it starts.
  bool decode() {
    while (next_ < body_.size()) {
      escape_ = next_;
      const char c = body_[next_++];
      if (c == '\r') {  // line ends are normalised, so that a file's origin does not matter
        if (next_ < body_.size() && body_[next_] == '\n') ++next_;
        out_->push_back('\n');
      } else if (c != '\\') {
        out_->push_back(c);
      } else if (!escape()) {
        return false;
      }
    }
    return true;
  }
  std::size_t position() const { return escape_; }
  const std::string& problem() const { return problem_; }

 private:
  bool escape() {
    if (next_ >= body_.size()) return fail("a backslash at the end");
    const char c = body_[next_++];
    switch (c) {
      case 'a':
        return put('\a');
      case 'b':
        return put('\b');
      case 'f':
        return put('\f');
      case 'n':
        return put('\n');
      case 'r':
        return put('\r');
      case 't':
        return put('\t');
      case 'v':
        return put('\v');
      case '\\':
      case '?':
      case '"':
      case '\'':
      case '`':
        return put(c);
      case 'x':
      case 'X':
        return number(2, 16);
      case 'u':
        return bytes_ ? fail("\\u is not for bytes") : number(4, 16);
      case 'U':
        return bytes_ ? fail("\\U is not for bytes") : number(8, 16);
      default:
        break;
    }
    if (c < '0' || c > '3') return fail("no such escape");
    --next_;
    return number(3, 8);
  }

  bool number(std::size_t digits, std::uint32_t base) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < digits; ++i) {
      const int digit = next_ < body_.size() ? hex_value(body_[next_]) : -1;
      if (digit < 0 || digit >= static_cast<int>(base))
        return fail("an escape with too few digits");
      value = value * base + static_cast<std::uint32_t>(digit);
      ++next_;
    }
    // In bytes an escape is a byte, in a string a code point.
    if (bytes_) return put(static_cast<char>(value));
    if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) return fail("no such character");
    append_code_point(out_, value);
    return true;
  }

  bool put(char c) {
    out_->push_back(c);
    return true;
  }
  bool fail(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  std::string_view body_;
  bool bytes_;
  std::string* out_;
  std::size_t next_ = 0;
  std::size_t escape_ = 0;
  std::string problem_;
};

}  // namespace

bool decode_string(const Token& token, std::string* out, std::string* problem,
                   std::size_t* offset) {
  std::string_view body = token.text;
  bool raw = false;
  while (body[0] != '"' && body[0] != '\'') {
    raw = raw || body[0] == 'r' || body[0] == 'R';
    body.remove_prefix(1);
  }
  const bool triple = body.size() >= 6 && body[1] == body[0] && body[2] == body[0];
  const std::size_t quotes = triple ? 3 : 1;
  body = body.substr(quotes, body.size() - 2 * quotes);
  *offset = static_cast<std::size_t>(body.data() - token.text.data());
  const bool bytes = token.kind == TokenKind::kBytes;
  if (raw) {
    out->append(body);
  } else {
    Decoder decoder(body, bytes, out);
    if (!decoder.decode()) {
      *problem = decoder.problem();
      *offset += decoder.position();
      return false;
    }
  }
  if (!bytes && !is_utf8(*out)) {
    *problem = "a string that is not UTF-8";
    return false;
  }
  return true;
}

}  // namespace spur::expression
