#include "state/aggregates/keyed.h"

#include <algorithm>
#include <vector>

#include "state/codec/byte_io.h"
#include "state/codec/value_codec.h"

namespace spur {
namespace {

constexpr std::uint8_t kVersion = 1;

struct Entry {
  std::string key;
  std::int64_t newest = 0;  // time of its newest event
  Aggregate aggregate;
};

}  // namespace

// A sorted vector, not a tree: a customer has few keys, and what is compared lies side by side.
struct KeyedAggregates::State {
  std::vector<Entry> entries;
  std::uint64_t dropped = 0;

  std::vector<Entry>::iterator place_of(std::string_view key) {
    return std::lower_bound(entries.begin(), entries.end(), key,
                            [](const Entry& e, std::string_view text) { return e.key < text; });
  }
  bool holds(std::vector<Entry>::iterator at, std::string_view key) {
    return at != entries.end() && at->key == key;
  }

  void drop_oldest() {
    entries.erase(
        std::min_element(entries.begin(), entries.end(),
                         [](const Entry& a, const Entry& b) { return a.newest < b.newest; }));
    dropped += 1;
  }
};

KeyedAggregates::KeyedAggregates() = default;
KeyedAggregates::KeyedAggregates(KeyedAggregates&&) noexcept = default;
KeyedAggregates& KeyedAggregates::operator=(KeyedAggregates&&) noexcept = default;
KeyedAggregates::~KeyedAggregates() = default;
KeyedAggregates::KeyedAggregates(const KeyedAggregates& other)
    : state_(other.state_ ? std::make_unique<State>(*other.state_) : nullptr) {}
KeyedAggregates& KeyedAggregates::operator=(const KeyedAggregates& other) {
  if (this != &other) state_ = other.state_ ? std::make_unique<State>(*other.state_) : nullptr;
  return *this;
}

Aggregate::Added KeyedAggregates::add(const AggregateSpec& spec, std::string_view key, Instant time,
                                      Instant now, const Value& of, Digest& digest) {
  if (state_) {
    if (const auto at = state_->place_of(key); state_->holds(at, key)) {
      const Aggregate::Added added = at->aggregate.add(spec, time, now, of, digest);
      if (added != Aggregate::Added::kYes) return added;
      at->newest = std::max(at->newest, time.ms);
      digest.add(0, key);
      return added;
    }
  }
  Aggregate fresh;
  const Aggregate::Added added = fresh.add(spec, time, now, of, digest);
  if (added != Aggregate::Added::kYes) return added;
  digest.add(0, key);
  if (!state_) state_ = std::make_unique<State>();
  state_->entries.insert(state_->place_of(key), Entry{std::string(key), time.ms, std::move(fresh)});
  if (state_->entries.size() > kKeysMax) state_->drop_oldest();
  return added;
}

const Aggregate* KeyedAggregates::find(std::string_view key) const {
  if (!state_) return nullptr;
  const auto at = state_->place_of(key);
  return state_->holds(at, key) ? &at->aggregate : nullptr;
}

Value KeyedAggregates::read(const AggregateSpec& spec, std::string_view key, Member member,
                            Instant now, Arena& arena) const {
  const Aggregate* aggregate = find(key);
  return aggregate == nullptr ? Aggregate().read(spec, member, now, arena)
                              : aggregate->read(spec, member, now, arena);
}

std::span<const Value> KeyedAggregates::keys(Arena& arena) const {
  const std::span<Value> keys = arena.array<Value>(size());
  for (std::size_t i = 0; i < keys.size(); ++i)
    keys[i] = Value::string(arena.copy(state_->entries[i].key));
  return keys;
}

std::size_t KeyedAggregates::size() const { return state_ ? state_->entries.size() : 0; }

void KeyedAggregates::advance(const AggregateSpec& spec, Instant now) {
  if (!state_) return;
  for (Entry& entry : state_->entries) entry.aggregate.advance(spec, now);
  std::erase_if(state_->entries, [](const Entry& entry) { return entry.aggregate.empty(); });
  if (state_->entries.empty() && state_->dropped == 0) state_.reset();
}

Instant KeyedAggregates::next_change(const AggregateSpec& spec, Instant now) const {
  Instant next = Instant::never();
  if (!state_) return next;
  for (const Entry& entry : state_->entries)
    next = std::min(next, entry.aggregate.next_change(spec, now));
  return next;
}

void KeyedAggregates::clear() { state_.reset(); }

void KeyedAggregates::erase(std::string_view key) {
  if (!state_) return;
  if (const auto at = state_->place_of(key); state_->holds(at, key)) state_->entries.erase(at);
  if (state_->entries.empty() && state_->dropped == 0) state_.reset();
}

std::uint64_t KeyedAggregates::overflowed() const {
  if (!state_) return 0;
  std::uint64_t sum = state_->dropped;
  for (const Entry& entry : state_->entries) sum += entry.aggregate.overflowed();
  return sum;
}

void KeyedAggregates::encode(const AggregateSpec& spec, std::string& out) const {
  ByteWriter writer(out);
  writer.u8(kVersion);
  writer.varint(state_ ? state_->dropped : 0);
  writer.varint(size());
  std::string bytes;
  for (std::size_t i = 0; i < size(); ++i) {
    const Entry& entry = state_->entries[i];
    bytes.clear();
    entry.aggregate.encode(spec, bytes);
    writer.text(entry.key);
    writer.varint(static_cast<std::uint64_t>(entry.newest));
    writer.text(bytes);
  }
}

bool KeyedAggregates::decode(const AggregateSpec& spec, std::string_view bytes) {
  state_.reset();
  ByteReader in(bytes);
  if (in.u8() != kVersion) return false;
  auto state = std::make_unique<State>();
  state->dropped = in.varint();
  const std::size_t count = in.count(4);
  if (count > kKeysMax) return false;
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    Entry entry;
    entry.key = in.text();
    entry.newest =
        static_cast<std::int64_t>(in.varint_max(static_cast<std::uint64_t>(kInstantMax.ms)));
    const bool valid =
        entry.aggregate.decode(spec, in.text()) && !entry.aggregate.empty() && is_utf8(entry.key);
    if (!valid || (i > 0 && state->entries.back().key >= entry.key)) return false;
    state->entries.push_back(std::move(entry));
  }
  if (!in.done()) return false;
  if (count > 0 || state->dropped > 0) state_ = std::move(state);
  return true;
}

std::size_t KeyedAggregates::memory_bytes() const {
  if (!state_) return 0;
  std::size_t bytes = sizeof(State) + state_->entries.capacity() * sizeof(Entry);
  for (const Entry& entry : state_->entries) {
    bytes += entry.aggregate.memory_bytes();
    if (entry.key.size() >= 16)
      bytes += entry.key.capacity() + 1;  // beyond what a string keeps inside
  }
  return bytes;
}

}  // namespace spur
