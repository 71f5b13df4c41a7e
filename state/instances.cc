#include "state/instances.h"

#include "state/check.h"
#include "state/codec/uuid_text.h"

namespace spur {

std::size_t Instances::size() const { return static_cast<std::size_t>(std::distance(begin(), end())); }

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

void Instances::insert(const Instance& instance) {
  const std::string shortened = shorten_uuid(instance.opened);
  SPUR_CHECK(instance.key.size() + shortened.size() <= 0xffffffff);
  const Iterator::Head head{instance.due.ms,
                            instance.opened_at.ms,
                            instance.trigger,
                            instance.count,
                            static_cast<std::uint32_t>(instance.key.size()),
                            static_cast<std::uint32_t>(shortened.size())};
  std::string record(reinterpret_cast<const char*>(&head), sizeof head);
  record += instance.key;
  record += shortened;
  const Iterator place = lower_bound(instance.trigger, instance.key);
  bytes_.replace(empty() ? 0 : static_cast<std::size_t>(place.at_ - bytes_.data()), 0, record);
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

std::string_view Instances::opened(const View& view, Arena& arena) { return expand_uuid(view.shortened, arena); }

Instance Instances::copy(const View& view) {
  Arena arena;
  return {view.trigger,          view.count, view.opened_at, view.due, std::string(view.key),
          std::string(opened(view, arena))};
}

}  // namespace spur
