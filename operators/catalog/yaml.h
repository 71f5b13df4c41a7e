// YAML as a tree that knows where each thing stands: what the walk over a catalog's documents
// needs, and no more.
//
// yaml-cpp does the reading; its event interface is used and not its Node, because Node lets
// repeated keys pass, merges them silently, and can be walked for ever (an anchor inside itself) or
// for ages (anchors of anchors). Here a key twice is an error, and so is a document that is too
// deep or too large once its aliases are written out.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "operators/catalog/source_text.h"

namespace spur::catalog {

inline constexpr std::size_t kYamlDepthMax = 64;
inline constexpr std::size_t kYamlNodesMax =
    200'000;  // of one document, aliases counted as often as they are used

struct YamlNode;
using YamlNodePtr = std::shared_ptr<const YamlNode>;  // shared: an alias is its anchor's node

struct YamlEntry {
  std::string key;
  std::size_t key_offset = 0;
  YamlNodePtr value;  // never nullptr
};

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  std::size_t offset =
      0;  // bytes from the start of the file, past anchor and tag; of nothing: where it would be
  std::string text;                // of a scalar
  bool quoted = false;             // a scalar in quotes or a block: text, whatever it looks like
  bool flow = false;               // a list in [] or a map in {}
  std::vector<YamlNodePtr> items;  // of a list
  std::vector<YamlEntry> entries;  // of a map, in the order written, each key once
  std::size_t weight = 1;          // nodes in this tree, aliases written out

  // The entry of that key, or nullptr.
  const YamlEntry* find(const std::string& key) const;
};

struct YamlError {
  std::size_t offset = 0;
  std::string message;
  std::string hint;
};

struct YamlFile {
  std::vector<YamlNodePtr> documents;  // those that are not empty
  std::vector<YamlError> errors;
  bool complete = true;  // no document was left out
};

// Reads all documents. A document with a syntax error is left out and the next `---` is where
// reading goes on, so that each document tells its own errors. Never throws.
YamlFile parse_yaml(const SourceText& source);

}  // namespace spur::catalog
