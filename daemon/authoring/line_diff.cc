#include "daemon/authoring/line_diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

namespace spur::authoring {
namespace {

constexpr std::size_t kContext = 3;

using Lines = std::vector<std::string_view>;

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    lines.push_back(text.substr(0, newline));
    text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  }
  return lines;
}

// One line of the script: ' ' in both, '-' before, '+' after.
struct Step {
  char what;
  std::string_view line;
};

// By the longest common subsequence of what lies between a common beginning and end.
class Script {
 public:
  Script(const Lines& a, const Lines& b) : a_(a), b_(b) {}

  std::vector<Step> run() {
    while (begin_ < std::min(a_.size(), b_.size()) && a_[begin_] == b_[begin_]) keep(a_[begin_++]);
    std::size_t same = 0;
    while (same < std::min(a_.size(), b_.size()) - begin_ &&
           a_[a_.size() - 1 - same] == b_[b_.size() - 1 - same]) {
      ++same;
    }
    middle(a_.size() - same, b_.size() - same);
    for (std::size_t i = a_.size() - same; i < a_.size(); ++i) keep(a_[i]);
    return std::move(steps_);
  }

 private:
  void keep(std::string_view line) { steps_.push_back({' ', line}); }

  void middle(std::size_t a_end, std::size_t b_end) {
    const std::size_t rows = a_end - begin_, columns = b_end - begin_;
    std::size_t i = 0, j = 0;
    if (rows == 0 || columns <= kDiffPairsMax / rows) {
      // longest[i][j]: of what remains from there.
      std::vector<std::uint32_t> longest((rows + 1) * (columns + 1));
      const auto at = [&](std::size_t r, std::size_t c) -> std::uint32_t& {
        return longest[r * (columns + 1) + c];
      };
      for (std::size_t r = rows; r-- > 0;) {
        for (std::size_t c = columns; c-- > 0;) {
          at(r, c) = a_[begin_ + r] == b_[begin_ + c] ? at(r + 1, c + 1) + 1
                                                      : std::max(at(r + 1, c), at(r, c + 1));
        }
      }
      while (i < rows && j < columns) {
        if (a_[begin_ + i] == b_[begin_ + j]) {
          keep(a_[begin_ + i++]);
          ++j;
        } else if (at(i + 1, j) >= at(i, j + 1)) {
          steps_.push_back({'-', a_[begin_ + i++]});
        } else {
          steps_.push_back({'+', b_[begin_ + j++]});
        }
      }
    }
    for (; i < rows; ++i) steps_.push_back({'-', a_[begin_ + i]});
    for (; j < columns; ++j) steps_.push_back({'+', b_[begin_ + j]});
  }

  const Lines& a_;
  const Lines& b_;
  std::size_t begin_ = 0;
  std::vector<Step> steps_;
};

// Lines before `at` of one of the two texts.
std::size_t lines_before(const std::vector<Step>& steps, std::size_t at, char other) {
  return static_cast<std::size_t>(std::count_if(steps.begin(),
                                                steps.begin() + static_cast<std::ptrdiff_t>(at),
                                                [&](const Step& s) { return s.what != other; }));
}

std::string range(std::size_t before, std::size_t count) {
  return std::to_string(count == 0 ? before : before + 1) + "," + std::to_string(count);
}

}  // namespace

std::string unified_diff(std::string_view name, std::string_view before, std::string_view after) {
  if (before == after) return "";
  const Lines a = lines_of(before), b = lines_of(after);
  const std::vector<Step> steps = Script(a, b).run();
  std::string out = "--- a/" + std::string(name) + "\n+++ b/" + std::string(name) + "\n";
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].what == ' ') continue;
    const std::size_t begin = i < kContext ? 0 : i - kContext;
    std::size_t last = i;  // change of this hunk
    for (std::size_t k = i; k < steps.size() && k <= last + 2 * kContext; ++k) {
      if (steps[k].what != ' ') last = k;
    }
    const std::size_t end = std::min(steps.size(), last + kContext + 1);
    const std::size_t a_begin = lines_before(steps, begin, '+'),
                      b_begin = lines_before(steps, begin, '-');
    out += "@@ -" + range(a_begin, lines_before(steps, end, '+') - a_begin) + " +" +
           range(b_begin, lines_before(steps, end, '-') - b_begin) + " @@\n";
    for (std::size_t k = begin; k < end; ++k) {
      out += steps[k].what;
      out += steps[k].line;
      out += '\n';
    }
    i = end - 1;
  }
  return out;
}

}  // namespace spur::authoring
