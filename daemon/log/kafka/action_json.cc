#include "daemon/log/kafka/action_json.h"

#include <simdjson.h>

#include <charconv>
#include <optional>

#include "absl/strings/escaping.h"
#include "daemon/inputs/timestamp.h"
#include "daemon/log/kafka/effect_id.h"
#include "daemon/log/kafka/text.h"
#include "operators/expression/text.h"

namespace spur::kafka {
namespace {

using spur::v1::Action;

class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void text(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    begin(name);
    expression::append_json_string(&out_, value);
  }
  void number(std::string_view name, std::uint64_t value) {
    constexpr std::size_t kDigitsMax = 20;
    char digits[kDigitsMax];
    begin(name);
    out_.append(digits, std::to_chars(digits, digits + kDigitsMax, value).ptr);
  }
  void json(std::string_view name, std::string_view value) {
    if (value.empty()) return;
    begin(name);
    out_ += value;
  }
  void end() { out_ += '}'; }

 private:
  void begin(std::string_view name) {
    out_ += separator_;
    out_ += '"';
    out_ += name;
    out_ += "\":";
    separator_ = ',';
  }

  std::string& out_;
  char separator_ = '{';
};

// --- reading: rare, so by the message's own description ---

// The texts that are stored as they are.
struct TextField {
  std::string_view name;
  int number;
};
constexpr TextField kTextFields[] = {
    {"channel", Action::kChannelFieldNumber},    {"customer", Action::kCustomerFieldNumber},
    {"trigger", Action::kTriggerFieldNumber},    {"instance", Action::kInstanceFieldNumber},
    {"template", Action::kTemplateFieldNumber},  {"class", Action::kClassFieldNumber},
    {"cause", Action::kCauseEventIdFieldNumber},
};

using Document = simdjson::ondemand::document;

absl::Status damaged(std::string_view field) {
  return absl::DataLossError(text("an action's JSON has no good `", field, "`"));
}

std::optional<std::string_view> text_of(Document& document, std::string_view name) {
  std::string_view value;
  if (document[name].get_string().get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<std::uint64_t> number_of(Document& document, std::string_view name) {
  std::uint64_t value = 0;
  if (document[name].get_uint64().get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

std::optional<std::int64_t> ms_of(Document& document, std::string_view name) {
  const std::optional<std::string_view> value = text_of(document, name);
  const std::optional<Instant> at = value.has_value() ? parse_timestamp(*value) : std::nullopt;
  if (!at.has_value()) return std::nullopt;
  return at->ms;
}

std::string bytes_of_hex(std::string_view digits) {
  return absl::HexStringToBytes({digits.data(), digits.size()});
}

bool read_id(std::string_view text, spur::v1::ActionId& to) {
  std::optional<RecordId> id = parse_record_id(text);
  if (!id.has_value()) return false;
  std::erase(id->deployment, '-');
  to.set_deployment(bytes_of_hex(id->deployment));
  to.set_shard(id->shard);
  to.set_run(id->id.run);
  to.set_input(id->id.input);
  to.set_ordinal(id->id.ordinal);
  return true;
}

}  // namespace

void append_action_json(const Action& action, std::string_view record_id, InstantText& instant_text,
                        std::string& out) {
  Writer writer(out);
  writer.text("id", record_id);
  writer.text("channel", action.channel());
  writer.text("customer", action.customer());
  writer.text("trigger", action.trigger());
  writer.text("instance", action.instance());
  writer.text("template", action.template_());
  writer.number("step", action.step());
  writer.text("class", action.class_());
  writer.json("data", action.data_json());
  writer.text("time", instant_text(action.time_ms()));
  if (action.expires_ms() != 0) writer.text("expires", instant_text(action.expires_ms()));
  if (action.received_ms() != 0) writer.text("received", instant_text(action.received_ms()));
  writer.text("cause", action.cause_event_id());
  writer.number("spurseq", action.spurseq());
  const std::string& hash = action.catalog_hash();
  const std::string digits = absl::BytesToHexString({hash.data(), hash.size()});
  writer.text("catalog", digits);
  if (action.has_retracts()) {
    const spur::v1::ActionId& id = action.retracts();
    std::string retracts;
    append_record_id(record_id.substr(0, record_id.find('/')), id.shard(),
                     {id.run(), id.input(), id.ordinal()}, retracts);
    writer.text("retracts", retracts);
  }
  writer.end();
}

absl::StatusOr<Action> parse_action_json(std::string_view json) {
  simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(json);
  Document document;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS)
    return absl::DataLossError("an action's JSON does not parse");
  Action action;
  if (const auto id = text_of(document, "id"); !id || !read_id(*id, *action.mutable_id()))
    return damaged("id");
  for (const TextField& field : kTextFields) {
    if (const auto value = text_of(document, field.name))
      Action::GetReflection()->SetString(
          &action, Action::GetDescriptor()->FindFieldByNumber(field.number), std::string(*value));
  }
  if (std::string_view data;
      simdjson::to_json_string(document["data"].get_object()).get(data) == simdjson::SUCCESS)
    action.set_data_json(std::string(data));
  const auto step = number_of(document, "step"), spurseq = number_of(document, "spurseq");
  if (!step || !spurseq || *step > UINT32_MAX) return damaged("step` or `spurseq");
  action.set_step(static_cast<std::uint32_t>(*step));
  action.set_spurseq(*spurseq);
  const auto time = ms_of(document, "time");
  if (!time) return damaged("time");
  action.set_time_ms(*time);
  action.set_expires_ms(ms_of(document, "expires").value_or(0));
  action.set_received_ms(ms_of(document, "received").value_or(0));
  if (const auto hash = text_of(document, "catalog")) action.set_catalog_hash(bytes_of_hex(*hash));
  if (const auto retracts = text_of(document, "retracts");
      retracts && !read_id(*retracts, *action.mutable_retracts()))
    return damaged("retracts");
  return action;
}

}  // namespace spur::kafka
