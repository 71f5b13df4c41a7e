// Effects as the records that leave: CloudEvents in Kafka's binary mode, so that a channel service
// routes by headers without decoding. The value is the protobuf, or JSON where the channel says so.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/log/kafka/handle.h"
#include "daemon/log/log.h"

namespace spur::kafka {

// Where in the journal an effect was decided: monotone within a destination, on every replay the
// same. `run` is the sequence of the journal's entry.
struct EffectId {
  std::uint64_t run = 0;
  std::uint32_t input = 0, ordinal = 0;
  friend auto operator<=>(const EffectId&, const EffectId&) = default;
};

enum class EffectKind : std::uint8_t { kAction, kDecision, kDeadLetter, kMessage };

struct EffectRecord {
  EffectId id;
  std::string key;
  bool has_key = true;
  std::string json;        // if the value is not the stored bytes
  std::string_view value;  // into `json` or the bytes given
  Headers headers;
};

// `deployment` as a UUID is written. The bytes outlive the record. They are our own, and
// SPUR_CHECKed.
EffectRecord action_record(const RunEffects::Action& action, std::string_view deployment,
                           bool json);
EffectRecord decision_record(const RunEffects::Decision& decision, std::string_view deployment);
EffectRecord dead_letter_record(std::string_view bytes, std::string_view deployment);

EffectId id_of(EffectKind kind, std::string_view bytes);  // of stored bytes

// What a record in an output topic says about itself; nullopt: it is not Spur's.
struct RecordId {
  std::string deployment;
  std::uint32_t shard = 0;
  EffectId id;
};
std::optional<RecordId> record_id(const rd_kafka_message_t& message);
// The number that a channel keeps; 0 if there is none.
std::uint64_t spurseq_of(const rd_kafka_message_t& message);

// The stored bytes of an effect that was written as protobuf or JSON. `json` says whether a text
// was found that is no action.
absl::StatusOr<std::string> stored_action(const rd_kafka_message_t& message);

}  // namespace spur::kafka
