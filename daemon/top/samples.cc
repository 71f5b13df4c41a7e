#include "daemon/top/samples.h"

#include <charconv>
#include <limits>

namespace spur::top {
namespace {

// `{a="b",c="d"}` from the brace on; false if it is not closed. `at` is then behind it.
bool read_labels(std::string_view line, std::size_t& at, Sample& sample) {
  for (++at; at < line.size() && line[at] != '}';) {
    const std::size_t equals = line.find("=\"", at);
    if (equals == std::string_view::npos) return false;
    auto& [name, value] = sample.labels.emplace_back(line.substr(at, equals - at), "");
    for (at = equals + 2; at < line.size() && line[at] != '"'; ++at) {
      if (line[at] == '\\' && at + 1 < line.size()) {
        ++at;
        value += line[at] == 'n' ? '\n' : line[at];
      } else {
        value += line[at];
      }
    }
    if (at >= line.size()) return false;
    ++at;
    if (at < line.size() && line[at] == ',') ++at;
  }
  if (at >= line.size()) return false;
  ++at;
  return true;
}

std::optional<double> read_value(std::string_view text) {
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

std::optional<Sample> read_line(std::string_view line) {
  if (line.empty() || line[0] == '#') return std::nullopt;
  std::size_t at = line.find_first_of("{ ");
  if (at == std::string_view::npos) return std::nullopt;
  Sample sample;
  sample.name = std::string(line.substr(0, at));
  if (line[at] == '{' && !read_labels(line, at, sample)) return std::nullopt;
  while (at < line.size() && line[at] == ' ') ++at;
  const std::optional<double> value = read_value(line.substr(at));
  if (!value.has_value()) return std::nullopt;
  sample.value = *value;
  return sample;
}

}  // namespace

std::string_view Sample::label(std::string_view of) const {
  for (const auto& [name, value] : labels) {
    if (name == of) return value;
  }
  return {};
}

Samples Samples::parse(std::string_view text) {
  Samples all;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (std::optional<Sample> sample = read_line(text.substr(0, end)))
      all.samples_.push_back(*std::move(sample));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return all;
}

std::optional<double> Samples::sum(std::string_view name) const {
  std::optional<double> total;
  each(name, [&](const Sample& sample) { total = total.value_or(0) + sample.value; });
  return total;
}

void Samples::each(std::string_view name, const std::function<void(const Sample&)>& visit) const {
  for (const Sample& sample : samples_) {
    if (sample.name == name) visit(sample);
  }
}

}  // namespace spur::top
