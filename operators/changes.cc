#include "operators/changes.h"

#include <algorithm>

#include "state/check.h"
#include "state/codec/keys.h"
#include "state/layout.h"

namespace spur {

using catalog::Trigger;

void Changes::use(const catalog::Compiled& catalog) {
  catalog_ = &catalog;
  order_.clear();
  rated_.clear();
  by_key_.clear();
  unrated_.assign(catalog.triggers.size(), 0);
  for (auto it = all_.begin(); it != all_.end();) {
    const std::int32_t trigger = find_hash(catalog.layout->versions, it->second.change.trigger);
    if (trigger < 0) {
      forget(it++);
      continue;
    }
    begin(it->second, static_cast<std::uint32_t>(trigger));
    ++it;
  }
  // The window of a rate that nobody has any more.
  const auto gone = [&](const auto& window) {
    return std::none_of(catalog.triggers.begin(), catalog.triggers.end(), [&](const Trigger& t) {
      return t.name_hash == window.first && t.rate_max > 0;
    });
  };
  if (std::erase_if(windows_, gone) > 0) moved_ = true;
}

// --- the index ---

bool Changes::open(std::uint32_t trigger, std::string_view key, std::string_view place) {
  const std::string row = interest_prefix(version_of(trigger), key).append(place);
  if (rows_.get(row) != nullptr) return true;
  std::uint64_t& count = counts_[version_of(trigger)];
  if (count >= kInterestedMax) return false;
  ++count;
  moved_ = true;
  rows_.put(row, "");
  return true;
}

void Changes::close(std::uint32_t trigger, std::string_view key, std::string_view place) {
  const std::string row = interest_prefix(version_of(trigger), key).append(place);
  if (rows_.get(row) == nullptr) return;
  --counts_[version_of(trigger)];
  moved_ = true;
  rows_.erase(row);
}

// --- changes ---

Changes::Telling& Changes::insert(std::uint64_t number, Change change) {
  Telling& telling = all_[number];
  telling.number = number;
  telling.change = std::move(change);
  previous_bytes_ += telling.change.previous.size();
  return telling;
}

void Changes::begin(Telling& telling, std::uint32_t trigger) {
  telling.trigger = trigger;
  telling.rated = catalog_->triggers[trigger].rate_max > 0;
  (telling.rated ? rated_[trigger] : order_).emplace(telling.change.at, telling.number);
  if (!telling.rated) ++unrated_[trigger];
  by_key_[interest_prefix(telling.change.trigger, telling.change.key)].push_back(&telling);
}

bool Changes::add(std::uint32_t trigger, std::string_view key, Instant at,
                  std::string_view previous) {
  if (const auto of_key = by_key_.find(interest_prefix(version_of(trigger), key));
      of_key != by_key_.end()) {
    const auto same = [&](const Telling* telling) {
      return telling->change.at == at && telling->change.told.empty();
    };
    if (std::any_of(of_key->second.begin(), of_key->second.end(), same)) return true;
  }
  if (all_.size() >= kChangesMax || previous_bytes_ + previous.size() > kPreviousBytesMax)
    return false;
  moved_ = true;
  const std::uint64_t number = ++numbers_;
  Telling& telling =
      insert(number, {version_of(trigger), std::string(key), at, std::string(previous), {}});
  begin(telling, trigger);
  keep(telling);
  return true;
}

Changes::Telling* Changes::untold(std::uint32_t trigger, std::string_view key,
                                  std::string_view place, Instant limit) {
  const auto of_key = by_key_.find(interest_prefix(version_of(trigger), key));
  if (of_key == by_key_.end()) return nullptr;
  Instant since;
  Identity identity;
  SPUR_CHECK(parse_interest_place(place, since, identity));
  Telling* earliest = nullptr;
  for (Telling* telling : of_key->second) {
    const Change& change = telling->change;
    if (telling->rated || change.at >= limit || change.at <= since || place <= change.told)
      continue;
    if (telling == turn_ && turn_told_ && place == turn_place_) continue;
    if (telling->told.contains(place)) continue;
    if (earliest == nullptr ||
        std::pair(change.at, telling->number) < std::pair(earliest->change.at, earliest->number))
      earliest = telling;
  }
  return earliest;
}

void Changes::told(Telling& telling, std::string_view place) {
  if (&telling == turn_ && place == turn_place_) {
    turn_told_ = true;
    return;
  }
  telling.told.emplace(place);
  rows_.put(told_prefix(telling.number).append(place), "");
}

void Changes::no_news(std::uint32_t trigger, std::string_view key, std::string_view place,
                      Instant limit) {
  const auto of_key = by_key_.find(interest_prefix(version_of(trigger), key));
  if (of_key == by_key_.end()) return;
  for (Telling* telling : of_key->second) {
    Instant since;
    Identity identity;
    SPUR_CHECK(parse_interest_place(place, since, identity));
    const Instant at = telling->change.at;
    if (since < at && at < limit && place > telling->change.told) told(*telling, place);
  }
}

Instant Changes::turn_of(const Telling& telling) const {
  if (!telling.rated) return telling.change.at;
  const Trigger& trigger = catalog_->triggers[telling.trigger];
  const auto window = windows_.find(trigger.name_hash);
  if (window == windows_.end()) return telling.change.at;
  const Instant end = window->second.began + trigger.rate_per;
  if (telling.change.at >= end) return telling.change.at;
  const std::uint32_t share =
      (static_cast<std::uint32_t>(trigger.rate_max) + shards_ - 1) / shards_;
  return window->second.fired < share ? std::max(telling.change.at, window->second.began) : end;
}

Instant Changes::next_rated() const {
  Instant next = Instant::never();
  for (const auto& [trigger, order] : rated_)
    next = std::min(next, turn_of(all_.find(order.begin()->second)->second));
  return next;
}

Changes::Next Changes::next() {
  Next next;
  const auto consider = [&](const Order& order) {
    if (order.empty()) return;
    Telling& telling = all_.find(order.begin()->second)->second;
    const Instant at = turn_of(telling);
    if (at < next.at) next = {at, &telling};
  };
  consider(order_);
  for (const auto& [trigger, order] : rated_) consider(order);
  return next;
}

std::vector<std::string> Changes::stretch(const Telling& telling, std::size_t max) {
  std::vector<std::string> places;
  const std::string prefix = interest_prefix(telling.change.trigger, telling.change.key);
  std::string from = prefix + telling.change.told;
  if (!telling.change.told.empty()) from.push_back('\0');  // the one behind it
  rows_.scan(prefix, from, [&](std::string_view key, std::string_view) {
    Instant since;
    Identity identity;
    const std::string_view place = key.substr(prefix.size());
    SPUR_CHECK(parse_interest_place(place, since, identity));
    if (since >= telling.change.at || places.size() == max) return false;
    places.emplace_back(place);
    return true;
  });
  return places;
}

bool Changes::passes(Telling& telling, std::string_view place) {
  const auto it = telling.told.find(place);
  if (it == telling.told.end()) return false;
  telling.told.erase(it);
  rows_.erase(told_prefix(telling.number).append(place));
  telling.change.told = place;
  return true;
}

void Changes::begin_turn(Telling& telling, std::string_view place) {
  turn_ = &telling;
  turn_place_ = place;
  turn_told_ = false;
}

void Changes::end_turn(Telling& telling, std::string_view place) {
  telling.change.told = place;
  turn_ = nullptr;
}

void Changes::count_rate(const Telling& telling, Instant at) {
  const Trigger& trigger = catalog_->triggers[telling.trigger];
  const auto [window, is_new] = windows_.try_emplace(trigger.name_hash);
  if (is_new || at >= window->second.began + trigger.rate_per) window->second = {at, 0};
  ++window->second.fired;
  moved_ = true;
}

void Changes::keep(const Telling& telling) {
  rows_.put(change_key(telling.number), encode_change(telling.change));
}

void Changes::finish(Telling& telling) {
  const auto of_key = by_key_.find(interest_prefix(telling.change.trigger, telling.change.key));
  std::erase(of_key->second, &telling);
  if (of_key->second.empty()) by_key_.erase(of_key);
  const std::pair place(telling.change.at, telling.number);
  if (!telling.rated) {
    order_.erase(place);
    --unrated_[telling.trigger];
  } else if (const auto order = rated_.find(telling.trigger);
             order->second.erase(place) > 0 && order->second.empty()) {
    rated_.erase(order);
  }
  forget(all_.find(telling.number));
}

void Changes::forget(std::map<std::uint64_t, Telling>::iterator at) {
  const std::string prefix = told_prefix(at->first);
  for (const std::string& place : at->second.told) rows_.erase(prefix + place);
  rows_.erase(change_key(at->first));
  previous_bytes_ -= at->second.change.previous.size();
  all_.erase(at);
}

// --- what is stored beside the rows ---

void Changes::load(ReferencesState& state) {
  numbers_ = state.changes;
  counts_ = {state.interests.begin(), state.interests.end()};
  windows_ = {state.windows.begin(), state.windows.end()};
  all_.clear();
  previous_bytes_ = 0;
  const std::string changes = kind_prefix(KeyKind::kChange);
  rows_.scan(changes, changes, [&](std::string_view key, std::string_view value) {
    std::uint64_t number = 0;
    std::optional<Change> change = decode_change(value);
    SPUR_CHECK(change.has_value() && parse_change_key(key, number));
    insert(number, *std::move(change));
    return true;
  });
  for (auto& [number, telling] : all_) {
    const std::string told = told_prefix(number);
    rows_.scan(told, told, [&, at = &telling](std::string_view key, std::string_view) {
      at->told.emplace(key.substr(told.size()));
      return true;
    });
  }
}

void Changes::save(ReferencesState& state) const {
  state.changes = numbers_;
  state.interests.assign(counts_.begin(), counts_.end());
  state.windows.assign(windows_.begin(), windows_.end());
}

}  // namespace spur
