#include "operators/forward.h"

namespace spur {

void forward(ShardState& state, std::uint32_t to, std::string_view customer, const Origin& origin,
             Effects& effects) {
  Forward message;
  message.to = to;
  message.seq = ++state.sent[to];
  message.catalogs = state.generation;
  message.source = std::string(origin.source_name);
  message.topic = std::string(origin.topic);
  message.key = std::string(origin.key);
  message.value = std::string(origin.bytes);
  message.received = origin.received;
  message.headers = std::string(origin.headers);
  state.digest.add(static_cast<std::uint64_t>(Tag::kForward), to);
  state.digest.add(static_cast<std::uint64_t>(Tag::kForward), message.seq);
  state.digest.add(static_cast<std::uint64_t>(Tag::kForward), customer);
  ++state.counters.forwarded;
  effects.forwards.push_back(std::move(message));
}

Arrival arrive(ShardState& state, std::uint32_t sender, std::uint64_t seq) {
  std::uint64_t& last = state.accepted[sender];
  if (seq <= last) {
    ++state.counters.messages_repeated;
    return Arrival::kRepeat;
  }
  if (seq > last + 1) {
    ++state.counters.messages_skipped;
    return Arrival::kGap;
  }
  last = seq;
  state.digest.add(static_cast<std::uint64_t>(Tag::kArrival), sender);
  state.digest.add(static_cast<std::uint64_t>(Tag::kArrival), seq);
  return Arrival::kTake;
}

}  // namespace spur
