// Messages for people out of parts: numbers and strings of any kind, absl's and std's.
#pragma once

#include <fmt/format.h>

#include <iterator>
#include <string>
#include <string_view>

namespace spur::kafka {

template <typename Part>
void add_text(std::string& out, const Part& part) {
  if constexpr (requires { std::string_view(part.data(), part.size()); }) {
    out.append(part.data(), part.size());
  } else {
    fmt::format_to(std::back_inserter(out), "{}", part);
  }
}

template <typename... Parts>
std::string text(const Parts&... parts) {
  std::string out;
  (add_text(out, parts), ...);
  return out;
}

}  // namespace spur::kafka
