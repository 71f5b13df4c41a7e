#include "tests/operators/story.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "absl/time/time.h"
#include "fmt/format.h"
#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"
#include "operators/catalog/retire.h"
#include "state/check.h"

namespace spur::testing {

Instant instant(std::string_view text) {
  std::string full(text);
  if (full.find('-') == std::string::npos) full = "03-01 " + full;
  if (full.find(' ') == std::string::npos) full += " 00:00";
  if (full.size() > 5 && full[4] != '-') full = "2026-" + full;
  absl::Time time;
  std::string error;
  const char* const format = std::count(full.begin(), full.end(), ':') == 1 ? "%Y-%m-%d %H:%M" : "%Y-%m-%d %H:%M:%E*S";
  SPUR_CHECK(absl::ParseTime(format, full, &time, &error));
  return {absl::ToUnixMillis(time)};
}

std::string text_of(Instant t) {
  const absl::Time time = absl::FromUnixMillis(t.ms);
  std::string text = absl::FormatTime("%m-%d %H:%M:%E*S", time, absl::UTCTimeZone());
  if (text.substr(0, 6) == "03-01 ") text.erase(0, 6);
  if (text.size() > 3 && text.ends_with(":00")) text.erase(text.size() - 3);
  return text;
}

spur::v1::Catalog definitions_from(std::string_view yaml) {
  // Documents without their envelope: `Trigger thanks:` and the spec below it.
  std::string text;
  bool channels = false;
  std::size_t begin = 0;
  while (begin < yaml.size()) {
    std::size_t end = yaml.find('\n', begin);
    if (end == std::string_view::npos) end = yaml.size();
    const std::string_view line = yaml.substr(begin, end - begin);
    begin = end + 1;
    if (!line.empty() && line[0] >= 'A' && line[0] <= 'Z') {
      const std::size_t space = line.find(' ');
      const std::string_view kind = line.substr(0, space);
      const std::size_t colon = line.find(':');
      channels = channels || kind == "Channel";
      text += fmt::format("---\napiVersion: spur/v1\nkind: {}\nmetadata: {{name: {}}}\nspec:{}\n", kind,
                          line.substr(space + 1, colon - space - 1), line.substr(colon + 1));
    } else {
      text += std::string(line) + '\n';
    }
  }
  if (!channels)
    text += "---\napiVersion: spur/v1\nkind: Channel\nmetadata: {name: email}\nspec: {topic: actions.email}\n";
  const catalog::Loaded loaded = catalog::load_text("catalog.yaml", text);
  for (const catalog::Error& error : loaded.errors) ADD_FAILURE() << error.to_text() << "\n" << text;
  const catalog::CompileResult result = catalog::compile(loaded.catalog, loaded.positions);
  for (const catalog::Error& error : result.errors) ADD_FAILURE() << error.to_text() << "\n" << text;
  return loaded.catalog;
}

std::shared_ptr<const catalog::Compiled> compiled(const spur::v1::Catalog& definitions) {
  catalog::CompileResult result = catalog::compile(definitions);
  if (result.compiled == nullptr) throw std::invalid_argument("the catalog has errors");
  return result.compiled;
}

std::shared_ptr<const catalog::Compiled> catalog_from(std::string_view yaml) {
  return compiled(definitions_from(yaml));
}

Story::Story(std::string_view yaml, std::uint32_t shards, std::uint32_t shard)
    : definitions_(definitions_from(yaml)),
      catalog_(compiled(definitions_)),
      shards_(shards),
      index_(shard),
      customers_(std::make_unique<Customers>(store_)),
      shard_(std::make_unique<Shard>(shard, shards, *customers_)) {
  begin(Instant::distant_past());
  shard_->apply_catalog(catalog_);
  end();
}
Story::~Story() = default;

void Story::begin(Instant clock) {
  clock_ = std::max(clock_, clock);
  scores_.clear();
  shard_->begin_run({++run_, std::max(clock_, shard_->clock()), wall_ ? clock_ : history_read_at_,
                     wall_ ? ClockMode::kWall : ClockMode::kRecords},
                    scores_);
}

void Story::end() {
  digest_ = shard_->end_run();
  for (Decision& d : effects_.decisions) decisions_.push_back(std::move(d));
  for (DeadLetter& d : effects_.dead_letters) dead_letters_.push_back(std::move(d));
  effects_.clear();
  if (restarts_) restart();
}

void Story::at(std::string_view when, std::string_view customer, std::string_view event, std::string_view properties,
               std::string_view traits) {
  const std::string time =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(instant(when).ms), absl::UTCTimeZone());
  const bool call = event.front() == '$';
  std::string json =
      fmt::format(R"({{"messageId":"m{:04}","userId":"{}","timestamp":"{}")", ++next_id_, customer, time);
  json +=
      call ? fmt::format(R"(,"type":"{}")", event.substr(1)) : fmt::format(R"(,"type":"track","event":"{}")", event);
  if (event == "$identify") {
    json += fmt::format(R"(,"traits":{})", traits.empty() ? "{}" : traits);
  } else {
    json += fmt::format(R"(,"properties":{})", properties);
    if (!traits.empty()) json += fmt::format(R"(,"context":{{"traits":{}}})", traits);
  }
  feed(json + "}");
}

void Story::at_with_id(std::string_view id, std::string_view when, std::string_view customer, std::string_view event,
                       std::string_view properties) {
  const std::string time =
      absl::FormatTime("%Y-%m-%dT%H:%M:%E3SZ", absl::FromUnixMillis(instant(when).ms), absl::UTCTimeZone());
  feed(fmt::format(R"({{"messageId":"{}","userId":"{}","timestamp":"{}","type":"track","event":"{}","properties":{}}})",
                   id, customer, time, event, properties));
}

void Story::feed(std::string_view json) {
  arena_.reset();
  const Decoded decoded = decoder_.decode(json, catalog_->schema, source_, arena_);
  const Event* const event = std::get_if<Event>(&decoded);
  SPUR_CHECK(event != nullptr);
  begin(wall_ ? clock_ : event->time);
  Origin origin;
  origin.received = wall_ ? clock_ : event->time;
  origin.bytes = json;
  shard_->apply(*event, origin, effects_);
  end();
}

void Story::record(std::string_view when, std::string_view reference, std::string_view json) {
  arena_.reset();
  const std::variant<Value, Malformed> decoded = records_.decode(json, arena_);
  SPUR_CHECK(std::holds_alternative<Value>(decoded));
  take_record(when, reference, "", std::get<Value>(decoded));
}

void Story::no_record(std::string_view when, std::string_view reference, std::string_view key) {
  take_record(when, reference, key, Value::absent());
}

void Story::take_record(std::string_view when, std::string_view reference, std::string_view key, const Value& body) {
  const Instant at = instant(when);
  begin(wall_ ? clock_ : at);
  Origin origin;
  origin.received = at;
  origin.key = key;
  const std::int32_t index = catalog_->find_reference(reference);
  SPUR_CHECK(index >= 0);
  shard_->apply_record(static_cast<std::uint32_t>(index), body, origin, effects_);
  end();
}

bool Story::look(std::string_view customer) {
  return customers_->peek({IdentityKind::kUserId, customer}).value() != nullptr;
}

void Story::tick(std::string_view when) { tick(instant(when)); }
void Story::tick(Instant when) {
  begin(when);
  do {
    shard_->fire_due({}, effects_);
  } while (shard_->next_due() <= shard_->clock());
  end();
}

void Story::run_until(std::string_view when) { run_until(instant(when)); }
void Story::run_until(Instant when) {
  begin(clock_);
  shard_->finish(when, effects_);
  clock_ = std::max(clock_, when);
  end();
}

void Story::wall(std::string_view when) {
  wall_ = true;
  clock_ = std::max(clock_, instant(when));
}

void Story::reading_history_at(std::string_view when) { history_read_at_ = instant(when); }

void Story::change_catalog(std::string_view yaml) {
  definitions_ = catalog::with_retired(definitions_from(yaml), definitions_);
  catalog_ = compiled(definitions_);
  begin(clock_);
  shard_->apply_catalog(catalog_);
  end();
}

void Story::restart() {
  customers_->begin_cut();
  while (!customers_->encode_cut(1000)) {
  }
  SPUR_CHECK(store_.write(customers_->take_cut()).ok());
  customers_->cut_written();
  const Shard::Standing standing = shard_->standing();
  customers_ = std::make_unique<Customers>(store_);
  shard_ = std::make_unique<Shard>(index_, shards_, *customers_);
  shard_->restore(standing, catalog_);
  SPUR_CHECK(customers_->load().ok());
}

std::vector<Decision> Story::take() {
  std::stable_sort(decisions_.begin(), decisions_.end(), [](const Decision& a, const Decision& b) {
    return std::tie(a.time, a.customer, a.trigger, a.instance, a.step, a.id) <
           std::tie(b.time, b.customer, b.trigger, b.instance, b.step, b.id);
  });
  return std::exchange(decisions_, {});
}

std::vector<std::string> Story::decisions() {
  std::vector<std::string> lines;
  for (const Decision& d : take()) {
    std::string line = text_of(d.time) + " " + d.trigger;
    if (!d.instance.empty()) line += "[" + d.instance + "]";
    if (!d.channel.empty() && (d.channel != "email" || d.template_name != "t"))
      line += " " + d.channel + "/" + d.template_name;
    line += " " + std::string(to_text(d.verdict));
    if (!d.reason.empty()) line += " " + d.reason;
    if (d.data != "{}") line += " " + d.data;
    lines.push_back(std::move(line));
  }
  return lines;
}

const Shard::Counters& Story::counters() const { return shard_->counters(); }

std::vector<std::string> Story::rows() {
  restart();
  std::vector<std::string> rows;
  SPUR_CHECK(store_.scan("", [&](std::string_view key, std::string_view value) {
    rows.push_back(std::string(key) + '\0' + std::string(value));
    return true;
  }).ok());
  return rows;
}

}  // namespace spur::testing
