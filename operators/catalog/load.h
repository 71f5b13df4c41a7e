// Loading: a folder of YAML in, a Catalog in protobuf out, with every structural error at once.
//
// Structural means all that can be said without compiling CEL: syntax, unknown and repeated keys,
// types, ranges, names, and names of other resources that stand outside expressions. What the
// expressions say is checked by compile, on the same SourceMap, so that both kinds of errors are
// listed together:
//
//     Loaded loaded = load_directory("catalog");
//     for (const Error& error : loaded.errors) print(error.to_text());
//
// Nothing here throws, reads a clock or depends on the locale.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "operators/catalog/position.h"
#include "spur/v1/catalog.pb.h"

namespace spur::catalog {

// Bounds of what is read; beyond them is an error like any other.
inline constexpr std::size_t kFilesMax = 10'000;
inline constexpr std::size_t kFileBytesMax = 4 * 1024 * 1024;
inline constexpr std::size_t kCatalogBytesMax = 64 * 1024 * 1024;
inline constexpr std::size_t kErrorsMax = 1'000;  // listed; a last one says how many more there are

struct Loaded {
  // In canonical order (hash.h). Of use only if there are no errors; with errors it holds what
  // could be read, so that expressions can be checked as well.
  //
  // Filled in where YAML is silent: the topic of a Channel ("actions.<name>") and of a Source
  // ("events.<name>"). All else that is absent stays absent; catalog.proto says what that means.
  spur::v1::Catalog catalog;
  SourceMap positions;
  std::vector<Error> errors;    // by file, line and column; each once
  std::vector<Error> warnings;  // the same
  // No document was left out because of its syntax. If one was, a name that is not found may stand
  // in it, and it is better not to complain about names.
  bool complete = true;
};

// All *.yaml and *.yml in the folder and those below it, ordered by path. Not read: names that
// begin with a dot, links to folders, and trigger tests (*_test.yaml, *_test.yml). Files are named
// in errors as `path` followed by theirs.
Loaded load_directory(const std::string& path);

// The files that load_directory would read, in its order. Errors where the folder cannot be read.
struct FilesFound {
  std::vector<std::string> files;
  std::vector<Error> errors;
};
FilesFound find_files(const std::string& path);

// Exactly these files, in this order.
Loaded load_files(const std::vector<std::string>& paths);

// One text, called `name` in errors.
Loaded load_text(std::string name, std::string text);

}  // namespace spur::catalog
