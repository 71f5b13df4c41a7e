// Where something stands in the catalog's files, and what is wrong there.
//
// A catalog is read from YAML into protobuf once; whoever checks it later (names, ranges, CEL)
// works on the protobuf and says what it means by a path. The SourceMap turns the path back into
// file, line and column. A catalog that came as protobuf has an empty SourceMap; the path then
// stands in the place of the file.
//
// A path is "<Kind>/<name>/<fields>": "Trigger/cart-abandoned/spec.absence.opens[0].where", where
// fields are those of the protobuf message (without `_ms`) or the keys as YAML writes them. These
// all find the same text:
//     spec.event.patterns[0].where     spec.event.where             an inline pattern
//     spec.absence.opens[0].where      spec.absence.opens.where     a list of one that is written
//     without the list spec.actions[1].channels[0]      spec.actions[1].channel
//     spec.actions[1].data[0]          spec.actions[1].data.cart    a named expression
//     spec.quiet_hours.from_minute     spec.quiet_hours.from
// A `/` in a name (an error, but it must be said where) is `%` in the path; use resource_path().
// If a catalog holds a name twice, the second is "<Kind>/<name>#2/<fields>".
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "operators/catalog/source_text.h"

namespace spur::catalog {

struct Error {
  Position at;
  std::string message;  // what is wrong: "unknown key `agregate` in spec"
  std::string hint;     // what would be right: "did you mean `aggregate`?"; may be empty

  // "shop/cart.yaml:12:5: what is wrong; what would be right". Line and column only where they are
  // known.
  std::string to_text() const;
  friend auto operator<=>(const Error&, const Error&) = default;
};

// `said` and what of `more` stands where nothing was said yet, by place, each once: two checks that
// mind one thing are one error.
std::vector<Error> merged(std::vector<Error> said, const std::vector<Error>& more);

// All errors, each on its line; for messages and logs.
std::string to_text(const std::vector<Error>& errors);

// "Trigger/cart-abandoned" of the first, "Trigger/cart-abandoned#2" of the second resource of that
// kind and name.
std::string resource_path(std::string_view kind, std::string_view name, int occurrence = 1);

// A value. Copies share the files' text.
class SourceMap {
 public:
  // Nothing was read from files.
  bool empty() const { return places_.empty(); }
  // Whether the path itself was written, whatever its value.
  bool contains(std::string_view path) const;

  // Where the value of `path` begins; of its nearest ancestor if the path was not written.
  Position position(std::string_view path) const;
  // Where the key before that value begins: what to point at when something is missing inside the
  // value.
  Position key_position(std::string_view path) const;
  // Where byte `offset` of the text of `path` stands, through quotes, escapes, folded lines and
  // block scalars. The end of the text is one past its last character.
  Position position(std::string_view path, std::size_t offset) const;

  // The YAML reader could not use what stands at `path` and has said so. Checks do not report what
  // is at or below it.
  bool unreadable(std::string_view path) const;

  // Building. `text` is empty for a mapping or list.
  struct Place {
    std::shared_ptr<const SourceText> file;
    std::size_t key_offset = 0;    // bytes from the start of the file
    std::size_t value_offset = 0;  // past anchor and tag
    bool scalar = false;
    std::string text;  // of the scalar
  };
  void add(std::string path, Place place);
  void add_unreadable(std::string path);

 private:
  struct Found {
    const Place* place = nullptr;  // of the path or its nearest ancestor
    std::string path;              // as YAML writes it
    std::string
        missing;  // the first step below it that was not written, with what stands before; or empty
  };
  Found find(std::string_view path) const;

  std::map<std::string, Place, std::less<>> places_;
  std::set<std::string, std::less<>> unreadable_;
};

}  // namespace spur::catalog
