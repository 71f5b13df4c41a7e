#include "daemon/backtest/backtest.h"

#include <algorithm>
#include <tuple>

#include "operators/expression/text.h"
#include "operators/tell.h"
#include "state/check.h"

namespace spur {
namespace {

// The same call, whosever its user id says it is.
void give_to(const Identity& customer, Event& event) {
  event.user_id = event.named_id = {};
  std::string_view& kept = customer.kind == IdentityKind::kUserId  ? event.user_id
                           : customer.kind == IdentityKind::kNamed ? event.named_id
                                                                   : event.anonymous_id;
  kept = customer.value;
}

}  // namespace

// One shard with what it stands on.
struct Backtest::Part {
  Part(std::uint32_t index, const Options& options)
      : shard_index(index), shard_count(options.shards), assumed(options.assumed), watcher(options.watcher) {
    open();
  }

  void open() {
    customers = std::make_unique<Customers>(store);
    shard = std::make_unique<Shard>(shard_index, shard_count, *customers);
    shard->assume(assumed);
    shard->watch(watcher);
  }

  // A run at `clock`, unless the shard's has gone further.
  void begin_run(Instant clock) {
    scores.clear();
    shard->begin_run(
        {++seq, std::max(clock, shard->clock()), Instant::never(), ClockMode::kRecords}, scores);
  }

  const std::uint32_t shard_index, shard_count;
  const Shard::Assumed assumed;
  Watcher* const watcher;
  MemoryStore store;
  std::unique_ptr<Customers> customers;
  std::unique_ptr<Shard> shard;
  ScoreTape scores;
  std::uint64_t seq = 0;
};

Backtest::Backtest(std::shared_ptr<const catalog::Compiled> catalog, const Options& options)
    : catalog_(std::move(catalog)), options_(options) {
  SPUR_CHECK(options.shards > 0);
  for (const catalog::Reference& reference : catalog_->business_data)
    tells_ = tells_ || !reference.triggers.empty();
  for (std::uint32_t i = 0; i < options.shards; ++i) {
    parts_.push_back(std::make_unique<Part>(i, options));
    parts_.back()->begin_run(clock_);
    parts_.back()->shard->apply_catalog(catalog_);
  }
}
Backtest::~Backtest() = default;

void Backtest::refuse(std::string_view reason, std::string_view detail, const Line& line) {
  ++counts_.dead_letters;
  ++dead_letters_[std::string(reason)];
  if (samples_.size() >= 10) return;
  const std::string where = line.file.empty()
                                ? "line " + std::to_string(counts_.lines)
                                : std::string(line.file) + ":" + std::to_string(line.number);
  samples_.push_back(where + ": " + std::string(reason) + ": " + std::string(detail));
}

// Changes are told before more of them come: what they decide is the same, and fewer are kept.
void Backtest::tell() {
  if (!tells_) return;
  for (const auto& part : parts_) {
    while (part->shard->next_due() <= clock_) {
      part->begin_run(clock_);
      part->shard->fire_due({}, effects_);
      keep(effects_);
    }
  }
}

std::optional<Instant> Backtest::read_record(Record& record) {
  record.arena.reset();
  record.body = records_.decode(record.bytes, record.arena);
  const Value* const body = std::get_if<Value>(&record.body);
  const catalog::Reference& reference = catalog_->business_data[record.reference];
  if (body == nullptr || !reference.time) return std::nullopt;
  return record_time(*catalog_, reference, *body, record.arena);
}

void Backtest::feed_record(const Record& record) {
  ++counts_.lines;
  if (record.since > options_.until) {
    ++counts_.after_until;
    return;
  }
  const Line line{record.file, record.line};
  if (const Malformed* const malformed = std::get_if<Malformed>(&record.body))
    return refuse(to_text(malformed->reason), malformed->detail, line);
  clock_ = std::max(clock_, record.since);
  tell();
  Origin origin;
  origin.offset = ++offset_;
  origin.bytes = record.bytes;
  origin.received = record.since;
  for (const auto& part : parts_) {
    part->begin_run(clock_);
    part->shard->apply_record(record.reference, std::get<Value>(record.body), origin, effects_);
    // It is one record, refused by each shard.
    if (part == parts_.front()) {
      for (const DeadLetter& letter : effects_.dead_letters)
        refuse(letter.reason, letter.detail, line);
    }
    effects_.dead_letters.clear();
    keep(effects_);
    if (options_.restart_after_each_input) restart(*part);
  }
}

void Backtest::feed(std::string_view bytes, std::string_view file, std::uint64_t line) {
  ++counts_.lines;
  decoder_.decode({bytes}, *catalog_, options_.source,
                  [&](const Decoded& decoded, std::string_view one) {
                    take(decoded, one, {file, line});
                  });
}

void Backtest::feed_to(std::uint32_t source, std::string_view bytes, Instant received) {
  ++counts_.lines;
  decoder_.decode({bytes, {}, received}, *catalog_, source,
                  [&](const Decoded& decoded, std::string_view one) { take(decoded, one, {}); });
}

void Backtest::feed_call(std::string_view bytes, std::optional<Identity> customer) {
  ++counts_.lines;
  Decoded decoded = decoder_.decode_call(bytes, *catalog_, options_.source);
  if (Event* const event = std::get_if<Event>(&decoded); event != nullptr && customer)
    give_to(*customer, *event);
  take(decoded, bytes, {});
}

void Backtest::take(const Decoded& decoded, std::string_view bytes, const Line& line) {
  Origin origin;
  origin.offset = ++offset_;
  origin.bytes = bytes;
  if (const Malformed* const malformed = std::get_if<Malformed>(&decoded)) {
    return refuse(to_text(malformed->reason), malformed->detail, line);
  }
  const Event& event = std::get<Event>(decoded);
  if (event.time > options_.until) {
    ++counts_.after_until;
    return;
  }
  if (options_.before_event) options_.before_event(*this, event.time);
  ++counts_.events;
  clock_ = std::max(clock_, event.time);
  tell();
  Part& part = *parts_[shard_of(event.customer().key(), options_.shards)];
  origin.received = event.time;
  part.begin_run(clock_);
  part.shard->apply(event, origin, effects_);
  keep(effects_);
  if (options_.restart_after_each_input) restart(part);
}

void Backtest::tick(Instant clock) {
  clock_ = std::max(clock_, clock);
  for (const auto& part : parts_) {
    part->begin_run(clock_);
    do {
      part->shard->fire_due({}, effects_);
      keep(effects_);
    } while (part->shard->next_due() <= clock_);
    keep(effects_);
    if (options_.restart_after_each_input) restart(*part);
  }
}

void Backtest::finish() {
  const Instant until = options_.until == Instant::never() ? clock_ : options_.until;
  for (const auto& part : parts_) {
    part->begin_run(clock_);
    part->shard->finish(until, effects_);
    keep(effects_);
  }
  clock_ = std::max(clock_, until);
}

void Backtest::keep(Effects& effects) {
  for (Decision& decision : effects.decisions) {
    if (decision.time >= options_.from) decisions_.push_back(std::move(decision));
  }
  for (const DeadLetter& letter : effects.dead_letters) {
    ++counts_.dead_letters;
    ++dead_letters_[letter.reason];
  }
  effects.clear();
}

// Everything leaves memory and comes back from its stored form: what a crash right after a flush does.
void Backtest::restart(Part& part) {
  part.shard->end_run();
  part.customers->begin_cut();
  while (!part.customers->encode_cut(1'000'000)) {
  }
  SPUR_CHECK(part.store.write(part.customers->take_cut()).ok());
  part.customers->cut_written();
  const Shard::Standing standing = part.shard->standing();
  part.open();
  part.shard->restore(standing, catalog_);
  SPUR_CHECK(part.customers->load().ok());
}

Backtest::Counts Backtest::counts() const {
  Counts counts = counts_;
  for (const auto& part : parts_) {
    const Shard::Counters& c = part->shard->counters();
    counts.customers += part->customers->in_memory();
    counts.shards.duplicates += c.duplicates;
    counts.shards.conflicting_duplicates += c.conflicting_duplicates;
    counts.shards.late += c.late;
    counts.shards.timers += c.timers;
    counts.shards.evaluations += c.evaluations;
    counts.shards.firings += c.firings;
    counts.shards.conditions_in_error += c.conditions_in_error;
    counts.shards.silenced_repeats += c.silenced_repeats;
    counts.shards.dropped_over_limit += c.dropped_over_limit;
  }
  return counts;
}

std::vector<Shard::TriggerCounters> Backtest::trigger_counters() const {
  std::vector<Shard::TriggerCounters> sum(catalog_->triggers.size());
  for (const auto& part : parts_) {
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += part->shard->trigger_counters()[i];
  }
  return sum;
}

void sort_decisions(std::vector<Decision>& decisions) {
  // A decision is some hundred bytes with six texts: what is sorted is small, and each decision
  // moves once. The place comes last, so that equal ones keep their order.
  struct Place {
    Instant time;
    std::size_t index;
  };
  std::vector<Place> order(decisions.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = {decisions[i].time, i};
  std::sort(order.begin(), order.end(), [&](const Place& x, const Place& y) {
    if (x.time != y.time) return x.time < y.time;
    const Decision &a = decisions[x.index], &b = decisions[y.index];
    return std::tie(a.customer, a.trigger, a.instance, a.step, a.id.run, a.id.input, a.id.ordinal,
                    x.index) < std::tie(b.customer, b.trigger, b.instance, b.step, b.id.run,
                                        b.id.input, b.id.ordinal, y.index);
  });
  std::vector<Decision> sorted;
  sorted.reserve(decisions.size());
  for (const Place& place : order) sorted.push_back(std::move(decisions[place.index]));
  decisions = std::move(sorted);
}

std::string decision_line(const Decision& decision) {
  std::string line;
  line.reserve(256);
  const auto text = [&](std::string_view name, std::string_view value) {
    line += line.empty() ? "{\"" : ",\"";
    line += name;
    line += "\":";
    expression::append_json_string(&line, value);
  };
  // Milliseconds are always written, so that lines sort and align.
  std::string time =
      expression::timestamp_text(decision.time.ms >= 0 ? decision.time.ms / 1000 : (decision.time.ms - 999) / 1000, 0);
  const auto ms = static_cast<int>(((decision.time.ms % 1000) + 1000) % 1000);
  char fraction[8];
  std::snprintf(fraction, sizeof fraction, ".%03dZ", ms);
  time.pop_back();
  text("time", time + fraction);
  text("customer", decision.customer);
  text("trigger", decision.trigger);
  text("instance", decision.instance);
  text("channel", decision.channel);
  text("template", decision.template_name);
  text("verdict", to_text(decision.verdict));
  text("reason", decision.reason);
  text("action_id", to_text(decision.id));
  line += ",\"data\":";
  line += decision.data;
  line += '}';
  return line;
}

}  // namespace spur
