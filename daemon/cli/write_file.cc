#include "daemon/cli/write_file.h"

#include <filesystem>
#include <fstream>
#include <system_error>

namespace spur::cli {
namespace {

namespace fs = std::filesystem;

absl::Status failed(const std::string& path, const std::string& why) {
  return absl::UnavailableError(path + " cannot be written: " + why);
}

absl::Status write(const std::string& path, const std::string& content) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  return file ? absl::OkStatus() : failed(path, "is the folder there, and the disk full?");
}

}  // namespace

absl::Status replace_file(const std::string& path, const std::string& content) {
  std::error_code error;
  const fs::path target = fs::weakly_canonical(path, error);
  if (error) return failed(path, error.message());
  const fs::path fresh = target.string() + ".new";
  if (absl::Status status = write(fresh.string(), content); !status.ok()) {
    fs::remove(fresh, error);
    return status;
  }
  const fs::file_status before = fs::status(target, error);
  if (fs::exists(before)) fs::permissions(fresh, before.permissions(), error);
  fs::rename(fresh, target, error);
  if (!error) return absl::OkStatus();
  absl::Status status = failed(path, error.message());
  fs::remove(fresh, error);
  return status;
}

absl::Status create_file(const std::string& path, const std::string& content) {
  std::error_code error;
  if (fs::exists(fs::symlink_status(path, error))) return failed(path, "it is there already");
  return replace_file(path, content);
}

}  // namespace spur::cli
