#include "operators/catalog/load.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <system_error>
#include <utility>

#include "operators/catalog/hash.h"
#include "operators/catalog/names.h"
#include "operators/catalog/validate.h"
#include "operators/catalog/walk.h"
#include "operators/catalog/yaml.h"

namespace spur::catalog {
namespace {

namespace fs = std::filesystem;

bool is_catalog_file(const std::string& name) {
  if (name.starts_with(".")) return false;
  if (name.ends_with("_test.yaml") || name.ends_with("_test.yml")) return false;
  return name.ends_with(".yaml") || name.ends_with(".yml");
}

std::string in_mebibytes(std::size_t bytes) {
  return std::to_string(bytes / (1024 * 1024)) + " MiB";
}

// By place, each once, and not more than anybody reads.
void arrange(std::vector<Error>& errors) {
  std::sort(errors.begin(), errors.end());
  errors.erase(std::unique(errors.begin(), errors.end()), errors.end());
  if (errors.size() <= kErrorsMax) return;
  const std::size_t more = errors.size() - kErrorsMax;
  const Position last = errors[kErrorsMax - 1].at;
  errors.resize(kErrorsMax);
  errors.push_back({last, "and " + std::to_string(more) + " more", "mend these first"});
}

// Collects files, then makes a catalog of them.
class Loading {
 public:
  void fail(const std::string& file, std::string message, std::string hint = "") {
    loaded_.errors.push_back({{file, 0, 0}, std::move(message), std::move(hint)});
    loaded_.complete = false;
  }

  void add_text(std::string name, std::string text) {
    bytes_ += text.size();
    if (text.size() > kFileBytesMax)
      return fail(name, "the file is larger than " + in_mebibytes(kFileBytesMax), "split it");
    if (bytes_ > kCatalogBytesMax)
      return fail(name, "the catalog is larger than " + in_mebibytes(kCatalogBytesMax));
    const auto source = std::make_shared<const SourceText>(std::move(name), std::move(text));
    YamlFile file = parse_yaml(*source);
    for (YamlError& error : file.errors) {
      loaded_.errors.push_back(
          {source->position(error.offset), std::move(error.message), std::move(error.hint)});
    }
    if (!file.complete) loaded_.complete = false;
    for (const YamlNodePtr& document : file.documents) walk_.read(source, *document);
  }

  void add_file(const std::string& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error))
      return fail(path, error ? "there is no such file" : "this is not a file");
    const std::uintmax_t size = fs::file_size(path, error);
    if (!error && size > kFileBytesMax) {
      return fail(path, "the file is larger than " + in_mebibytes(kFileBytesMax), "split it");
    }
    std::ifstream file(path, std::ios::binary);
    std::string text(error ? 0 : static_cast<std::size_t>(size), '\0');
    if (error || !file.read(text.data(), static_cast<std::streamsize>(text.size()))) {
      return fail(path, "the file cannot be read");
    }
    add_text(path, std::move(text));
  }

  void add_directory(const std::string& path) {
    FilesFound found = find_files(path);
    if (!found.errors.empty()) loaded_.complete = false;
    if (found.files.empty() && found.errors.empty()) {
      fail(path, "no catalog files here", "*.yaml and *.yml are read");
    }
    std::move(found.errors.begin(), found.errors.end(), std::back_inserter(loaded_.errors));
    for (const std::string& file : found.files) add_file(file);
  }

  Loaded finish() {
    write_out_topics(loaded_.catalog);
    const Complete complete = loaded_.complete ? Complete::kYes : Complete::kNo;
    Findings findings = validate(loaded_.catalog, loaded_.positions, complete);
    std::move(findings.errors.begin(), findings.errors.end(), std::back_inserter(loaded_.errors));
    std::move(findings.warnings.begin(), findings.warnings.end(),
              std::back_inserter(loaded_.warnings));
    arrange(loaded_.errors);
    arrange(loaded_.warnings);
    canonicalize(loaded_.catalog);
    return std::move(loaded_);
  }

 private:
  Loaded loaded_;
  Walk walk_{loaded_.catalog, loaded_.positions, loaded_.errors};
  std::size_t bytes_ = 0;
};

}  // namespace

FilesFound find_files(const std::string& path) {
  FilesFound found;
  const auto fail = [&](std::string message, std::string hint) {
    found.errors.push_back({{path, 0, 0}, std::move(message), std::move(hint)});
  };
  std::error_code error;
  fs::recursive_directory_iterator entries(path, error);
  if (error) {
    fail("the folder cannot be read: " + error.message(), "a folder of YAML files");
    return found;
  }
  for (; entries != fs::recursive_directory_iterator(); entries.increment(error)) {
    const std::string name = entries->path().filename().string();
    std::error_code kind_error;
    if (entries->is_directory(kind_error)) {
      if (name.starts_with(".")) entries.disable_recursion_pending();
    } else if (is_catalog_file(name)) {
      found.files.push_back(entries->path().string());
    }
    if (found.files.size() > kFilesMax) {
      found.files.clear();
      fail("the folder has more than " + std::to_string(kFilesMax) + " files", "");
      return found;
    }
  }
  if (error) fail("the folder cannot be read: " + error.message(), "");
  std::sort(found.files.begin(), found.files.end());
  return found;
}

Loaded load_directory(const std::string& path) {
  Loading loading;
  loading.add_directory(path);
  return loading.finish();
}

Loaded load_files(const std::vector<std::string>& paths) {
  Loading loading;
  for (const std::string& path : paths) loading.add_file(path);
  return loading.finish();
}

Loaded load_text(std::string name, std::string text) {
  Loading loading;
  loading.add_text(std::move(name), std::move(text));
  return loading.finish();
}

}  // namespace spur::catalog
