// Bytes as text, and goldens of them: lines of "name = hex". SPUR_UPDATE_GOLDENS=1 writes them
// anew, which is right for a sample that is new and wrong for one that no longer matches: stored
// bytes are frozen.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spur::testing {

inline std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    text.push_back(kDigits[static_cast<unsigned char>(byte) >> 4]);
    text.push_back(kDigits[static_cast<unsigned char>(byte) & 15]);
  }
  return text;
}

inline void expect_golden(const std::string& path,
                          const std::vector<std::pair<std::string, std::string>>& samples) {
  std::string actual = "version 1\n";
  for (const auto& [name, bytes] : samples) actual += name + " = " + hex(bytes) + "\n";
  if (std::getenv("SPUR_UPDATE_GOLDENS") != nullptr) std::ofstream(path) << actual;
  std::ifstream in(path);
  const std::string expected{std::istreambuf_iterator<char>(in), {}};
  EXPECT_EQ(expected, actual);
}

}  // namespace spur::testing
