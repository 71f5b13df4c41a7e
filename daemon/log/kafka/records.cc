#include "daemon/log/kafka/records.h"

#include <fmt/format.h>

#include <charconv>

#include "absl/strings/escaping.h"
#include "daemon/log/kafka/action_json.h"
#include "daemon/log/kafka/instant_text.h"
#include "daemon/log/kafka/text.h"
#include "spur/v1/action.pb.h"
#include "spur/v1/decision.pb.h"
#include "spur/v1/event.pb.h"
#include "state/check.h"
#include "state/identity.h"

namespace spur::kafka {
namespace {

constexpr const char* kProtobuf = "application/protobuf";
constexpr const char* kJson = "application/json";

class HeaderList {
 public:
  explicit HeaderList(std::size_t count) : headers_(rd_kafka_headers_new(count)) {}
  void add(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    SPUR_CHECK(rd_kafka_header_add(headers_.get(), name.data(), static_cast<ssize_t>(name.size()),
                                   value.data(), static_cast<ssize_t>(value.size())) ==
               RD_KAFKA_RESP_ERR_NO_ERROR);
  }
  Headers take() { return std::move(headers_); }

 private:
  Headers headers_;
};

template <typename Parsed>
void parse(std::string_view bytes, Parsed& parsed) {
  SPUR_CHECK(parsed.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
}

template <typename Parsed>
Parsed parse(std::string_view bytes) {
  Parsed parsed;
  parse(bytes, parsed);
  return parsed;
}

EffectId id_from(const spur::v1::ActionId& id) { return {id.run(), id.input(), id.ordinal()}; }

}  // namespace

// What records are made of, kept so that its memory is used again.
struct RecordMaker::Scratch {
  spur::v1::Action action;
  spur::v1::Decision decision;
  spur::v1::DeadLetter dead_letter;
  InstantText instant_text;
  std::string id, text, json;

  // "<deployment>/<shard>-<run>-<input>-<ordinal>"
  std::string_view record_id(std::string_view deployment, std::uint32_t shard, const EffectId& of) {
    id.clear();
    append_record_id(deployment, shard, of, id);
    return id;
  }
};

RecordMaker::RecordMaker(std::string_view deployment)
    : deployment_(deployment),
      source_(text("/spur/", deployment)),
      scratch_(std::make_unique<Scratch>()) {}

RecordMaker::~RecordMaker() = default;

EffectRecord RecordMaker::action(const RunEffects::Action& action, bool json) {
  Scratch& scratch = *scratch_;
  spur::v1::Action& parsed = scratch.action;
  parse(action.bytes, parsed);
  EffectRecord record;
  record.id = id_from(parsed.id());
  record.key = action.key.empty() ? spur::key_of(parsed.customer()) : action.key;
  record.value = action.bytes;
  const std::string_view id = scratch.record_id(deployment_, parsed.id().shard(), record.id);
  if (json) {
    scratch.json.clear();
    append_action_json(parsed, id, scratch.instant_text, scratch.json);
    record.value = scratch.json;
  }
  HeaderList headers(12);
  headers.add("ce_specversion", "1.0");
  headers.add("ce_id", id);
  headers.add("ce_source", source_);
  headers.add("ce_type", parsed.has_retracts() ? "spur.retraction.v1" : "spur.action.v1");
  headers.add("ce_subject", parsed.customer());
  headers.add("ce_time", scratch.instant_text(parsed.time_ms()));
  if (parsed.expires_ms() != 0)
    headers.add("ce_expirytime", scratch.instant_text(parsed.expires_ms()));
  headers.add("ce_causationid", parsed.cause_event_id());
  scratch.text.assign(parsed.trigger()).append("/").append(parsed.instance());
  headers.add("ce_correlationid", scratch.text);
  headers.add("ce_spurseq", fmt::format_int(action.spurseq).c_str());
  const std::string& hash = parsed.catalog_hash();
  headers.add("ce_spurcatalog", absl::BytesToHexString({hash.data(), hash.size()}));
  headers.add("content-type", json ? kJson : kProtobuf);
  record.headers = headers.take();
  return record;
}

EffectRecord RecordMaker::decision(const RunEffects::Decision& decision) {
  Scratch& scratch = *scratch_;
  spur::v1::Decision& parsed = scratch.decision;
  parse(decision.bytes, parsed);
  EffectRecord record;
  record.id = id_from(parsed.id());
  record.key = spur::key_of(decision.customer);
  record.value = decision.bytes;
  HeaderList headers(8);
  headers.add("ce_specversion", "1.0");
  headers.add("ce_id", scratch.record_id(deployment_, parsed.id().shard(), record.id));
  headers.add("ce_source", source_);
  headers.add("ce_type", "spur.decision.v1");
  headers.add("ce_subject", decision.customer);
  headers.add("ce_time", scratch.instant_text(parsed.time_ms()));
  headers.add("content-type", kProtobuf);
  record.headers = headers.take();
  return record;
}

EffectRecord RecordMaker::dead_letter(std::string_view bytes) {
  Scratch& scratch = *scratch_;
  spur::v1::DeadLetter& parsed = scratch.dead_letter;
  parse(bytes, parsed);
  EffectRecord record;
  record.id = {parsed.id().run(), parsed.id().input(), 0};
  record.key = parsed.key();
  record.has_key = !record.key.empty();
  record.value = bytes;
  HeaderList headers(8);
  headers.add("ce_specversion", "1.0");
  headers.add("ce_id", scratch.record_id(deployment_, parsed.shard(), record.id));
  headers.add("ce_source", source_);
  headers.add("ce_type", "spur.dead-letter.v1");
  headers.add("x-reject-reason", parsed.reason());
  headers.add("content-type", kProtobuf);
  record.headers = headers.take();
  return record;
}

EffectId id_of(EffectKind kind, std::string_view bytes) {
  switch (kind) {
    case EffectKind::kAction:
      return id_from(parse<spur::v1::Action>(bytes).id());
    case EffectKind::kDecision:
      return id_from(parse<spur::v1::Decision>(bytes).id());
    case EffectKind::kDeadLetter: {
      const auto parsed = parse<spur::v1::DeadLetter>(bytes);
      return {parsed.id().run(), parsed.id().input(), 0};
    }
    case EffectKind::kMessage:
      return {};
  }
  return {};
}

std::optional<RecordId> record_id(const rd_kafka_message_t& message) {
  return parse_record_id(header_of(message, "ce_id"));
}

std::uint64_t spurseq_of(const rd_kafka_message_t& message) {
  const std::string_view digits = header_of(message, "ce_spurseq");
  std::uint64_t seq = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seq);
  return error == std::errc() && end == digits.data() + digits.size() ? seq : 0;
}

absl::StatusOr<std::string> stored_action(const rd_kafka_message_t& message) {
  const std::string_view value = value_of(message);
  if (header_of(message, "content-type") != kJson) return std::string(value);
  const absl::StatusOr<spur::v1::Action> action = parse_action_json(value);
  if (!action.ok())
    return absl::DataLossError(text("offset ", message.offset, ": ", action.status().message()));
  return action->SerializeAsString();
}

}  // namespace spur::kafka
