// ReadOnlyLog: the part of a Log that changes something, refused. A Log that only reads derives
// from it and has the rest to write.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "daemon/log/log.h"

namespace spur::audit {

class ReadOnlyLog : public Log {
 public:
  Discovery discover(std::uint32_t, std::span<const InputTopic>) override {
    return {{}, refusal()};
  }
  void follow(std::uint32_t, std::span<const Following>) override {}
  void unfollow(std::uint32_t) override {}
  absl::Status poll(std::uint32_t, std::uint32_t, Offset, const PollLimits&, InputBatch&) override {
    return refusal();
  }
  void folded(std::uint32_t, std::uint32_t, Offset) override {}
  absl::StatusOr<std::vector<Offset>> append_inputs(std::span<const InputAppend>,
                                                    std::function<void(absl::Status)>) override {
    return refusal();
  }
  void append_catalog(std::string, std::string,
                      std::function<void(absl::StatusOr<Offset>)> done) override {
    done(refusal());
  }
  void append(JournalAppend append) override { append.done(refusal()); }
  absl::StatusOr<Offset> append_and_wait(JournalAppend) override { return refusal(); }
  void release(std::uint32_t, std::uint64_t) override {}
  absl::Status resume(std::uint32_t, std::uint64_t, std::uint64_t, std::vector<UnsentRun>,
                      std::vector<Spilled>) override {
    return refusal();
  }
  std::vector<UnsentRun> unsent(std::uint32_t, std::uint64_t) const override { return {}; }
  absl::Status trim(std::uint32_t, const Trim&) override { return refusal(); }
  // What an audit reads of effects it reads record by record.
  absl::StatusOr<std::vector<StoredAction>> read_actions(std::string_view, std::uint32_t,
                                                         std::uint64_t, std::uint32_t) override {
    return refusal();
  }
  absl::StatusOr<ActionRange> action_range(std::string_view, std::uint32_t) const override {
    return refusal();
  }
  absl::StatusOr<std::vector<std::string>> decisions_of(std::string_view, std::uint32_t) override {
    return refusal();
  }
  absl::StatusOr<std::vector<std::string>> decisions(std::uint32_t, std::uint64_t,
                                                     std::uint32_t) override {
    return refusal();
  }
  absl::StatusOr<std::vector<std::string>> dead_letters(std::uint32_t, std::uint32_t) override {
    return refusal();
  }
  void store_cursor(std::string_view, std::string_view, std::string_view,
                    std::function<void(absl::Status)> done) override {
    if (done) done(refusal());
  }
  absl::StatusOr<std::string> stored_cursor(std::string_view, std::string_view) const override {
    return refusal();
  }
  void watch(Watcher) override {}
  absl::Status status() const override { return absl::OkStatus(); }
  std::uint64_t disk_bytes() const override { return 0; }
  std::uint64_t commits() const override { return 0; }
  void abandon() override {}
  absl::Status close() override { return absl::OkStatus(); }

 private:
  static absl::Status refusal() {
    return absl::FailedPreconditionError("this log was opened for reading only");
  }
};

}  // namespace spur::audit
