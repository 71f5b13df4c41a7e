// Effects as the records that leave: CloudEvents in Kafka's binary mode, so that a channel service
// routes by headers without decoding. The value is the protobuf, or JSON where the channel says so.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "daemon/log/kafka/effect_id.h"
#include "daemon/log/kafka/handle.h"
#include "daemon/log/log.h"

namespace spur::kafka {

enum class EffectKind : std::uint8_t { kAction, kDecision, kDeadLetter, kMessage };

struct EffectRecord {
  EffectId id;
  std::string_view key;
  bool has_key = true;
  std::string_view value;
  Headers headers;
};

// Makes records. Keeps what a record is made of from one to the next, so that one costs no memory
// but its headers'. One thread at a time.
class RecordMaker {
 public:
  // `deployment` as a UUID is written.
  explicit RecordMaker(std::string_view deployment);
  ~RecordMaker();
  RecordMaker(const RecordMaker&) = delete;
  RecordMaker& operator=(const RecordMaker&) = delete;

  // What is given outlives the record, whose views are good until the next call. The bytes are our
  // own, and SPUR_CHECKed.
  EffectRecord action(const RunEffects::Action& action, bool json);
  EffectRecord decision(const RunEffects::Decision& decision);
  EffectRecord dead_letter(std::string_view bytes);

 private:
  struct Scratch;
  const std::string deployment_, source_;
  const std::unique_ptr<Scratch> scratch_;
};

EffectId id_of(EffectKind kind, std::string_view bytes);  // of stored bytes

// What a record in an output topic says about itself; nullopt: it is not Spur's.
std::optional<RecordId> record_id(const rd_kafka_message_t& message);
// The number that a channel keeps; 0 if there is none.
std::uint64_t spurseq_of(const rd_kafka_message_t& message);

// The stored bytes of an action that was written as protobuf or JSON. DATA_LOSS: it is neither.
absl::StatusOr<std::string> stored_action(const rd_kafka_message_t& message);

}  // namespace spur::kafka
