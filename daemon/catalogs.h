// Catalogs: the versions that the log holds, each compiled once and shared by all shards.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"
#include "daemon/log/log.h"
#include "operators/catalog/compile.h"

namespace spur {

// Thread-safe.
class Catalogs {
 public:
  using Compile = catalog::CompileResult(const spur::v1::Catalog& catalog);
  // `compile`: tests, to fold otherwise.
  explicit Catalogs(std::function<Compile> compile =
                        [](const spur::v1::Catalog& catalog) { return catalog::compile(catalog); })
      : compile_(std::move(compile)) {}

  // The compiled catalog of these bytes (spur.v1.Catalog). FAILED_PRECONDITION if this binary
  // cannot run it: it was accepted by another one.
  absl::StatusOr<std::shared_ptr<const catalog::Compiled>> compiled(const std::string& bytes);

 private:
  static constexpr std::size_t kKept = 8;  // versions; shards differ by one or two
  const std::function<Compile> compile_;
  std::mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<const catalog::Compiled>> by_hash_;
};

}  // namespace spur
