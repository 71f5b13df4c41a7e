// The files of a new catalog: small enough to be read in a minute, whole enough to run.
#pragma once

#include <string>
#include <vector>

namespace spur::authoring {

struct StarterFile {
  std::string name;
  std::string content;
};

// catalog.yaml, its trigger tests, and the editor's schema that both name.
std::vector<StarterFile> starter_files();

}  // namespace spur::authoring
