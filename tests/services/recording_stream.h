// The far side of a stream in tests: takes down what is written and answers, as gRPC would, from a thread of its own.
#pragma once

#include <condition_variable>
#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "daemon/grpc/stream.h"

namespace spur::services {

template <typename Response>
class RecordingStream final : public StreamOut<Response> {
 public:
  // `written` is what a write is answered with.
  explicit RecordingStream(std::function<void()> written)
      : written_(std::move(written)), answerer_([this] { answer(); }) {}
  ~RecordingStream() override {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    changed_.notify_all();
    answerer_.join();
  }

  // The client does not take what is written until allow_writes().
  void block_writes() {
    const std::lock_guard lock(mutex_);
    blocked_ = true;
  }
  void allow_writes() {
    {
      const std::lock_guard lock(mutex_);
      blocked_ = false;
    }
    changed_.notify_all();
  }

  // Waits until there are `count` responses; gives those there are after a while.
  std::vector<Response> wait_responses(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kPatience, [&] { return responses_.size() >= count; });
    return responses_;
  }
  bool wait_finished() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return finished_; });
  }
  bool wait_reading() {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kPatience, [&] { return reads_ > 0; });
  }
  // Whether a read is outstanding; taking it makes room for the next.
  bool take_read() {
    const std::lock_guard lock(mutex_);
    if (reads_ == 0) return false;
    --reads_;
    return true;
  }
  std::size_t responses() const {
    const std::lock_guard lock(mutex_);
    return responses_.size();
  }
  std::string reason() const {
    const std::lock_guard lock(mutex_);
    return error_ ? error_->reason : finished_ ? "OK" : "";
  }

  void read() override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(finished_);
    EXPECT_EQ(reads_, 0) << "one read at a time";
    ++reads_;
    changed_.notify_all();
  }
  void write(const Response& response, bool) override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(finished_);
    EXPECT_FALSE(writing_) << "one write at a time";
    writing_ = true;
    responses_.push_back(response);
    changed_.notify_all();
  }
  void finish(const ServiceError* error) override {
    const std::lock_guard lock(mutex_);
    EXPECT_FALSE(finished_) << "the end comes once";
    EXPECT_FALSE(writing_) << "no end during a write";
    if (error != nullptr) error_ = *error;
    finished_ = true;
    changed_.notify_all();
  }

 private:
  static constexpr std::chrono::seconds kPatience{10};

  void answer() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [this] { return closing_ || (writing_ && !blocked_); });
      if (closing_) return;
      writing_ = false;
      lock.unlock();
      written_();
      lock.lock();
    }
  }

  const std::function<void()> written_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Response> responses_;
  std::optional<ServiceError> error_;
  int reads_ = 0;
  bool writing_ = false, blocked_ = false, finished_ = false, closing_ = false;
  std::thread answerer_;
};

}  // namespace spur::services
