// Evidence: what a deployment has left, wherever it is kept: the seam between the audit and Kafka
// or an embedded log. Reads only; joins no group, takes no lock, writes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "daemon/audit/output_check.h"
#include "daemon/log/log.h"

namespace spur::audit {

enum class OutputKind : std::uint8_t { kActions, kDecisions, kDeadLetters };

// A topic that a shard writes its own partition of.
struct Output {
  OutputKind kind = OutputKind::kActions;
  std::string topic;
  // Every version that names it says `delivery: transactional`: no repeat may stand there.
  bool transactional = false;
  // One topic is one output.
  friend auto operator<=>(const Output& a, const Output& b) {
    return std::tie(a.kind, a.topic) <=> std::tie(b.kind, b.topic);
  }
};

// What is kept of a partition: [begin, end).
struct Stretch {
  Offset begin = 0, end = 0;
  bool whole = true;  // nothing was ever taken from its beginning
};

class Evidence {
 public:
  // How many records a beginning is read for, to find where it can be relied on.
  static constexpr std::size_t kFloorRecords = 1024;

  virtual ~Evidence() = default;

  // For reading only: journal, inputs, catalogs, identity.
  virtual Log& log() = 0;
  // Every topic that any version of the catalog has named, and those of Spur's own.
  virtual const std::vector<Output>& outputs() const = 0;
  // NOT_FOUND: there is no such topic, or it has no partition for the shard.
  virtual absl::StatusOr<Stretch> kept(const Output& output, std::uint32_t shard) = 0;
  // The records of [from, to), one a call; then nullopt.
  virtual absl::StatusOr<OutputCheck::Next> read(const Output& output, std::uint32_t shard,
                                                 Offset from, Offset to) = 0;
  // An offset before which no effect of run `run` or later stands, but for late repeats.
  virtual absl::StatusOr<Offset> find(const Output& output, std::uint32_t shard,
                                      const Stretch& kept, std::uint64_t run) = 0;
  // What is kept of the messages from other shards, and those of it: (offset, sender, number).
  using Message = std::function<void(Offset, std::uint32_t, std::uint64_t)>;
  virtual absl::StatusOr<Stretch> kept_messages(std::uint32_t shard) = 0;
  virtual absl::Status read_messages(std::uint32_t shard, const Stretch& kept,
                                     const Message& message) = 0;
};

// The topics of actions that any version of the catalog from `from` on has named, each once.
// `by_transactions`: where a Channel asks for them, the log writes by transactions.
absl::StatusOr<std::vector<Output>> action_topics(Log& log, Offset from, bool by_transactions);

}  // namespace spur::audit
