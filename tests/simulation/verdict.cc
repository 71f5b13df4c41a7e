#include "tests/simulation/verdict.h"

#include <algorithm>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/log/effect_records.h"
#include "daemon/log/journal_codec.h"
#include "operators/catalog/compiled.h"
#include "spur/v1/action.pb.h"
#include "spur/v1/decision.pb.h"
#include "spur/v1/message.pb.h"
#include "state/codec/customer_codec.h"
#include "state/memory_store.h"

namespace spur::simulation {
namespace {

constexpr std::size_t kCustomersAtOnce = 4096;

InputRecord input_of(const SourceStand& stand, const Broker::Record& record) {
  return {record.offset, record.received, "", stand.source.topic, record.key, record.value};
}

// One shard, folded once more from the beginning of its journal.
class Refold {
 public:
  Refold(const Evidence& evidence, std::uint32_t shard)
      : broker_(evidence.broker), evidence_(evidence), shard_(shard), owned_(make()) {}

  std::optional<std::string> run();
  // All that is counted is folded: nothing of any source was left out.
  std::optional<std::string> nothing_left();
  OwnedShard& owned() { return *owned_; }
  const std::map<Destination, std::vector<std::string>>& expected() const { return expected_; }
  // What was quarantined, as bytes that say it.
  const std::vector<std::string>& quarantined() const { return quarantined_; }

 private:
  std::string at(std::size_t offset) const {
    return absl::StrCat("shard ", shard_, ", journal entry ", offset, ": ");
  }
  std::optional<std::string> fold(const spur::v1::JournalEntry& entry);
  std::optional<std::string> fold_barrier(const spur::v1::Barrier& barrier);
  std::optional<std::string> fold_quarantine(const spur::v1::JournalEntry& entry);
  std::optional<std::string> take(const spur::v1::Slice& slice, Effects& effects);
  void expect(const Effects& effects);
  std::unique_ptr<OwnedShard> make() {
    return std::make_unique<OwnedShard>(
        OwnedShardSetup{shard_,
                        static_cast<std::uint32_t>(broker_.journals.size()),
                        &store_,
                        0,
                        &evidence_.crumb,
                        {}});
  }
  Catalogs& catalogs() const {
    return fold_version_ == kFoldVersion ? evidence_.catalogs : evidence_.catalogs_newer;
  }
  const Broker::Partition& partition(const SourceStand& stand) const {
    return stand.source.source == kMessageSource
               ? broker_.inputs.at({kMessageTopic, static_cast<std::int32_t>(shard_)})
               : broker_.inputs.at({stand.source.topic, stand.source.partition});
  }

  const Broker& broker_;
  const Evidence& evidence_;
  const std::uint32_t shard_;
  MemoryStore store_;
  std::unique_ptr<OwnedShard> owned_;
  std::uint32_t owner_version_ = 0, fold_version_ = 0;  // of the present owner, and in force
  std::map<Destination, std::vector<std::string>> expected_;
  std::vector<std::string> quarantined_;
};

std::optional<std::string> Refold::run() {
  std::uint64_t epoch = 0, seq = 0;
  const auto& entries = broker_.journals[shard_].entries;
  for (std::size_t offset = 0; offset < entries.size(); ++offset) {
    const auto entry = decode_entry(entries[offset]);
    if (!entry.ok()) return at(offset) + std::string(entry.status().message());
    if (entry->has_owner()) {
      if (entry->epoch() != epoch + 1) continue;
      epoch = entry->epoch();
      owner_version_ = entry->owner().fold_version();
      if (epoch == 1) fold_version_ = owner_version_;
      continue;
    }
    if (entry->epoch() != epoch || entry->seq() != seq + 1) continue;
    seq = entry->seq();
    if (auto wrong = fold(*entry)) return at(offset) + *wrong;
  }
  owned_->stand.journal = {epoch, seq};
  return std::nullopt;
}

std::optional<std::string> Refold::fold(const spur::v1::JournalEntry& entry) {
  if (entry.has_sources()) {
    return owned_->stand.add(entry.sources()) ? std::nullopt
                                              : std::optional<std::string>("sources out of order");
  }
  if (entry.has_barrier()) return fold_barrier(entry.barrier());
  if ((entry.has_run() || entry.has_quarantine()) && owner_version_ != fold_version_) {
    return absl::StrCat("fold version ", owner_version_, " has folded, where ", fold_version_,
                        " is in force");
  }
  if (entry.has_quarantine()) return fold_quarantine(entry);
  if (!entry.has_run()) return std::nullopt;
  const spur::v1::Run& run = entry.run();
  ScoreTape tape(std::vector<std::int64_t>(run.scores().begin(), run.scores().end()));
  Effects effects;
  if (Instant{run.clock_ms()} < owned_->shard.clock()) return "the clock runs back";
  owned_->shard.begin_run({entry.seq(), Instant{run.clock_ms()}, Instant{run.wall_ms()},
                           run.clock_mode() == 0 ? ClockMode::kWall : ClockMode::kRecords},
                          tape);
  for (const spur::v1::Slice& slice : run.slices()) {
    if (auto wrong = take(slice, effects)) return wrong;
  }
  owned_->intake.take_slices();
  if (run.timers_fired() > 0) owned_->shard.fire_due({run.timers_fired(), run.told()}, effects);
  if (owned_->shard.end_run() != entry.digest()) return "another digest than journaled";
  expect(effects);
  return std::nullopt;
}

// H18: from here on the next version folds, beginning with the rows as they stand.
std::optional<std::string> Refold::fold_barrier(const spur::v1::Barrier& barrier) {
  if (barrier.from_fold_version() != fold_version_ || barrier.to_fold_version() != owner_version_ ||
      owner_version_ <= fold_version_) {
    return absl::StrCat("a barrier from fold version ", barrier.from_fold_version(), " to ",
                        barrier.to_fold_version(), " of an owner of version ", owner_version_,
                        ", where ", fold_version_, " is in force");
  }
  fold_version_ = owner_version_;
  owned_->customers.begin_cut();
  while (!owned_->customers.encode_cut(kCustomersAtOnce)) {
  }
  if (!store_.write(owned_->customers.take_cut()).ok()) return "the rows cannot be written";
  owned_->customers.cut_written();
  const std::string catalog = owned_->catalog_bytes;
  std::unique_ptr<OwnedShard> next = make();
  const absl::Status restored =
      next->restore(owned_->position(DeploymentId{1, 2, 3, 4}),
                    catalog.empty() ? nullptr : *catalogs().compiled(catalog), catalog);
  if (!restored.ok()) return std::string(restored.message());
  next->stand = owned_->stand;
  owned_ = std::move(next);
  return std::nullopt;
}

// Poison: what has killed twice, and nothing else, leaves history as a dead letter in its place.
std::optional<std::string> Refold::fold_quarantine(const spur::v1::JournalEntry& entry) {
  const spur::v1::Quarantine& quarantine = entry.quarantine();
  const std::string what =
      absl::StrCat("input ", quarantine.offset(), " of source ", quarantine.source());
  SourceStand* stand = owned_->stand.find(quarantine.source());
  if (stand == nullptr) return absl::StrCat(what, " is quarantined, and was never named");
  const auto died = evidence_.deaths.find({shard_, quarantine.source(), quarantine.offset()});
  if (died == evidence_.deaths.end() || died->second < 2) {
    return absl::StrCat(what, " is quarantined, where ",
                        died == evidence_.deaths.end() ? 0 : died->second, " processes have died");
  }
  const std::deque<Broker::Record>& records = partition(*stand).records;
  const auto next = std::find_if(records.begin(), records.end(), [&](const Broker::Record& record) {
    return record.offset >= stand->next;
  });
  if (next == records.end() || next->offset != quarantine.offset())
    return absl::StrCat(what, " is quarantined, and is not the next");
  ScoreTape tape{std::vector<std::int64_t>()};
  Effects effects;
  owned_->shard.begin_run({entry.seq(), owned_->shard.clock(), Instant::never(), ClockMode::kWall},
                          tape);
  owned_->intake.quarantine(quarantine.source(), input_of(*stand, *next), quarantine.reason(),
                            effects);
  if (owned_->shard.end_run() != entry.digest()) return "another digest than journaled";
  stand->next = next->offset + 1;
  quarantined_.push_back(next->value);
  expect(effects);
  return std::nullopt;
}

std::optional<std::string> Refold::take(const spur::v1::Slice& slice, Effects& effects) {
  SourceStand* stand = owned_->stand.find(slice.source());
  if (stand == nullptr) return absl::StrCat("source ", slice.source(), " was never named");
  if (slice.source() == kCatalogSource) {
    for (Offset i = slice.first_offset(); i <= slice.last_offset(); ++i) {
      if (i != std::max(stand->next, kFirstCatalog))
        return absl::StrCat("catalog ", i, " is taken after ", stand->next);
      const CatalogRecord& record = broker_.catalogs[i - kFirstCatalog];
      owned_->take(record, *catalogs().compiled(record.catalog));
    }
    return std::nullopt;
  }
  std::uint32_t count = 0;
  for (const Broker::Record& record : partition(*stand).records) {
    if (record.offset < stand->next) {
      if (record.offset >= slice.first_offset())
        return absl::StrCat("input ", record.offset, " of source ", slice.source(),
                            " is folded twice");
      continue;
    }
    if (record.offset < slice.first_offset()) {
      return absl::StrCat("input ", record.offset, " of source ", slice.source(),
                          " is passed over");
    }
    if (record.offset > slice.last_offset()) break;
    const InputRecord input = input_of(*stand, record);
    if (slice.source() == kMessageSource && catalogs_before(input) > owned_->stand.catalogs) {
      return absl::StrCat("message ", record.offset, " is folded under an older catalog");
    }
    owned_->intake.input(slice.source(), input, effects);
    ++count;
  }
  if (count != slice.count()) return absl::StrCat("a slice of ", slice.count(), " has ", count);
  stand->next = slice.last_offset() + 1;
  return std::nullopt;
}

void Refold::expect(const Effects& effects) {
  if (effects.empty()) return;
  const auto& hash = owned_->shard.catalog()->hash;
  const RunEffects records = to_records(shard_, effects, DeploymentId{1, 2, 3, 4},
                                        {reinterpret_cast<const char*>(hash.data()), hash.size()});
  for (const auto& action : records.actions)
    expected_[absl::StrCat(action.topic, "/", shard_)].push_back(action.bytes);
  for (const auto& decision : records.decisions)
    expected_[absl::StrCat("decisions/", shard_)].push_back(decision.bytes);
  for (const auto& letter : records.dead_letters)
    expected_[absl::StrCat("dead-letters/", shard_)].push_back(letter);
}

std::optional<std::string> Refold::nothing_left() {
  for (const auto& input : broker_.inputs) {
    const auto& name = input.first;
    const auto& from = input.second;
    if (from.records.empty()) continue;
    // Business data is everybody's.
    if (name.second != static_cast<std::int32_t>(shard_) && name.first != "business.products")
      continue;
    const auto stand = std::find_if(
        owned_->stand.sources.begin(), owned_->stand.sources.end(), [&](const SourceStand& s) {
          return name.first == kMessageTopic
                     ? s.source.source == kMessageSource
                     : s.source.topic == name.first && s.source.partition == name.second;
        });
    if (stand == owned_->stand.sources.end() || stand->next <= from.records.back().offset)
      return absl::StrCat("shard ", shard_, ": inputs of ", name.first, " are left");
  }
  return std::nullopt;
}

// Rule 14: what a channel makes of what arrived, by the id of each effect.
std::vector<std::string> after_the_channel_rule(const Broker::Outlet& outlet) {
  std::vector<std::string> taken;
  EffectId last;
  bool any = false;
  for (const Effect& effect : outlet.records) {
    if (any && effect.id <= last) continue;
    any = true;
    last = effect.id;
    taken.push_back(effect.bytes);
  }
  return taken;
}

std::string as_text(const Destination& destination, const std::string& bytes) {
  spur::v1::Action action;
  return destination.starts_with("actions.") && action.ParseFromString(bytes)
             ? action.ShortDebugString()
             : "something else";
}

std::optional<std::string> same_effects(const Broker& broker, const Refold& refold) {
  for (const auto& [destination, expected] : refold.expected()) {
    const auto outlet = broker.outlets.find(destination);
    const std::vector<std::string> found = outlet == broker.outlets.end()
                                               ? std::vector<std::string>()
                                               : after_the_channel_rule(outlet->second);
    if (found == expected) continue;
    const auto [a, b] = std::mismatch(found.begin(), found.end(), expected.begin(), expected.end());
    return absl::StrCat(destination, ": ", found.size(), " effects after the channel rule, ",
                        expected.size(), " expected; they part at ", a - found.begin(), ": ",
                        a == found.end() ? "nothing" : as_text(destination, *a), " instead of ",
                        b == expected.end() ? "nothing" : as_text(destination, *b));
  }
  return std::nullopt;
}

// Where transactions are asked for no record stands twice, and no channel has to drop one.
std::optional<std::string> no_repeats(const Broker& broker) {
  for (const auto& [destination, outlet] : broker.outlets) {
    if (!broker.transactional(destination)) continue;
    for (std::size_t i = 1; i < outlet.records.size(); ++i) {
      const EffectId &before = outlet.records[i - 1].id, &id = outlet.records[i].id;
      if (id <= before)
        return absl::StrCat(destination, ": run ", id.run, ".", id.index, " stands behind run ",
                            before.run, ".", before.index);
    }
  }
  return std::nullopt;
}

bool is_order(std::string_view event) {
  return event.find("Order Completed") != std::string_view::npos;
}

// As it came, or in a message that carries it.
bool is_quarantined(const std::string& event, const std::vector<Refold*>& refolds) {
  return std::any_of(refolds.begin(), refolds.end(), [&](const Refold* refold) {
    return std::any_of(
        refold->quarantined().begin(), refold->quarantined().end(),
        [&](const std::string& bytes) { return bytes.find(event) != std::string::npos; });
  });
}

// The decisions without their ids say how many orders each customer had: 1, 2, 3 … once each, and
// as many as were published, whatever happened between.
std::optional<std::string> every_order_counted(const Broker& broker,
                                               const std::vector<Refold*>& refolds) {
  std::map<std::string, std::vector<std::string>> greetings;  // customer: data, in order
  for (const Refold* refold : refolds) {
    for (const auto& [destination, records] : refold->expected()) {
      if (!destination.starts_with("decisions/")) continue;
      for (const std::string& bytes : records) {
        spur::v1::Decision decision;
        if (!decision.ParseFromString(bytes)) return "a decision cannot be read";
        if (decision.trigger() == "greet")
          greetings[decision.customer()].push_back(decision.data_json());
      }
    }
  }
  std::map<std::string, int> orders;
  for (const auto& [name, from] : broker.inputs) {
    if (name.first == kMessageTopic) continue;
    for (const Broker::Record& record : from.records) {
      if (is_order(record.value) && !is_quarantined(record.value, refolds))
        ++orders["user_id:" + record.key];
    }
  }
  for (const auto& [customer, count] : orders) {
    const std::vector<std::string>& found = greetings[customer];
    if (static_cast<int>(found.size()) != count) {
      return absl::StrCat(customer, " ordered ", count, " times and was greeted ", found.size());
    }
    for (int i = 0; i < count; ++i) {
      if (found[static_cast<std::size_t>(i)] != absl::StrCat("{\"orders\":", i + 1, "}"))
        return absl::StrCat(customer, "'s order ", i + 1, " was greeted with ",
                            found[static_cast<std::size_t>(i)]);
    }
  }
  return std::nullopt;
}

// Memory of the live owner against the fold without faults.
std::optional<std::string> same_state(OwnedShard& refold, LiveShard& owner, std::uint32_t shard) {
  std::optional<std::string> wrong;
  owner.ask(
      [&](const ShardView& view) {
        if (view.shard.standing().digest != refold.shard.standing().digest) {
          wrong = absl::StrCat("shard ", shard, ": the owner has another digest");
          return;
        }
        if (view.shard.catalog() == nullptr) return;
        const Layout& layout = *view.shard.catalog()->layout;
        std::vector<std::pair<IdentityKind, std::string>> everybody;
        refold.customers.for_each([&](const Customer& customer) {
          everybody.emplace_back(customer.kind, customer.identity.str());
        });
        for (const auto& [kind, identity] : everybody) {
          // Asked for, so that both are laid out by the catalog in force.
          const auto owned = view.customers.peek({kind, identity});
          const auto again = refold.customers.peek({kind, identity});
          if (!owned.ok() || !again.ok() || *owned == nullptr || *again == nullptr ||
              encode_customer(**owned, layout) != encode_customer(**again, layout)) {
            wrong = absl::StrCat("shard ", shard, ": customer ", identity,
                                 " is not what the fold without faults has");
          }
        }
      },
      [](absl::Status) {});
  return wrong;
}

}  // namespace

std::optional<std::string> judge(const Evidence& evidence, const std::vector<LiveShard*>& owners) {
  const Broker& broker = evidence.broker;
  if (auto wrong = no_repeats(broker)) return wrong;
  std::vector<std::unique_ptr<Refold>> refolds;
  std::vector<Refold*> all;
  bool whole = true;
  for (std::uint32_t shard = 0; shard < owners.size(); ++shard) {
    refolds.push_back(std::make_unique<Refold>(evidence, shard));
    all.push_back(refolds.back().get());
    Refold& refold = *refolds.back();
    if (auto wrong = refold.run()) return wrong;
    if (owners[shard] == nullptr) {
      whole = false;
      continue;
    }
    // Who is idle must know that another has claimed the shard meanwhile (rule 11).
    if (owners[shard]->stats().epoch != refold.owned().stand.journal.epoch) {
      return absl::StrCat("shard ", shard, ": the owner believes in epoch ",
                          owners[shard]->stats().epoch, " of ", refold.owned().stand.journal.epoch);
    }
    if (auto wrong = refold.nothing_left()) return wrong;
    if (auto wrong = same_effects(broker, refold)) return wrong;
    if (auto wrong = same_state(refold.owned(), *owners[shard], shard)) return wrong;
  }
  if (!whole) return std::nullopt;
  return every_order_counted(broker, all);
}

}  // namespace spur::simulation
