// Logging: one line an occurrence, as JSON for collectors or as text for people, to standard error.
//
//     logging::info("shard caught up", {{"shard", 3}, {"runs", 1200}});
//     {"time":"2026-03-01T08:00:00.123Z","level":"info","message":"shard caught up","shard":3,"runs":1200}
//
// The message is a constant that can be searched for; what varies is a field. No personal data: fields carry shards,
// triggers, channels, counts, hashes, reasons and positions, never a customer, an identity or the content of an event.
// Safe from any thread; never on the path of an event.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>

#include "absl/status/status.h"
#include "daemon/config.h"

namespace spur::logging {

struct Field {
  using Value = std::variant<std::int64_t, std::uint64_t, double, bool, std::string>;

  std::string_view name;
  Value value;

  template <typename T>
  Field(std::string_view field, const T& v) : name(field), value(convert(v)) {}

 private:
  template <typename T>
  static Value convert(const T& v) {
    if constexpr (std::is_same_v<T, bool>) {
      return Value(std::in_place_type<bool>, v);
    } else if constexpr (std::is_floating_point_v<T>) {
      return Value(std::in_place_type<double>, v);
    } else if constexpr (std::is_unsigned_v<T>) {
      return Value(std::in_place_type<std::uint64_t>, v);
    } else if constexpr (std::is_integral_v<T>) {
      return Value(std::in_place_type<std::int64_t>, v);
    } else if constexpr (std::is_same_v<T, absl::Status>) {
      return Value(std::in_place_type<std::string>, v.ToString());
    } else {
      return Value(std::in_place_type<std::string>, std::string_view(v));
    }
  }
};
using Fields = std::initializer_list<Field>;

// Sets least level and format. Call once, before threads; without it: info, text.
void configure(LogLevel level, LogFormat format);

void debug(std::string_view message, Fields fields = {});
void info(std::string_view message, Fields fields = {});
void warning(std::string_view message, Fields fields = {});
void error(std::string_view message, Fields fields = {});

// Writes out what a sink may still hold. Call before exiting without returning from main.
void flush();

// The line without its end, as configure() chose the format; `time_text` is RFC 3339. Pure: this is what tests look at.
std::string render(LogFormat format, std::string_view time_text, LogLevel level, std::string_view message,
                   Fields fields);

}  // namespace spur::logging
