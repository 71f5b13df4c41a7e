#include "operators/expression/environment.h"

#include <algorithm>
#include <utility>

namespace spur::expression {
namespace {

// Levenshtein distance. Names are short; the table is one row.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      const std::size_t change = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({row[j - 1] + 1, above + 1, change});
      diagonal = above;
    }
  }
  return row[b.size()];
}

bool starts_with_segment(std::string_view name, std::string_view prefix) {
  return name.size() > prefix.size() && name.substr(0, prefix.size()) == prefix &&
         name[prefix.size()] == '.';
}

}  // namespace

void Environment::declare(std::string dotted_name, Type type) {
  variables_.insert_or_assign(std::move(dotted_name), std::move(type));
}

void Environment::declare_unavailable(std::string dotted_name, std::string reason) {
  unavailable_.insert_or_assign(std::move(dotted_name), std::move(reason));
}

void Environment::declare_keys(std::string dotted_name, std::string what,
                               std::set<std::string> keys) {
  keys_.insert_or_assign(std::move(dotted_name), Keys{std::move(what), std::move(keys)});
}

void Environment::declare_fields(std::string dotted_name, std::string what,
                                 std::set<std::string> paths) {
  fields_.insert_or_assign(std::move(dotted_name), Keys{std::move(what), std::move(paths)});
}

void Environment::declare_values(std::string dotted_name, std::string what,
                                 std::set<std::string> values,
                                 std::string (*normal)(std::string_view)) {
  values_.insert_or_assign(std::move(dotted_name),
                           Values{{std::move(what), std::move(values)}, normal});
}

std::optional<Environment::NoField> Environment::no_field(
    std::string_view dotted_name, const std::vector<std::string>& path) const {
  const auto declared = fields_.find(dotted_name);
  if (declared == fields_.end()) return std::nullopt;
  std::string space;  // of the path so far, with its dot
  for (std::size_t i = 0; i < path.size(); ++i) {
    std::set<std::string> here;
    for (auto at = declared->second.keys.lower_bound(space);
         at != declared->second.keys.end() && at->starts_with(space); ++at) {
      here.insert(at->substr(space.size(), at->find('.', space.size()) - space.size()));
    }
    // Nothing was said of what lies below; but that nothing is there at all was.
    if (here.empty() && i > 0) return std::nullopt;
    if (!here.contains(path[i])) {
      const std::optional<std::string> near = nearest_of(path[i], here);
      return NoField{i, "there is no " + declared->second.what + " `" + space + path[i] + "`",
                     near ? "did you mean `" + space + *near + "`?" : ""};
    }
    space += path[i] + ".";
  }
  return std::nullopt;
}

std::optional<std::pair<std::string, std::string>> Environment::no_value(
    std::string_view dotted_name, std::string_view value) const {
  const auto declared = values_.find(dotted_name);
  if (declared == values_.end()) return std::nullopt;
  const auto& [of, normal] = declared->second;
  const auto normalized = [&normal = normal](std::string_view text) {  // clang 14 names no binding
    return normal == nullptr ? std::string(text) : normal(text);
  };
  const std::string wanted = normalized(value);
  for (const std::string& known : of.keys) {
    if (normalized(known) == wanted) return std::nullopt;
  }
  const std::optional<std::string> near = nearest_of(value, of.keys);
  return std::pair{"there is no " + of.what + " `" + std::string(value) + "`",
                   near ? "did you mean `" + *near + "`?" : std::string()};
}

void Environment::declare_function(std::string name, std::vector<Signature> signatures) {
  functions_.insert_or_assign(std::move(name), std::move(signatures));
}

const std::vector<Environment::Signature>* Environment::function(std::string_view name) const {
  const auto at = functions_.find(name);
  return at == functions_.end() ? nullptr : &at->second;
}

const Environment::Keys* Environment::keys(std::string_view dotted_name) const {
  const auto at = keys_.find(dotted_name);
  return at == keys_.end() ? nullptr : &at->second;
}

const Type* Environment::find(std::string_view dotted_name) const {
  const auto at = variables_.find(dotted_name);
  return at == variables_.end() ? nullptr : &at->second;
}

const std::string* Environment::unavailable(std::string_view dotted_name) const {
  if (unavailable_.empty()) return nullptr;
  for (std::string_view name = dotted_name; !name.empty();) {
    const auto at = unavailable_.find(name);
    if (at != unavailable_.end()) return &at->second;
    const std::size_t dot = name.rfind('.');
    name = dot == std::string_view::npos ? std::string_view() : name.substr(0, dot);
  }
  return nullptr;
}

bool Environment::is_namespace(std::string_view dotted_name) const {
  std::string prefix(dotted_name);
  prefix += '.';
  const auto at = variables_.lower_bound(prefix);
  return at != variables_.end() && starts_with_segment(at->first, dotted_name);
}

std::optional<std::string> Environment::nearest(std::string_view space,
                                                std::string_view name) const {
  std::set<std::string> candidates;
  for (const auto& [declared, type] : variables_) {
    std::string_view rest = declared;
    if (!space.empty()) {
      if (!starts_with_segment(rest, space)) continue;
      rest.remove_prefix(space.size() + 1);
    }
    candidates.emplace(rest.substr(0, rest.find('.')));
  }
  return nearest_of(name, candidates);
}

std::optional<std::string> nearest_of(std::string_view name,
                                      const std::set<std::string>& candidates) {
  // A third of the letters may differ: more is another word.
  std::size_t best = std::max<std::size_t>(1, name.size() / 3) + 1;
  std::optional<std::string> found;
  for (const std::string& candidate : candidates) {
    if (candidate == name) continue;
    const std::size_t distance = edit_distance(name, candidate);
    if (distance >= best) continue;
    best = distance;
    found = candidate;
  }
  return found;
}

}  // namespace spur::expression
