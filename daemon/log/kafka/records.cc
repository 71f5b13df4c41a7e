#include "daemon/log/kafka/records.h"

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <charconv>
#include <chrono>
#include <iterator>

#include "daemon/log/kafka/text.h"
#include "spur/v1/action.pb.h"
#include "spur/v1/decision.pb.h"
#include "spur/v1/event.pb.h"
#include "state/check.h"

namespace spur::kafka {
namespace {

constexpr const char* kProtobuf = "application/protobuf";
constexpr const char* kJson = "application/json";

// RFC 3339 in UTC, with milliseconds.
std::string rfc3339(std::int64_t ms) {
  using namespace std::chrono;
  const sys_time<milliseconds> at{milliseconds(ms)};
  const sys_days day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss<milliseconds> time(at - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char byte : bytes)
    fmt::format_to(std::back_inserter(out), "{:02x}", static_cast<unsigned char>(byte));
  return out;
}

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

std::string text_id(std::string_view deployment, std::uint32_t shard, const EffectId& id) {
  return fmt::format("{}/{:x}-{:x}-{:x}-{:x}", deployment, shard, id.run, id.input, id.ordinal);
}

template <typename Parsed>
Parsed parse(std::string_view bytes) {
  Parsed parsed;
  SPUR_CHECK(parsed.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  return parsed;
}

EffectId id_from(const spur::v1::ActionId& id) { return {id.run(), id.input(), id.ordinal()}; }

// "user_id:123" → "123"
std::string_view identity_value(std::string_view customer) {
  const std::size_t at = customer.find(':');
  return at == std::string_view::npos ? customer : customer.substr(at + 1);
}

}  // namespace

EffectRecord action_record(const RunEffects::Action& action, std::string_view deployment,
                           bool json) {
  const auto parsed = parse<spur::v1::Action>(action.bytes);
  EffectRecord record;
  record.id = id_from(parsed.id());
  record.key = action.key.empty() ? std::string(identity_value(parsed.customer())) : action.key;
  record.value = action.bytes;
  if (json) {
    SPUR_CHECK(google::protobuf::util::MessageToJsonString(parsed, &record.json).ok());
    record.value = record.json;
  }
  HeaderList headers(12);
  headers.add("ce_specversion", "1.0");
  headers.add("ce_id", text_id(deployment, parsed.id().shard(), record.id));
  headers.add("ce_source", text("/spur/", deployment));
  headers.add("ce_type", "spur.action.v1");
  headers.add("ce_subject", parsed.customer());
  headers.add("ce_time", rfc3339(parsed.time_ms()));
  if (parsed.expires_ms() != 0) headers.add("ce_expirytime", rfc3339(parsed.expires_ms()));
  headers.add("ce_causationid", parsed.cause_event_id());
  headers.add("ce_correlationid", text(parsed.trigger(), "/", parsed.instance()));
  headers.add("ce_spurseq", std::to_string(action.spurseq));
  headers.add("ce_spurcatalog", hex(parsed.catalog_hash()));
  headers.add("content-type", json ? kJson : kProtobuf);
  record.headers = headers.take();
  return record;
}

EffectRecord decision_record(const RunEffects::Decision& decision, std::string_view deployment) {
  const auto parsed = parse<spur::v1::Decision>(decision.bytes);
  EffectRecord record;
  record.id = id_from(parsed.id());
  record.key = std::string(identity_value(decision.customer));
  record.value = decision.bytes;
  HeaderList headers(8);
  headers.add("ce_specversion", "1.0");
  headers.add("ce_id", text_id(deployment, parsed.id().shard(), record.id));
  headers.add("ce_source", text("/spur/", deployment));
  headers.add("ce_type", "spur.decision.v1");
  headers.add("ce_subject", decision.customer);
  headers.add("ce_time", rfc3339(parsed.time_ms()));
  headers.add("content-type", kProtobuf);
  record.headers = headers.take();
  return record;
}

EffectRecord dead_letter_record(std::string_view bytes, std::string_view deployment) {
  const auto parsed = parse<spur::v1::DeadLetter>(bytes);
  EffectRecord record;
  record.id = {parsed.id().run(), parsed.id().input(), 0};
  record.key = parsed.key();
  record.has_key = !record.key.empty();
  record.value = bytes;
  HeaderList headers(8);
  headers.add("ce_specversion", "1.0");
  headers.add("ce_id", text_id(deployment, parsed.shard(), record.id));
  headers.add("ce_source", text("/spur/", deployment));
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
  const std::string_view id = header_of(message, "ce_id");
  const std::size_t slash = id.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  RecordId found;
  found.deployment = std::string(id.substr(0, slash));
  const char* at = id.data() + slash + 1;
  const char* const end = id.data() + id.size();
  std::uint64_t parts[4] = {};
  for (int i = 0; i < 4; ++i) {
    const auto [next, error] = std::from_chars(at, end, parts[i], 16);
    if (error != std::errc() || (i < 3 && (next == end || *next != '-'))) return std::nullopt;
    at = i < 3 ? next + 1 : next;
  }
  if (at != end) return std::nullopt;
  found.shard = static_cast<std::uint32_t>(parts[0]);
  found.id = {parts[1], static_cast<std::uint32_t>(parts[2]), static_cast<std::uint32_t>(parts[3])};
  return found;
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
  spur::v1::Action action;
  if (!google::protobuf::util::JsonStringToMessage({value.data(), value.size()}, &action).ok())
    return absl::DataLossError(text("offset ", message.offset, " holds no action"));
  return action.SerializeAsString();
}

}  // namespace spur::kafka
