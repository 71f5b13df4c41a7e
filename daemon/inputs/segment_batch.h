// A batch of Segment calls in one record, as Segment's libraries send them:
//
//   {"batch": [{"type": "track", …}, …], "sentAt": "…", "context": {…}, "integrations": {…}}
//
// Each call becomes one that stands for itself: what the batch says once for all is written into
// it, where it does not say so itself; of `context` and `integrations` key by key. So a call is a
// dead letter alone, and is passed on to another shard alone. The calls are told apart by their
// brackets, and each is checked by itself: one that is too deep, or no JSON, is refused alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "daemon/inputs/decoded.h"
#include "daemon/inputs/json_reader.h"

namespace spur {

// Keeps its memory from record to record. One thread at a time.
class SegmentBatch {
 public:
  explicit SegmentBatch(const InputLimits& limits = {}) : reader_(limits), limits_(limits) {}

  enum class Outcome : std::uint8_t { kBatch, kNone, kMalformed };
  // Takes `bytes`, which must stay until the calls are done with. kNone: no batch, for it has no
  // list `batch`, or a `type` beside it, or is broken around its calls.
  Outcome open(std::string_view bytes);
  // After kMalformed.
  Malformed take_failure() { return std::move(failure_); }

  // After kBatch: at least one.
  std::size_t size() const { return calls_.size(); }
  // The call at `index`, as written or with what the batch adds; valid until the next.
  std::string_view call(std::size_t index);
  // Whether `call` is a batch itself, good or not.
  bool is_batch(std::string_view call) const;
  // A batch of `call` alone: what is refused as a call of a batch is refused wherever it is read
  // again, and not taken for a record of its own.
  static std::string alone(std::string_view call);

 private:
  using Token = JsonReader::Token;

  // What a batch may say once.
  enum Shared : std::uint8_t { kSentAt, kReceivedAt, kContext, kIntegrations };
  static constexpr std::size_t kSharedCount = 4;
  static constexpr std::string_view kSharedNames[kSharedCount] = {"sentAt", "receivedAt", "context",
                                                                  "integrations"};
  // A call, with what it says itself of what the batch may say once.
  struct Call {
    std::string_view bytes;
    std::string_view own[kSharedCount];  // empty: not there
    bool empty = true;
  };

  // How what the batch says of `i` gets into the call.
  enum class How : std::uint8_t { kNot, kBefore, kInto };
  How how(const Call& call, std::size_t i) const;

  static std::optional<Shared> shared_of(std::string_view key);
  Token calls(Token at);
  // False: it is no good object.
  bool read(Call& call);
  void write(const Call& call);
  Outcome refuse(Reason reason, std::string detail);

  JsonReader reader_;
  InputLimits limits_;
  Arena arena_;
  std::string_view shared_[kSharedCount];
  std::vector<std::string_view> calls_;
  std::string written_;
  Malformed failure_{Reason::kNotJson, {}};
};

}  // namespace spur
