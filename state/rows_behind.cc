#include "state/rows_behind.h"

#include <algorithm>
#include <utility>

#include "absl/container/btree_map.h"
#include "absl/container/flat_hash_map.h"
#include "state/check.h"
#include "state/digest.h"

namespace spur {
namespace {

// nullopt: erased.
using Layer = absl::btree_map<std::string, std::optional<std::string>, std::less<>>;

std::size_t bytes_of(std::string_view key, const std::optional<std::string>& value) {
  constexpr std::size_t kNodeBytes = 80;  // two texts in a tree, as they lie
  return key.size() + (value ? value->size() : 0) + kNodeBytes;
}

struct HashOfKey {
  using is_transparent = void;
  std::size_t operator()(std::string_view key) const { return hash64(key); }
};

// The part of a layer that a scan goes through.
struct Stretch {
  Stretch(const Layer& layer, std::string_view prefix, std::string_view from)
      : at(layer.lower_bound(std::max(prefix, from))), end(layer.end()), begins(prefix) {}
  bool here() const { return at != end && std::string_view(at->first).starts_with(begins); }

  Layer::const_iterator at, end;
  std::string_view begins;
};

}  // namespace

struct RowsBehind::Impl {
  explicit Impl(Store& backing) : store(backing) {}

  Store& store;
  absl::Status status;
  Layer changed, frozen;
  Layer::const_iterator next;  // of the frozen: the first that is not in the batch
  std::size_t changed_bytes = 0, frozen_bytes = 0;
  absl::flat_hash_map<std::string, std::optional<std::string>, HashOfKey, std::equal_to<>> read;
  std::size_t read_bytes = 0;

  void set(std::string_view key, std::optional<std::string> value) {
    if (const auto it = read.find(key); it != read.end()) {
      read_bytes -= bytes_of(it->first, it->second);
      read.erase(it);
    }
    const auto [at, is_new] = changed.try_emplace(std::string(key));
    if (!is_new) changed_bytes -= bytes_of(at->first, at->second);
    at->second = std::move(value);
    changed_bytes += bytes_of(at->first, at->second);
  }
};

RowsBehind::RowsBehind(Store& store) : impl_(std::make_unique<Impl>(store)) {}
RowsBehind::~RowsBehind() = default;

const std::string* RowsBehind::get(std::string_view key) {
  const auto found = [](const std::optional<std::string>& row) { return row ? &*row : nullptr; };
  for (const Layer* layer : {&impl_->changed, &impl_->frozen}) {
    if (layer->empty()) continue;
    if (const auto it = layer->find(key); it != layer->end()) return found(it->second);
  }
  if (const auto it = impl_->read.find(key); it != impl_->read.end()) return found(it->second);
  absl::StatusOr<std::optional<std::string>> stored = impl_->store.get(key);
  if (!stored.ok()) {
    if (impl_->status.ok()) impl_->status = stored.status();
    return nullptr;
  }
  if (impl_->read_bytes > kReadBytesMax) {
    impl_->read.clear();
    impl_->read_bytes = 0;
  }
  const auto it = impl_->read.emplace(std::string(key), *std::move(stored)).first;
  impl_->read_bytes += bytes_of(it->first, it->second);
  return found(it->second);
}

void RowsBehind::put(std::string_view key, std::string value) { impl_->set(key, std::move(value)); }
void RowsBehind::erase(std::string_view key) { impl_->set(key, std::nullopt); }

void RowsBehind::scan(std::string_view prefix, std::string_view from,
                      const std::function<bool(std::string_view, std::string_view)>& row) {
  Stretch changed(impl_->changed, prefix, from), frozen(impl_->frozen, prefix, from);
  bool more = true;
  // The rows in memory that come before `key`, which then stands in the store; all, if it is
  // nullptr. Answers whether one of them has `key` itself.
  const auto until = [&](const std::string_view* key) {
    bool covered = false;
    while (more && (changed.here() || frozen.here())) {
      const bool newer =
          changed.here() && (!frozen.here() || changed.at->first <= frozen.at->first);
      const Layer::const_iterator at = newer ? changed.at : frozen.at;
      if (key != nullptr && at->first > *key) break;
      covered = covered || (key != nullptr && at->first == *key);
      if (newer && frozen.here() && frozen.at->first == at->first) ++frozen.at;
      ++(newer ? changed.at : frozen.at);
      if (at->second) more = row(at->first, *at->second);
    }
    return covered;
  };
  const absl::Status read = impl_->store.scan_from(
      prefix, std::max(prefix, from), [&](std::string_view key, std::string_view value) {
        if (!until(&key) && more) more = row(key, value);
        return more;
      });
  if (!read.ok() && impl_->status.ok()) impl_->status = read;
  until(nullptr);
}

void RowsBehind::freeze() {
  SPUR_CHECK(impl_->frozen.empty());
  impl_->frozen = std::exchange(impl_->changed, {});
  impl_->frozen_bytes = std::exchange(impl_->changed_bytes, 0);
  impl_->next = impl_->frozen.begin();
}

bool RowsBehind::add_to(StoreBatch& batch, std::size_t& rows_max) {
  for (; rows_max > 0 && impl_->next != impl_->frozen.end(); ++impl_->next, --rows_max) {
    const auto& [key, value] = *impl_->next;
    if (value) {
      batch.puts.emplace_back(key, *value);
    } else {
      batch.deletes.push_back(key);
    }
  }
  return impl_->next == impl_->frozen.end();
}

bool RowsBehind::let_go(std::size_t& rows_max) {
  auto last = impl_->frozen.cbegin();
  for (; rows_max > 0 && last != impl_->frozen.cend(); ++last, --rows_max)
    impl_->frozen_bytes -= bytes_of(last->first, last->second);
  impl_->frozen.erase(impl_->frozen.cbegin(), last);
  return impl_->frozen.empty();
}

std::size_t RowsBehind::frozen_count() const { return impl_->frozen.size(); }

std::size_t RowsBehind::unwritten_bytes() const {
  return impl_->changed_bytes + impl_->frozen_bytes;
}

const absl::Status& RowsBehind::status() const { return impl_->status; }

}  // namespace spur
