// What an embedded deployment has left in its folder, as it stands on disk at this moment.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "daemon/audit/evidence.h"
#include "daemon/clock.h"
#include "daemon/log/embedded_log.h"
#include "state/rocks_store.h"

namespace spur::audit {

class EmbeddedEvidence final : public Evidence {
 public:
  // Of the folder that `spurd --embedded` was given. NOT_FOUND: there is no deployment in it.
  static absl::StatusOr<std::unique_ptr<EmbeddedEvidence>> open(const std::string& folder);

  Log& log() override { return *log_; }
  const std::vector<Output>& outputs() const override { return outputs_; }
  // Offsets are what the log orders by: spurseq of actions, runs of decisions.
  absl::StatusOr<Stretch> kept(const Output& output, std::uint32_t shard) override;
  absl::StatusOr<OutputCheck::Next> read(const Output& output, std::uint32_t shard, Offset from,
                                         Offset to) override;
  absl::StatusOr<Offset> find(const Output& output, std::uint32_t shard, const Stretch& kept,
                              std::uint64_t run) override;
  // Events are routed when they are published: none.
  absl::StatusOr<Stretch> kept_messages(std::uint32_t) override { return Stretch(); }
  absl::Status read_messages(std::uint32_t, const Stretch&, const Message&) override {
    return absl::OkStatus();
  }

 private:
  EmbeddedEvidence();
  absl::StatusOr<std::uint64_t> run_of_action(const Output& output, std::uint32_t shard,
                                              std::uint64_t number) const;

  SystemClock clock_;
  RocksShared shared_;
  std::unique_ptr<EmbeddedLog> log_;
  std::vector<Output> outputs_;
};

}  // namespace spur::audit
