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

// One shard, folded once more from the beginning of its journal.
class Refold {
 public:
  Refold(const Broker& broker, Catalogs& catalogs, Breadcrumb& crumb, std::uint32_t shard)
      : broker_(broker),
        catalogs_(catalogs),
        shard_(shard),
        owned_(
            {shard, static_cast<std::uint32_t>(broker.journals.size()), &store_, 0, &crumb, {}}) {}

  std::optional<std::string> run();
  // All that is counted is folded: nothing of any source was left out.
  std::optional<std::string> nothing_left();
  OwnedShard& owned() { return owned_; }
  const std::map<Destination, std::vector<std::string>>& expected() const { return expected_; }

 private:
  std::string at(std::size_t offset) const {
    return absl::StrCat("shard ", shard_, ", journal entry ", offset, ": ");
  }
  std::optional<std::string> fold(std::size_t offset, const spur::v1::JournalEntry& entry);
  std::optional<std::string> take(const spur::v1::Slice& slice, Effects& effects);
  void expect(const Effects& effects);
  const Broker::Partition& partition(const SourceStand& stand) const {
    return stand.source.source == kMessageSource
               ? broker_.inputs.at({kMessageTopic, static_cast<std::int32_t>(shard_)})
               : broker_.inputs.at({stand.source.topic, stand.source.partition});
  }

  const Broker& broker_;
  Catalogs& catalogs_;
  const std::uint32_t shard_;
  MemoryStore store_;
  OwnedShard owned_;
  std::map<Destination, std::vector<std::string>> expected_;
};

std::optional<std::string> Refold::run() {
  std::uint64_t epoch = 0, seq = 0;
  const auto& entries = broker_.journals[shard_].entries;
  for (std::size_t offset = 0; offset < entries.size(); ++offset) {
    const auto entry = decode_entry(entries[offset]);
    if (!entry.ok()) return at(offset) + std::string(entry.status().message());
    if (entry->has_owner()) {
      if (entry->epoch() == epoch + 1) epoch = entry->epoch();
      continue;
    }
    if (entry->epoch() != epoch || entry->seq() != seq + 1) continue;
    seq = entry->seq();
    if (auto wrong = fold(offset, *entry)) return at(offset) + *wrong;
  }
  owned_.stand.journal = {epoch, seq};
  return std::nullopt;
}

std::optional<std::string> Refold::fold(std::size_t, const spur::v1::JournalEntry& entry) {
  if (entry.has_sources()) {
    return owned_.stand.add(entry.sources()) ? std::nullopt
                                             : std::optional<std::string>("sources out of order");
  }
  if (!entry.has_run()) return std::nullopt;
  const spur::v1::Run& run = entry.run();
  ScoreTape tape(std::vector<std::int64_t>(run.scores().begin(), run.scores().end()));
  Effects effects;
  if (Instant{run.clock_ms()} < owned_.shard.clock()) return "the clock runs back";
  owned_.shard.begin_run({entry.seq(), Instant{run.clock_ms()}, Instant{run.wall_ms()},
                          run.clock_mode() == 0 ? ClockMode::kWall : ClockMode::kRecords},
                         tape);
  for (const spur::v1::Slice& slice : run.slices()) {
    if (auto wrong = take(slice, effects)) return wrong;
  }
  owned_.intake.take_slices();
  if (run.timers_fired() > 0) owned_.shard.fire_due({run.timers_fired(), run.told()}, effects);
  if (owned_.shard.end_run() != entry.digest()) return "another digest than journaled";
  expect(effects);
  return std::nullopt;
}

std::optional<std::string> Refold::take(const spur::v1::Slice& slice, Effects& effects) {
  SourceStand* stand = owned_.stand.find(slice.source());
  if (stand == nullptr) return absl::StrCat("source ", slice.source(), " was never named");
  if (slice.source() == kCatalogSource) {
    for (Offset i = slice.first_offset(); i <= slice.last_offset(); ++i) {
      if (i != std::max(stand->next, kFirstCatalog))
        return absl::StrCat("catalog ", i, " is taken after ", stand->next);
      const CatalogRecord& record = broker_.catalogs[i - kFirstCatalog];
      owned_.take(record, *catalogs_.compiled(record.catalog));
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
    const InputRecord input{record.offset,       record.received, "",
                            stand->source.topic, record.key,      record.value};
    if (slice.source() == kMessageSource && catalogs_before(input) > owned_.stand.catalogs) {
      return absl::StrCat("message ", record.offset, " is folded under an older catalog");
    }
    owned_.intake.input(slice.source(), input, effects);
    ++count;
  }
  if (count != slice.count()) return absl::StrCat("a slice of ", slice.count(), " has ", count);
  stand->next = slice.last_offset() + 1;
  return std::nullopt;
}

void Refold::expect(const Effects& effects) {
  if (effects.empty()) return;
  const auto& hash = owned_.shard.catalog()->hash;
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
  for (const auto& [name, from] : broker_.inputs) {
    if (name.second != static_cast<std::int32_t>(shard_) || from.records.empty()) continue;
    const auto stand = std::find_if(
        owned_.stand.sources.begin(), owned_.stand.sources.end(), [&](const SourceStand& s) {
          return name.first == kMessageTopic ? s.source.source == kMessageSource
                                             : s.source.topic == name.first;
        });
    if (stand == owned_.stand.sources.end() || stand->next <= from.records.back().offset)
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
      if (record.value.find("Order Completed") != std::string::npos)
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

std::optional<std::string> judge(const Broker& broker, Catalogs& catalogs, Breadcrumb& crumb,
                                 const std::vector<LiveShard*>& owners) {
  if (auto wrong = no_repeats(broker)) return wrong;
  std::vector<std::unique_ptr<Refold>> refolds;
  std::vector<Refold*> all;
  bool whole = true;
  for (std::uint32_t shard = 0; shard < owners.size(); ++shard) {
    refolds.push_back(std::make_unique<Refold>(broker, catalogs, crumb, shard));
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
