#include "operators/business_data.h"

#include <algorithm>

#include "state/check.h"
#include "state/codec/keys.h"
#include "state/layout.h"

namespace spur {

void BusinessData::use(const catalog::Compiled& catalog) {
  changes.use(catalog);
  // One that has come back begins empty: nothing of before may be there, or leave later.
  const auto begins = [&](KeyKind kind, std::uint64_t definition) {
    const auto it =
        std::find(leaving_.begin(), leaving_.end(), definition_prefix(kind, definition));
    if (it == leaving_.end()) return;
    std::swap(*it, leaving_.back());
    for (const std::size_t others = leaving_.size() - 1; leaving_.size() > others;) leave(1);
  };
  for (const catalog::Reference& reference : catalog.business_data)
    begins(KeyKind::kRecord, reference.definition);
  for (const std::uint64_t version : catalog.layout->versions) begins(KeyKind::kInterest, version);
  const auto settle = [&](std::map<std::uint64_t, std::uint64_t>& counts, KeyKind kind,
                          auto&& is_there) {
    for (auto it = counts.begin(); it != counts.end();) {
      if (is_there(it->first)) {
        ++it;
        continue;
      }
      leaving_.push_back(definition_prefix(kind, it->first));
      it = counts.erase(it);
      moved_ = true;
    }
  };
  settle(records.counts(), KeyKind::kRecord, [&](std::uint64_t definition) {
    return std::any_of(catalog.business_data.begin(), catalog.business_data.end(),
                       [&](const catalog::Reference& r) { return r.definition == definition; });
  });
  settle(changes.counts(), KeyKind::kInterest,
         [&](std::uint64_t version) { return find_hash(catalog.layout->versions, version) >= 0; });
}

std::uint32_t BusinessData::leave(std::uint32_t steps) {
  std::uint32_t taken = 0;
  for (; taken < steps && !leaving_.empty(); ++taken) {
    std::vector<std::string> keys;
    rows_.scan(leaving_.back(), leaving_.back(), [&](std::string_view key, std::string_view) {
      keys.emplace_back(key);
      return keys.size() < kLeavingRowsPerStep;
    });
    for (const std::string& key : keys) rows_.erase(key);
    if (keys.size() < kLeavingRowsPerStep) {
      leaving_.pop_back();
      moved_ = true;
    }
  }
  return taken;
}

void BusinessData::load() {
  const std::string* const row = rows_.get(references_key());
  if (row == nullptr) return;
  std::optional<ReferencesState> state = decode_references(*row);
  SPUR_CHECK(state.has_value());
  records.counts() = {state->records.begin(), state->records.end()};
  leaving_ = std::move(state->leaving);
  changes.load(*state);
}

void BusinessData::save() {
  const bool moved = records.moved() | changes.moved() | moved_;
  if (!moved) return;
  moved_ = false;
  ReferencesState state;
  state.records.assign(records.counts().begin(), records.counts().end());
  state.leaving = leaving_;
  changes.save(state);
  rows_.put(references_key(), encode_references(state));
}

}  // namespace spur
