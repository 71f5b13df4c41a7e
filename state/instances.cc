#include "state/instances.h"

#include "state/check.h"
#include "state/codec/uuid_text.h"

namespace spur {

std::size_t Instances::size() const {
  return static_cast<std::size_t>(std::distance(begin(), end()));
}

Instances::Iterator Instances::lower_bound(std::uint32_t trigger, std::string_view key) const {
  Iterator at = begin();
  for (; at != end(); ++at) {
    if (at.trigger() > trigger || (at.trigger() == trigger && (*at).key >= key)) break;
  }
  return at;
}

bool Instances::contains(std::uint32_t trigger, std::string_view key) const {
  const Iterator at = lower_bound(trigger, key);
  return at != end() && at.trigger() == trigger && (*at).key == key;
}

void Instances::insert(const Instance& i) {
  insert(Fresh{i.trigger, i.count, i.opened_at, i.due, i.key, i.opened});
}

void Instances::insert(const Fresh& fresh) {
  const ShortenedUuid shortened(fresh.opened);
  SPUR_CHECK(fresh.key.size() <= 0xffffffff && shortened.size() <= 0xffffffff);
  const Iterator::Head head{fresh.due.ms,
                            fresh.opened_at.ms,
                            fresh.trigger,
                            fresh.count,
                            static_cast<std::uint32_t>(fresh.key.size()),
                            static_cast<std::uint32_t>(shortened.size())};
  const Iterator place = lower_bound(fresh.trigger, fresh.key);
  const std::size_t at = empty() ? 0 : static_cast<std::size_t>(place.at_ - bytes_.data());
  char* to = bytes_.resize(at, 0, sizeof head + fresh.key.size() + shortened.size());
  std::memcpy(to, &head, sizeof head);
  to += sizeof head;
  if (!fresh.key.empty()) std::memcpy(to, fresh.key.data(), fresh.key.size());
  shortened.write(to + fresh.key.size());
}

Instances::Iterator Instances::erase(Iterator at) {
  const auto offset = static_cast<std::size_t>(at.at_ - bytes_.data());
  Iterator next = at;
  ++next;
  bytes_.replace(offset, static_cast<std::size_t>(next.at_ - at.at_), {});
  return empty() ? end() : Iterator(bytes_.data() + offset);
}

void Instances::restart(Iterator at, std::uint32_t count, Instant due) {
  Iterator::Head head = at.head();
  head.count = count;
  head.due = due.ms;
  std::memcpy(bytes_.data() + (at.at_ - bytes_.data()), &head, sizeof head);
}

std::string_view Instances::opened(const View& view, Arena& arena) {
  return expand_uuid(view.shortened, arena);
}

Instance Instances::copy(const View& view) {
  Arena arena;
  return {view.trigger,          view.count,
          view.opened_at,        view.due,
          std::string(view.key), std::string(opened(view, arena))};
}

}  // namespace spur
