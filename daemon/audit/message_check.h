// MessageCheck: one partition of the messages between shards (docs/protocol.md rule 13). Each
// sender numbers what it sends to a receiver without a hole; a repeat is dropped, and one that
// comes too early is skipped until its sender has sent what is before it again.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "daemon/audit/findings.h"
#include "daemon/log/log.h"

namespace spur::audit {

class MessageCheck {
 public:
  // `whole`: the partition is kept from its beginning, so that numbers begin at 1.
  explicit MessageCheck(std::string place, bool whole) : place_(std::move(place)), whole_(whole) {}

  void message(Offset at, std::uint32_t sender, std::uint64_t number);
  // Holes that nothing has filled.
  void finish(Findings& findings) const;

  std::uint64_t records() const { return records_; }
  std::uint64_t repeats() const { return repeats_; }

 private:
  struct Sender {
    std::uint64_t taken = 0, highest = 0;
    Offset highest_at = 0;
  };
  const std::string place_;
  const bool whole_;
  std::map<std::uint32_t, Sender> senders_;
  std::uint64_t records_ = 0, repeats_ = 0;
};

}  // namespace spur::audit
