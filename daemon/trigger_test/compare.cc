#include "daemon/trigger_test/compare.h"

#include <algorithm>
#include <cstdint>
#include <functional>

#include "daemon/backtest/backtest.h"
#include "daemon/trigger_test/yaml_json.h"
#include "operators/catalog/durations.h"

namespace spur::trigger_test {
namespace {

constexpr std::size_t kPairsMax = 4'000'000;  // of one comparison; beyond: place by place

std::string offset_text(Instant t, Instant start) {
  const Millis after = t - start;
  return (after.count < 0 ? "" : "+") + catalog::to_text(after);
}

void add(std::string& line, std::string_view part, std::string_view gap = "  ") {
  if (part.empty()) return;
  if (!line.empty()) line += gap;
  line += part;
}

std::string to_line(const Expectation& e, Instant start) {
  std::string line;
  if (e.time) add(line, offset_text(*e.time, start));
  if (e.customer) add(line, *e.customer);
  if (e.trigger) add(line, *e.trigger);
  if (e.instance) add(line, "[" + *e.instance + "]", " ");
  if (e.channel) add(line, e.channel->empty() ? "(no channel)" : *e.channel);
  if (e.template_name) add(line, *e.template_name, " ");
  if (e.verdict) add(line, spur::to_text(*e.verdict));
  if (e.reason && !e.reason->empty()) add(line, *e.reason, ": ");
  if (e.data != nullptr) add(line, to_json(*e.data));
  return line.empty() ? "(any)" : line;
}

bool same_customer(const std::string& expected, const std::string& got) {
  return got == expected || got == "user_id:" + expected;
}

// What of an expectation is not so, for people.
std::vector<std::string> disagreements(const Expectation& e, const Decision& d, Instant start) {
  std::vector<std::string> all;
  const auto text = [&](std::string_view name, const std::optional<std::string>& expected,
                        const std::string& got) {
    if (!expected || *expected == got) return;
    const auto shown = [](const std::string& t) { return t.empty() ? std::string("nothing") : t; };
    all.push_back(std::string(name) + ": expected " + shown(*expected) + ", got " + shown(got));
  };
  if (e.time && *e.time != d.time)
    all.push_back("at: expected " + offset_text(*e.time, start) + ", got " +
                  offset_text(d.time, start));
  if (e.customer && !same_customer(*e.customer, d.customer))
    text("customer", e.customer, d.customer);
  text("trigger", e.trigger, d.trigger);
  text("instance", e.instance, d.instance);
  text("channel", e.channel, d.channel);
  text("template", e.template_name, d.template_name);
  if (e.verdict && *e.verdict != d.verdict) {
    all.push_back("verdict: expected " + std::string(spur::to_text(*e.verdict)) + ", got " +
                  std::string(spur::to_text(d.verdict)) +
                  (d.detail.empty() ? "" : " (" + d.detail + ")"));
  }
  text("reason", e.reason, d.reason);
  if (e.data != nullptr && !is_json(*e.data, d.data))
    all.push_back("data: expected " + to_json(*e.data) + ", got " + d.data);
  return all;
}

// Places of both that go together, in order: the longest such list.
using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;
Pairs align(std::size_t n, std::size_t m,
            const std::function<bool(std::size_t, std::size_t)>& equal) {
  Pairs pairs;
  if (n != 0 && m > kPairsMax / n) {
    for (std::size_t i = 0; i < std::min(n, m); ++i) {
      if (equal(i, i)) pairs.emplace_back(i, i);
    }
    return pairs;
  }
  std::vector<std::uint8_t> same(n * m);
  std::vector<std::uint32_t> longest((n + 1) * (m + 1));
  const auto length = [&](std::size_t i, std::size_t k) -> std::uint32_t& {
    return longest[i * (m + 1) + k];
  };
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = m; k-- > 0;) {
      same[i * m + k] = equal(i, k) ? 1 : 0;
      length(i, k) = same[i * m + k] != 0 ? length(i + 1, k + 1) + 1 : 0;
      length(i, k) = std::max({length(i, k), length(i + 1, k), length(i, k + 1)});
    }
  }
  for (std::size_t i = 0, k = 0; i < n && k < m;) {
    if (same[i * m + k] != 0 && length(i, k) == length(i + 1, k + 1) + 1) {
      pairs.emplace_back(i++, k++);
    } else if (length(i + 1, k) >= length(i, k + 1)) {
      ++i;
    } else {
      ++k;
    }
  }
  return pairs;
}

// The lines of a diff: what agrees is context; between, first what is missing, then what is there
// instead.
std::vector<std::string> lines_of(
    std::size_t n, std::size_t m, const Pairs& pairs,
    const std::function<std::string(std::size_t)>& expected,
    const std::function<std::string(std::size_t)>& got,
    const std::function<std::vector<std::string>(std::size_t, std::size_t)>& explain) {
  std::vector<std::string> lines;
  if (pairs.size() == n && pairs.size() == m) return lines;
  std::size_t i = 0, k = 0;
  const auto gap = [&](std::size_t i_end, std::size_t k_end) {
    while (i < i_end || k < k_end) {
      const bool both = i < i_end && k < k_end;
      if (i < i_end) lines.push_back("- " + expected(i));
      if (k < k_end) lines.push_back("+ " + got(k));
      if (both) {
        for (const std::string& line : explain(i, k)) lines.push_back("    " + line);
      }
      if (i < i_end) ++i;
      if (k < k_end) ++k;
    }
  };
  for (const auto& [at_i, at_k] : pairs) {
    gap(at_i, at_k);
    lines.push_back("  " + got(at_k));
    i = at_i + 1;
    k = at_k + 1;
  }
  gap(n, m);
  return lines;
}

}  // namespace

bool agrees(const Expectation& expected, const Decision& got) {
  return disagreements(expected, got, Instant{0}).empty();
}

std::string to_line(const Decision& d, Instant start) {
  std::string line = offset_text(d.time, start);
  add(line, d.customer);
  add(line, d.trigger);
  if (!d.instance.empty()) add(line, "[" + d.instance + "]", " ");
  add(line, d.channel.empty() ? "(no channel)" : d.channel);
  add(line, d.template_name, " ");
  add(line, spur::to_text(d.verdict));
  add(line, d.reason, ": ");
  if (d.data != "{}") add(line, d.data);
  return line;
}

std::vector<std::string> difference(std::span<const Expectation> expected,
                                    std::span<const Decision> got, Instant start) {
  const Pairs pairs = align(expected.size(), got.size(), [&](std::size_t i, std::size_t k) {
    return agrees(expected[i], got[k]);
  });
  return lines_of(
      expected.size(), got.size(), pairs,
      [&](std::size_t i) {
        return to_line(expected[i], start) + "    (line " + std::to_string(expected[i].at.line) +
               ")";
      },
      [&](std::size_t k) { return to_line(got[k], start); },
      [&](std::size_t i, std::size_t k) {
        // Two that have nothing in common are better left alone.
        const bool related = !expected[i].trigger || *expected[i].trigger == got[k].trigger;
        return related ? disagreements(expected[i], got[k], start) : std::vector<std::string>();
      });
}

std::vector<std::string> difference(std::span<const Decision> expected,
                                    std::span<const Decision> got, Instant start) {
  const auto comparable = [](const Decision& d) {
    Decision same = d;
    same.id = {};
    return decision_line(same);
  };
  std::vector<std::string> a, b;
  for (const Decision& d : expected) a.push_back(comparable(d));
  for (const Decision& d : got) b.push_back(comparable(d));
  const Pairs pairs =
      align(a.size(), b.size(), [&](std::size_t i, std::size_t k) { return a[i] == b[k]; });
  return lines_of(
      a.size(), b.size(), pairs, [&](std::size_t i) { return to_line(expected[i], start); },
      [&](std::size_t k) { return to_line(got[k], start); },
      [](std::size_t, std::size_t) { return std::vector<std::string>(); });
}

}  // namespace spur::trigger_test
