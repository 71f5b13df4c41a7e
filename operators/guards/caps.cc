#include "operators/guards/caps.h"

#include <algorithm>

#include "fmt/format.h"

namespace spur::guards {
namespace {

using catalog::Class;

// How many of `sent` lie in (now − per, now].
std::int64_t count_in(const Sent& sent, Instant now, Millis per) {
  const auto after = std::upper_bound(sent.times.begin(), sent.times.end(), now - per);
  return std::upper_bound(after, sent.times.end(), now) - after;
}

template <typename Counts>
Answer ask(const Turn& turn, const std::vector<catalog::Cap>& caps, const char* whose, Counts counts) {
  if (turn.customer.rare == nullptr) {
    for (const catalog::Cap& cap : caps) {
      if (cap.max <= 0) return Answer::no("cap", fmt::format("{} cap 0", whose));
    }
    return Answer::yes();
  }
  for (const catalog::Cap& cap : caps) {
    std::int64_t n = 0;
    for (const Sent& sent : turn.customer.rare->sent) {
      if (counts(sent)) n += count_in(sent, turn.now, cap.per);
    }
    if (n >= cap.max) {
      return Answer::no("cap", fmt::format("{} sent within {} s, {} cap {}", n, cap.per.count / 1000, whose, cap.max));
    }
  }
  return Answer::yes();
}

// How far back any cap looks that counts this class on this channel.
Millis horizon(const Turn& turn, Class trigger_class, std::uint32_t channel) {
  Millis longest{0};
  for (const catalog::Cap& cap : turn.catalog().channels[channel].caps) longest = std::max(longest, cap.per);
  if (trigger_class == Class::kMarketing) {
    for (const catalog::Cap& cap : turn.catalog().policy.caps) longest = std::max(longest, cap.per);
  }
  return longest;
}

}  // namespace

Answer caps(const Turn& turn, Class trigger_class, std::uint32_t channel) {
  if (trigger_class == Class::kTransactional) return Answer::yes();
  Answer answer = ask(turn, turn.catalog().channels[channel].caps, "channel",
                      [&](const Sent& s) { return s.channel == channel; });
  if (!answer.through() || trigger_class != Class::kMarketing) return answer;
  return ask(turn, turn.catalog().policy.caps, "overall",
             [](const Sent& s) { return s.trigger_class == static_cast<std::uint8_t>(Class::kMarketing); });
}

void count_sent(Turn& turn, Class trigger_class, std::uint32_t channel) {
  if (trigger_class == Class::kTransactional) return;
  const Millis back = horizon(turn, trigger_class, channel);
  if (back.count == 0) return;
  std::vector<Sent>& all = turn.customer.more().sent;
  const auto wanted = std::pair(channel, static_cast<std::uint8_t>(trigger_class));
  auto place = std::lower_bound(all.begin(), all.end(), wanted, [](const Sent& s, const auto& at) {
    return std::pair(s.channel, s.trigger_class) < at;
  });
  if (place == all.end() || std::pair(place->channel, place->trigger_class) != wanted) {
    place = all.insert(place, {wanted.first, wanted.second, {}});
  }
  std::vector<Instant>& times = place->times;
  times.erase(times.begin(), std::upper_bound(times.begin(), times.end(), turn.now - back));
  times.insert(std::upper_bound(times.begin(), times.end(), turn.now), turn.now);
  mutate(turn, Tag::kSeen, static_cast<std::uint64_t>(turn.now.ms));
}

void uncount_sent(Turn& turn, Class trigger_class, std::uint32_t channel, Instant at) {
  if (turn.customer.rare == nullptr) return;
  for (Sent& sent : turn.customer.rare->sent) {
    if (sent.channel != channel || sent.trigger_class != static_cast<std::uint8_t>(trigger_class)) continue;
    const auto it = std::find(sent.times.begin(), sent.times.end(), at);
    if (it != sent.times.end()) sent.times.erase(it);
  }
}

}  // namespace spur::guards
