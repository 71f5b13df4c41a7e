#include "operators/catalog/nearest.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace spur::catalog {
namespace {

constexpr std::size_t kComparedMax = 64;  // longer names are nobody's slip

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// Edit distance in which two swapped neighbours are one edit (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const bool same = lower(a[i - 1]) == lower(b[j - 1]);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (same ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                           lower(a[i - 2]) == lower(b[j - 1]);
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view name, const std::set<std::string>& candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = 0;
  if (name.size() > kComparedMax) return best;
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kComparedMax) continue;
    const std::size_t length = std::max(name.size(), candidate.size());
    const std::size_t edits = distance(name, candidate);
    if (edits > std::max<std::size_t>(1, length / 3) || edits * 2 >= length) continue;
    if (best && edits >= best_distance) continue;
    best = candidate;
    best_distance = edits;
  }
  return best;
}

std::string did_you_mean(std::string_view name, const std::set<std::string>& candidates) {
  const std::optional<std::string> near = nearest(name, candidates);
  return near ? "did you mean `" + *near + "`?" : "";
}

}  // namespace spur::catalog
