// Reader: one file's documents being read. Notes where things stand and what is wrong with them, in
// the words that all readers share; what may stand where is decided by walk.cc (documents) and
// fields.cc (fields of a message).
#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operators/catalog/position.h"
#include "operators/catalog/yaml.h"

namespace spur::catalog {

class Reader {
 public:
  Reader(std::shared_ptr<const SourceText> file, SourceMap& positions, std::vector<Error>& errors)
      : file_(std::move(file)), positions_(positions), errors_(errors) {}

  // `offset`: bytes from the start of the file.
  void fail(std::size_t offset, std::string message, std::string hint = "");

  // `path` stands here.
  void note(const std::string& path, std::size_t key_offset, const YamlNode& value);

  // What is at `path` could not be used, which has been said.
  void unreadable(std::string path) { positions_.add_unreadable(std::move(path)); }

  // A key that may not stand where it stands, in the mapping `in`, called `where`. Answers the key
  // that was probably meant, or nothing.
  std::string unknown_key(const YamlEntry& entry, const YamlNode& in,
                          const std::set<std::string>& keys, const std::string& where);

 private:
  std::shared_ptr<const SourceText> file_;
  SourceMap& positions_;
  std::vector<Error>& errors_;
};

// The keys of the mapping `node` into `message`, by the message's schema. `path` leads to the
// mapping, `where` names it.
void read_fields(Reader& reader, const YamlNode& node, google::protobuf::Message& message,
                 const std::string& path, const std::string& where);

// "`text`", cut if it is long.
std::string quoted(std::string_view text);
// "a, b, c"
std::string joined(const std::set<std::string>& names);
// "text", "a list", "a mapping", "empty"
std::string kind_of(const YamlNode& node);
// Where to point for an entry's value; its key if the value is empty.
std::size_t offset_of(const YamlEntry& entry);

}  // namespace spur::catalog
