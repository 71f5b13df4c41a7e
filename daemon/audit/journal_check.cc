#include "daemon/audit/journal_check.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "daemon/log/journal_codec.h"
#include "state/digest.h"

namespace spur::audit {

JournalCheck::JournalCheck(std::string place, const DeploymentId& deployment,
                           std::optional<JournalStand> from, Findings& findings)
    : place_(std::move(place)),
      deployment_(deployment.begin(), deployment.end()),
      findings_(findings),
      begun_(from.has_value()),
      reader_(from.value_or(JournalStand())) {}

void JournalCheck::entry(Offset at, std::string_view bytes) {
  ++counts_.entries;
  counts_.bytes += bytes.size();
  const absl::StatusOr<spur::v1::JournalEntry> entry = decode_entry(bytes);
  if (!entry.ok()) {
    findings_.add(Kind::kJournalDamaged, place_,
                  absl::StrCat("entry at offset ", at, ": ", entry.status().message()));
    return;
  }
  if (!begun_) {
    begun_ = true;
    reader_ = JournalReader(entry->has_owner() ? JournalStand{entry->epoch() - 1, entry->seq()}
                                               : JournalStand{entry->epoch(), entry->seq() - 1});
  }
  const std::uint64_t hash = hash64(bytes);
  if (reader_.counts(*entry)) return counted(*entry, hash);
  skipped(at, *entry, hash);
}

void JournalCheck::counted(const spur::v1::JournalEntry& entry, std::uint64_t hash) {
  ++counts_.counted;
  acked_through_ = std::max(acked_through_, entry.acked_through());
  sealed_ = entry.has_seal();
  if (entry.has_run()) ++counts_.runs;
  if (entry.has_owner()) {
    ++counts_.owners;
    recent_.clear();
    if (entry.owner().deployment() != deployment_) {
      findings_.add(
          Kind::kForeignOwner, place_,
          absl::StrCat("the Owner of epoch ", entry.epoch(), " belongs to another deployment"));
    }
    return;
  }
  recent_.emplace_back(entry.seq(), hash);
  if (recent_.size() > kRemembered) recent_.pop_front();
}

void JournalCheck::skipped(Offset at, const spur::v1::JournalEntry& entry, std::uint64_t hash) {
  const JournalStand& stand = reader_.stand();
  if (entry.epoch() > stand.epoch + (entry.has_owner() ? 1 : 0)) {
    findings_.add(Kind::kJournalHole, place_,
                  absl::StrCat("offset ", at, " is of epoch ", entry.epoch(), " behind epoch ",
                               stand.epoch, ": the Owner between is missing"));
  } else if (entry.has_owner()) {
    ++counts_.claims_lost;
  } else if (entry.epoch() < stand.epoch) {
    ++counts_.late;
  } else if (entry.seq() > stand.seq) {
    findings_.add(Kind::kJournalHole, place_,
                  absl::StrCat("offset ", at, " is entry ", entry.seq(), " of epoch ", stand.epoch,
                               " behind entry ", stand.seq, ": what is between is missing"));
  } else {
    ++counts_.repeated;
    const auto same = std::find_if(recent_.begin(), recent_.end(),
                                   [&](const auto& one) { return one.first == entry.seq(); });
    if (same != recent_.end() && same->second != hash) {
      findings_.add(Kind::kJournalFork, place_,
                    absl::StrCat("offset ", at, " is entry ", entry.seq(), " of epoch ",
                                 stand.epoch, " again, with other bytes"));
    }
  }
}

}  // namespace spur::audit
