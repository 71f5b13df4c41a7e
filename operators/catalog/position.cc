#include "operators/catalog/position.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace spur::catalog {
namespace {

// "Trigger/cart-abandoned/spec.absence" as people say it: "Trigger cart-abandoned: spec.absence".
std::string spoken(std::string_view path) {
  const std::size_t kind_end = path.find('/');
  if (kind_end == std::string_view::npos) return std::string(path);
  const std::size_t name_end = path.find('/', kind_end + 1);
  std::string text =
      std::string(path.substr(0, kind_end)) + " " +
      std::string(path.substr(
          kind_end + 1, name_end == std::string_view::npos ? name_end : name_end - kind_end - 1));
  if (name_end != std::string_view::npos) text += ": " + std::string(path.substr(name_end + 1));
  return text;
}

// Splits "spec.opens[0].where" into "spec", ".opens", "[0]", ".where": appended in turn they are
// the path again.
std::vector<std::string_view> steps_of(std::string_view fields) {
  std::vector<std::string_view> steps;
  std::size_t begin = 0;
  for (std::size_t i = 1; i <= fields.size(); ++i) {
    if (i == fields.size() || fields[i] == '.' || fields[i] == '[') {
      if (i > begin) steps.push_back(fields.substr(begin, i - begin));
      begin = i;
    }
  }
  return steps;
}

// How YAML writes a step of the protobuf message.
std::string_view yaml_step(std::string_view step) {
  if (step == ".channels") return ".channel";
  if (step.ends_with("_ms")) return step.substr(0, step.size() - 3);
  if (step.ends_with("_minute")) return step.substr(0, step.size() - 7);
  return step;
}

// Steps that YAML may leave out: the list around a single thing, the pattern inside an operator.
bool may_be_left_out(std::string_view step) {
  return step == "[0]" || step == ".patterns" || step == ".expression" || step == ".values";
}

}  // namespace

std::string Error::to_text() const {
  std::string text = at.file;
  if (at.line > 0) text += ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
  text += ": " + message;
  if (!hint.empty()) text += "; " + hint;
  return text;
}

std::vector<Error> merged(std::vector<Error> said, const std::vector<Error>& more) {
  const std::size_t before = said.size();
  for (const Error& error : more) {
    const bool again = std::any_of(said.begin(), said.begin() + static_cast<std::ptrdiff_t>(before),
                                   [&](const Error& e) { return e.at == error.at; });
    if (!again) said.push_back(error);
  }
  std::sort(said.begin(), said.end());
  said.erase(std::unique(said.begin(), said.end()), said.end());
  return said;
}

std::string to_text(const std::vector<Error>& errors) {
  std::string text;
  for (const Error& error : errors) text += error.to_text() + "\n";
  return text;
}

std::string resource_path(std::string_view kind, std::string_view name, int occurrence) {
  std::string path = std::string(kind) + "/" + std::string(name);
  std::replace(path.begin() + static_cast<std::ptrdiff_t>(kind.size()) + 1, path.end(), '/', '%');
  if (occurrence > 1) path += "#" + std::to_string(occurrence);
  return path;
}

bool SourceMap::contains(std::string_view path) const {
  const Found found = find(path);
  return found.place != nullptr && found.missing.empty();
}

// Follows the path a step at a time, so that both the message's and YAML's way of writing it
// arrive, and what is missing ends at its nearest ancestor.
SourceMap::Found SourceMap::find(std::string_view path) const {
  const std::size_t kind_end = path.find('/');
  const std::size_t name_end =
      kind_end == std::string_view::npos ? kind_end : path.find('/', kind_end + 1);
  Found found{nullptr, std::string(path.substr(0, name_end)), ""};
  const auto resource = places_.find(found.path);
  if (resource == places_.end()) return found;
  found.place = &resource->second;
  if (name_end == std::string_view::npos) return found;
  std::string separator = "/";
  for (const std::string_view step : steps_of(path.substr(name_end + 1))) {
    const std::string here = found.path + separator;
    auto next = places_.find(here + std::string(step));
    if (next == places_.end()) next = places_.find(here + std::string(yaml_step(step)));
    if (next != places_.end()) {
      found.path = next->first;
      found.place = &next->second;
      separator.clear();
    } else if (!may_be_left_out(step)) {
      found.missing = here + std::string(yaml_step(step));
      return found;
    }
  }
  return found;
}

Position SourceMap::position(std::string_view path) const {
  const Found found = find(path);
  if (found.place == nullptr) return {spoken(path), 0, 0};
  return found.place->file->position(found.place->value_offset);
}

Position SourceMap::key_position(std::string_view path) const {
  const Found found = find(path);
  if (found.place == nullptr) return {spoken(path), 0, 0};
  return found.place->file->position(found.place->key_offset);
}

Position SourceMap::position(std::string_view path, std::size_t offset) const {
  const Found found = find(path);
  if (found.place == nullptr) return {spoken(path), 0, 0};
  const Place& place = *found.place;
  if (!found.missing.empty() || !place.scalar) return place.file->position(place.value_offset);
  return place.file->position(place.file->offset_in_scalar(place.value_offset, place.text, offset));
}

bool SourceMap::unreadable(std::string_view path) const {
  const Found found = find(path);
  if (unreadable_.contains(found.missing)) return true;
  for (std::size_t end = found.path.size(); end > 0; --end) {
    const bool boundary = end == found.path.size() || found.path[end] == '.' ||
                          found.path[end] == '[' || found.path[end] == '/';
    if (boundary && unreadable_.contains(found.path.substr(0, end))) return true;
  }
  return false;
}

void SourceMap::add(std::string path, Place place) {
  places_.insert_or_assign(std::move(path), std::move(place));
}

void SourceMap::add_unreadable(std::string path) { unreadable_.insert(std::move(path)); }

}  // namespace spur::catalog
