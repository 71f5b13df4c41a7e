#include "daemon/catalogs.h"

#include "absl/strings/str_cat.h"
#include "spur/v1/catalog.pb.h"
#include "state/digest.h"

namespace spur {

absl::StatusOr<std::shared_ptr<const catalog::Compiled>> Catalogs::compiled(
    const std::string& bytes) {
  const std::uint64_t key = hash64(bytes);
  const std::lock_guard lock(mutex_);
  if (const auto it = by_hash_.find(key); it != by_hash_.end()) return it->second;
  spur::v1::Catalog message;
  if (!message.ParseFromString(bytes))
    return absl::DataLossError("a catalog version of the log is damaged");
  catalog::CompileResult result = compile_(message);
  if (result.compiled == nullptr) {
    return absl::FailedPreconditionError(absl::StrCat(
        "a catalog version of the log does not compile here: ",
        result.errors.empty() ? std::string("no reason given") : result.errors.front().message));
  }
  if (by_hash_.size() >= kKept) by_hash_.erase(by_hash_.begin());
  return by_hash_[key] = std::move(result.compiled);
}

}  // namespace spur
