// Indented JSON, written from front to back.
#pragma once

#include <string>
#include <string_view>

#include "operators/expression/text.h"

namespace spur::authoring {

// begin() and end() come in pairs; a member's value is written by one of text(), raw() or a pair.
class JsonWriter {
 public:
  JsonWriter& begin(char bracket) {  // '{' or '['
    value();
    out_ += bracket;
    ++depth_;
    first_ = true;
    return *this;
  }
  JsonWriter& end(char bracket) {
    --depth_;
    if (!first_) line();
    out_ += bracket;
    first_ = false;
    return *this;
  }
  JsonWriter& key(std::string_view name) {
    next();
    expression::append_json_string(&out_, name);
    out_ += ": ";
    after_key_ = true;
    return *this;
  }
  JsonWriter& text(std::string_view text) {
    value();
    expression::append_json_string(&out_, text);
    return *this;
  }
  JsonWriter& raw(std::string_view json) {
    value();
    out_ += json;
    return *this;
  }
  // Key and text, the commonest member.
  JsonWriter& member(std::string_view name, std::string_view value) {
    return key(name).text(value);
  }
  std::string take() { return std::move(out_) + "\n"; }

 private:
  void value() {
    if (!after_key_ && depth_ > 0) next();
    after_key_ = false;
  }
  void next() {
    if (!first_) out_ += ',';
    first_ = false;
    line();
  }
  void line() { out_ += '\n' + std::string(2 * depth_, ' '); }

  std::string out_;
  std::size_t depth_ = 0;
  bool first_ = true;
  bool after_key_ = false;
};

}  // namespace spur::authoring
