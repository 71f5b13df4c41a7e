#include "state/instances.h"

#include <algorithm>
#include <utility>

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

Instances::Iterator Instances::find(std::uint32_t trigger, std::string_view key) const {
  const Iterator at = lower_bound(trigger, key);
  return at != end() && at.trigger() == trigger && (*at).key == key ? at : end();
}

std::size_t Instances::count(std::uint32_t trigger) const {
  std::size_t count = 0;
  for (Iterator at = lower_bound(trigger, ""); at != end() && at.trigger() == trigger; ++at)
    ++count;
  return count;
}

std::size_t Instances::bytes_of(const Fresh& fresh, const ShortenedUuid& shortened) {
  return sizeof(Iterator::Head) + fresh.key.size() + shortened.size();
}

void Instances::write(const Fresh& fresh, const ShortenedUuid& shortened, char* to) {
  SPUR_CHECK(fresh.key.size() <= 0xffffffff && shortened.size() <= 0xffffffff);
  const Iterator::Head head{fresh.due.ms,
                            fresh.opened_at.ms,
                            fresh.trigger,
                            fresh.count,
                            static_cast<std::uint32_t>(fresh.key.size()),
                            static_cast<std::uint32_t>(shortened.size())};
  std::memcpy(to, &head, sizeof head);
  to += sizeof head;
  if (!fresh.key.empty()) std::memcpy(to, fresh.key.data(), fresh.key.size());
  shortened.write(to + fresh.key.size());
}

Instances Instances::of(std::vector<Fresh> waits) {
  std::sort(waits.begin(), waits.end(), [](const Fresh& a, const Fresh& b) {
    return std::pair(a.trigger, a.key) < std::pair(b.trigger, b.key);
  });
  std::size_t bytes = 0;
  for (const Fresh& wait : waits) bytes += bytes_of(wait, ShortenedUuid(wait.opened));
  Instances all;
  char* to = all.bytes_.resize(0, 0, bytes);
  for (const Fresh& wait : waits) {
    const ShortenedUuid shortened(wait.opened);
    write(wait, shortened, to);
    to += bytes_of(wait, shortened);
  }
  return all;
}

void Instances::insert(const Fresh& fresh) {
  const ShortenedUuid shortened(fresh.opened);
  const Iterator place = lower_bound(fresh.trigger, fresh.key);
  const std::size_t at = empty() ? 0 : static_cast<std::size_t>(place.at_ - bytes_.data());
  write(fresh, shortened, bytes_.resize(at, 0, bytes_of(fresh, shortened)));
}

Instances::Iterator Instances::erase(Iterator at) {
  const auto offset = static_cast<std::size_t>(at.at_ - bytes_.data());
  Iterator next = at;
  ++next;
  bytes_.replace(offset, static_cast<std::size_t>(next.at_ - at.at_), {});
  return empty() ? end() : Iterator(bytes_.data() + offset);
}

void Instances::restart(Iterator at, std::uint32_t count, Instant opened_at, Instant due) {
  Iterator::Head head = at.head();
  head.opened_at = opened_at.ms;
  head.count = count;
  head.due = due.ms;
  std::memcpy(bytes_.data() + (at.at_ - bytes_.data()), &head, sizeof head);
}

std::string_view Instances::opened(const View& view, Arena& arena) {
  return expand_uuid(view.shortened, arena);
}

}  // namespace spur
