#include "daemon/log/kafka/publisher.h"

#include <utility>

#include "daemon/log/kafka/text.h"

namespace spur::kafka {

absl::Status Publisher::open_session() {
  absl::StatusOr<std::shared_ptr<Session>> session =
      Session::open(connection_, producer_settings(), &pump_,
                    [this](const Session&, void* call, const Session::Standing& at) {
                      acked(static_cast<Call*>(call), at.offset);
                    });
  if (!session.ok()) return session.status();
  session_ = *std::move(session);
  return absl::OkStatus();
}

absl::StatusOr<rd_kafka_topic_t*> Publisher::topic(const std::string& name) {
  Topic& found = topics_[name];
  if (found == nullptr) {
    absl::StatusOr<Topic> made = session_->topic(name);
    if (!made.ok()) return made.status();
    found = *std::move(made);
  }
  return found.get();
}

absl::Status Publisher::publish(const std::vector<Record>& records, Done done) {
  std::size_t bytes = 0;
  for (const Record& record : records) {
    const std::size_t size = record.key.size() + record.value.size();
    if (size > kRecordBytesMax)
      return absl::InvalidArgumentError(text("a record of ", size, " bytes for ", record.topic,
                                             "; at most ", kRecordBytesMax, " are taken"));
    bytes += size;
  }
  std::unique_lock lock(mutex_);
  if (abandoned_) return absl::UnavailableError("the log has stopped");
  if (bytes_ + bytes > kInFlightBytesMax)
    return absl::ResourceExhaustedError("Kafka is slower than what is published; try again");
  if (session_ == nullptr) {
    if (absl::Status opened = open_session(); !opened.ok()) return opened;
  }
  auto call = std::make_unique<Call>();
  call->done = std::move(done);
  call->left = records.size();
  call->bytes = bytes;
  bytes_ += bytes;
  Call* const opaque = call.get();
  calls_.emplace(opaque, std::move(call));
  for (const Record& record : records) {
    absl::StatusOr<rd_kafka_topic_t*> to = topic(record.topic);
    Session::Record out;
    out.key = record.key;
    out.value = record.value;
    out.has_key = !record.key.empty();
    out.opaque = opaque;
    if (record.ce_type != nullptr) {
      out.headers.reset(rd_kafka_headers_new(1));
      rd_kafka_header_add(out.headers.get(), "ce_type", -1, record.ce_type, -1);
    }
    const absl::Status sent =
        to.ok() ? session_->send(*to, record.partition, std::move(out)) : to.status();
    if (!sent.ok()) {
      session_->fail(sent);
      lock.unlock();
      pump_.wake();  // the session has ended; serve() answers
      break;
    }
  }
  return absl::OkStatus();
}

void Publisher::acked(Call* call, std::int64_t offset) {
  std::unique_ptr<Call> complete;
  {
    const std::lock_guard lock(mutex_);
    call->last = std::max(call->last, static_cast<Offset>(std::max<std::int64_t>(offset, 0)));
    if (--call->left > 0) return;
    bytes_ -= call->bytes;
    const auto found = calls_.find(call);
    complete = std::move(found->second);
    calls_.erase(found);
  }
  if (complete->done) complete->done(complete->last);
}

bool Publisher::idle() const {
  const std::lock_guard lock(mutex_);
  return calls_.empty();
}

void Publisher::abandon() {
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
  }
  pump_.wake();
}

std::chrono::nanoseconds Publisher::serve() {
  std::shared_ptr<Session> session;
  {
    const std::lock_guard lock(mutex_);
    session = session_;
  }
  if (session == nullptr) return Pump::kNothingDue;
  session->serve();
  std::map<Call*, std::unique_ptr<Call>> failed;
  absl::Status why;
  {
    const std::lock_guard lock(mutex_);
    if (!session->ended() && !abandoned_) return Pump::kNothingDue;
    why = abandoned_ ? absl::UnavailableError("the log has stopped")
                     : absl::UnknownError(text("some of it may stand: ", session->why().message()));
    failed.swap(calls_);
    bytes_ = 0;
    topics_.clear();
    session_.reset();
  }
  session->purge();
  errands_.run([ended = std::exchange(session, nullptr)]() mutable { ended.reset(); });
  for (const auto& [key, call] : failed) {
    if (call->done) call->done(why);
  }
  return Pump::kNothingDue;
}

}  // namespace spur::kafka
