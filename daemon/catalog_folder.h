// A folder of catalog files as the daemon reads it at its start and, if asked to, watches it.
#pragma once

#include <string>
#include <vector>

#include "operators/catalog/position.h"
#include "spur/v1/catalog.pb.h"

namespace spur {

struct FolderCatalog {
  spur::v1::Catalog catalog;
  std::string hash;  // 16 bytes; empty with errors
  std::vector<catalog::Error> errors;  // all: of the files' shape and of their expressions
  std::vector<catalog::Error> warnings;
};

FolderCatalog read_catalog_folder(const std::string& path);

// Names, sizes and times of change of the folder's YAML files: differs when something was edited.
std::string catalog_folder_stamp(const std::string& path);

}  // namespace spur
