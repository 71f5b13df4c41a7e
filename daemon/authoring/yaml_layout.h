// How a YAML file is laid out: its values as parse_yaml reads them, with where each begins and
// ends, and its comments, each with what it is about.
//
// A comment behind something on its line is about the outermost thing that begins on that line and
// is complete; where none is (`spec:  # …`), about the innermost. A comment on lines of its own is
// about what follows it, or, where it is indented deeper than that, about the end of the mapping or
// list that it stands in:
//
//     closes:
//       - {on: Order Completed}
//       # nothing else ends the wait        the end of `closes`
//     # usual are 30 min to 2 h             leads `after`
//     after: 1h
//
// What a layout cannot be told of is said and left alone: anchors, aliases, tags, directives, `?
// key`, a block scalar that gives its own indentation.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "operators/catalog/source_text.h"
#include "operators/catalog/yaml.h"

namespace spur::authoring {

// A line of comment, or an empty line, that stands before or after something.
struct Remark {
  std::string text;           // "# …"
  bool blank_before = false;  // an empty line parts it from what is above
};

// A document, an entry of a mapping, or an item of a list.
struct Piece {
  const catalog::YamlNode* node = nullptr;    // its value
  const catalog::YamlEntry* entry = nullptr;  // of a mapping: with its key
  bool document = false;
  std::size_t begin = 0;  // of the key, or of the item's `-`
  std::size_t end = 0;    // past the value
  bool blank_before = false;
  std::vector<Remark> leads;       // on the lines above
  std::vector<std::string> tails;  // behind it, on its line
  std::vector<std::string> below;  // lines that continue the last of them, in its column
  std::vector<Remark> feet;        // on lines below its last child
  std::vector<std::unique_ptr<Piece>> children;
};

struct Layout {
  // Of a document: `leads` are its first entry's, `tails` stand behind its `---`.
  std::vector<std::unique_ptr<Piece>> documents;
  std::vector<std::string> comments;  // all, in order
};

struct LayoutResult {
  std::optional<Layout> layout;
  catalog::YamlError problem;  // without a layout: why
};

// `file` is what parse_yaml made of `source`, without errors; both must outlive the layout.
LayoutResult lay_out(const catalog::SourceText& source, const catalog::YamlFile& file);

// Past the last byte that writes the scalar which begins at `offset`.
std::size_t scalar_end(const catalog::SourceText& source, std::size_t offset,
                       const std::string& value);

}  // namespace spur::authoring
