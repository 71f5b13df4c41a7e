// The fixture of the decoder's tests: one decoder, and calls written with single quotes.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/inputs/segment.h"

namespace spur {

// `text` with ' for ", which reads better in C++.
inline std::string quoted(std::string text) {
  std::replace(text.begin(), text.end(), '\'', '"');
  return text;
}

// A good track with `more` fields behind.
inline std::string track(std::string_view more = {}) {
  std::string call = "{'type':'track','event':'Order Completed','userId':'ann','messageId':'m1',"
                     "'timestamp':'2026-03-01T08:30:00.250Z'";
  if (!more.empty()) call += ",";
  return quoted(call + std::string(more) + "}");
}

class Decoding : public testing::Test {
 protected:
  // The bytes are copied to the end of a heap block of their own size, where a sanitizer sees any
  // step beyond.
  Decoded decode(std::string_view bytes) {
    inputs_.emplace_back(bytes.begin(), bytes.end());
    return decoder_.decode({inputs_.back().data(), inputs_.back().size()}, schema_, 3, arena_);
  }
  Event event(std::string_view bytes) {
    Decoded decoded = decode(bytes);
    if (const auto* malformed = std::get_if<Malformed>(&decoded)) {
      ADD_FAILURE() << bytes << "\n" << to_text(malformed->reason) << ": " << malformed->detail;
      return {};
    }
    return std::get<Event>(decoded);
  }
  // The reason's name, or "" if the call is good.
  std::string reason(std::string_view bytes) {
    const Decoded decoded = decode(bytes);
    const auto* malformed = std::get_if<Malformed>(&decoded);
    if (malformed == nullptr) return "";
    EXPECT_FALSE(malformed->detail.empty());
    return std::string(to_text(malformed->reason));
  }

  SegmentDecoder decoder_;
  EventSchema schema_;
  Arena arena_;
  std::vector<std::vector<char>> inputs_;
};

// A value as JSON-like text, with its kind where that is not plain: 7 is a double, 7i an int, 7u a
// uint.
inline std::string show(const Value& value) {
  std::string text;
  switch (value.kind()) {
    case Kind::kAbsent: return "absent";
    case Kind::kNull: return "null";
    case Kind::kBool: return value.as_bool() ? "true" : "false";
    case Kind::kInt: return std::to_string(value.as_int()) + "i";
    case Kind::kUint: return std::to_string(value.as_uint()) + "u";
    case Kind::kDouble: {
      char buffer[32];
      std::snprintf(buffer, sizeof buffer, "%.17g", value.as_double());
      return buffer;
    }
    case Kind::kString: return "'" + std::string(value.as_text()) + "'";
    case Kind::kList:
      for (const Value& element : value.elements())
        text += (text.empty() ? "" : ",") + show(element);
      return "[" + text + "]";
    case Kind::kMap:
      for (const MapEntry& entry : value.entries()) {
        text += (text.empty() ? "" : ",") + show(entry.key) + ":" + show(entry.value);
      }
      return "{" + text + "}";
    default: return "?";
  }
}

}  // namespace spur
