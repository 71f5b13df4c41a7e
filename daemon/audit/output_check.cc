#include "daemon/audit/output_check.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace spur::audit {

OutputCheck::OutputCheck(std::string place, const Scope& scope, Next next, Findings& findings)
    : scope_(scope),
      next_(std::move(next)),
      findings_(findings),
      last_number_(scope.number_before) {
  counts_.place = std::move(place);
}

void OutputCheck::add(Kind kind, const OutputRecord& record, const std::string& what) {
  findings_.add(kind, counts_.place,
                absl::StrCat("offset ", record.at, ": ", to_text(record.id), " ", what));
}

absl::StatusOr<const OutputRecord*> OutputCheck::peek() {
  while (!ahead_ && !ended_) {
    absl::StatusOr<std::optional<OutputRecord>> next = next_();
    if (!next.ok()) return next.status();
    if (!next->has_value()) {
      ended_ = true;
      break;
    }
    const OutputRecord& record = **next;
    ++counts_.records;
    if (!record.ours) {
      findings_.add(Kind::kForeign, counts_.place,
                    absl::StrCat("offset ", record.at, ": ", record.says));
    } else if (record.id.run < scope_.run_first) {
      continue;
    } else if (record.id.run > scope_.run_last) {
      // A run is released once it counts: who sees its effect finds it in the journal.
      if (record.at < scope_.counted_below)
        add(Kind::kRunDoesNotCount, record,
            absl::StrCat("is of a run behind the journal's last, ", scope_.run_last));
      else
        ++counts_.newer;
    } else if (last_ && record.id <= *last_) {
      repeat(record);
    } else {
      ahead_ = std::move(**next);
    }
  }
  return ahead_ ? &*ahead_ : nullptr;
}

void OutputCheck::repeat(const OutputRecord& record) {
  const auto seen = std::lower_bound(seen_.begin(), seen_.end(), record.id,
                                     [](const Seen& s, const ActionId& id) { return s.id < id; });
  if (seen != seen_.end() && seen->id == record.id) {
    ++counts_.repeats;
    if (scope_.repeats_wrong) add(Kind::kRepeated, record, "stands there a second time");
    if (seen->content != record.content)
      add(Kind::kContentDiffers, record, "is a repeat that says something else");
  } else if (!seen_.empty() && record.id < seen_.front().id) {
    ++counts_.repeats;  // of one too long ago to compare
    if (scope_.repeats_wrong) add(Kind::kRepeated, record, "comes long behind itself");
  } else {
    add(Kind::kOutOfOrder, record,
        absl::StrCat("comes behind ", to_text(*last_), ": channels drop it as a repeat"));
  }
}

void OutputCheck::accept(const OutputRecord& record) {
  if (scope_.numbered) {
    if (last_number_ && record.number != *last_number_ + 1)
      add(Kind::kNumberHole, record,
          absl::StrCat("has spurseq ", record.number, " behind ", *last_number_));
    last_number_ = record.number;
  }
  last_ = record.id;
  seen_.push_back({record.id, record.content});
  if (seen_.size() > kRemembered) seen_.pop_front();
}

void OutputCheck::absent(const Expected& expected, bool at_end) {
  if (scope_.floor && expected.id < *scope_.floor) {
    ++counts_.expired;
  } else if (at_end && !scope_.settled && expected.id.run > scope_.acked_through) {
    ++counts_.waiting;
  } else {
    findings_.add(Kind::kMissing, counts_.place,
                  absl::StrCat(to_text(expected.id),
                               scope_.numbered ? absl::StrCat(", spurseq ", expected.number) : "",
                               at_end ? ": the topic ends before it"
                                      : ": the topic goes on behind it without it"));
  }
}

absl::Status OutputCheck::expect(const Expected& expected) {
  ++counts_.expected;
  for (;;) {
    const absl::StatusOr<const OutputRecord*> next = peek();
    if (!next.ok()) return next.status();
    if (*next == nullptr || (*next)->id > expected.id) {
      absent(expected, *next == nullptr);
      return absl::OkStatus();
    }
    const OutputRecord record = *std::exchange(ahead_, std::nullopt);
    if (record.id < expected.id) {
      add(Kind::kUndecided, record, "was decided by no run");
      continue;
    }
    if (record.content != expected.content)
      add(Kind::kContentDiffers, record, "says something else than replay");
    if (record.number != expected.number)
      add(Kind::kNumberDiffers, record,
          absl::StrCat("has spurseq ", record.number, ", replay gave ", expected.number));
    ++counts_.matched;
    accept(record);
    return absl::OkStatus();
  }
}

absl::Status OutputCheck::finish() {
  for (;;) {
    const absl::StatusOr<const OutputRecord*> next = peek();
    if (!next.ok()) return next.status();
    if (*next == nullptr) return absl::OkStatus();
    add(Kind::kUndecided, *std::exchange(ahead_, std::nullopt), "was decided by no run");
  }
}

absl::Status OutputCheck::drain() {
  for (;;) {
    const absl::StatusOr<const OutputRecord*> next = peek();
    if (!next.ok()) return next.status();
    if (*next == nullptr) return absl::OkStatus();
    accept(*std::exchange(ahead_, std::nullopt));
  }
}

std::optional<ActionId> floor_of(const std::vector<OutputRecord>& first) {
  std::optional<ActionId> floor, highest;
  for (const OutputRecord& record : first) {
    if (!record.ours) continue;
    if (!highest) {
      floor = highest = record.id;
    } else if (record.id <= *highest) {
      floor = highest;
    } else {
      highest = record.id;
    }
  }
  return floor;
}

}  // namespace spur::audit
