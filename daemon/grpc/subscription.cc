#include "daemon/grpc/subscription.h"

#include <algorithm>

#include <fmt/format.h>

#include "state/check.h"

namespace spur::services {

// --- Subscribers ---

void Subscribers::add(const std::shared_ptr<Subscription>& stream) {
  std::optional<ServiceError> ended;
  {
    const std::lock_guard lock(mutex_);
    streams_[stream.get()] = stream;
    ended = ended_;
  }
  if (ended) stream->end(*ended);
}

void Subscribers::claim(std::string_view channel, std::string_view name, const std::shared_ptr<Subscription>& stream) {
  std::shared_ptr<Subscription> old;
  {
    const std::lock_guard lock(mutex_);
    const Subscription*& holder = names_[{std::string(channel), std::string(name)}];
    if (holder == stream.get()) return;
    if (const auto found = streams_.find(holder); found != streams_.end()) old = found->second.lock();
    holder = stream.get();
  }
  if (old == nullptr) return;
  ServiceError why;
  why.code = absl::StatusCode::kAborted;
  why.reason = "REPLACED";
  why.message = fmt::format("another stream subscribed as `{}` to `{}`; only one may", name, channel);
  old->end(why);
}

void Subscribers::remove(const Subscription* stream) {
  const std::lock_guard lock(mutex_);
  streams_.erase(stream);
  for (auto it = names_.begin(); it != names_.end();) {
    it = it->second == stream ? names_.erase(it) : std::next(it);
  }
}

void Subscribers::end_all(const ServiceError& why) {
  std::vector<std::shared_ptr<Subscription>> open;
  {
    const std::lock_guard lock(mutex_);
    ended_ = why;
    for (const auto& [key, stream] : streams_) {
      if (auto alive = stream.lock()) open.push_back(std::move(alive));
    }
  }
  for (const auto& stream : open) stream->end(why);
}

std::size_t Subscribers::size() const {
  const std::lock_guard lock(mutex_);
  return streams_.size();
}

// --- Subscription ---

Subscription::Subscription(const Context& context, Out& out)
    : context_(context), signal_(std::make_shared<Signal>()), out_(&out) {}

Subscription::~Subscription() { context_.subscribers.remove(this); }

void Subscription::Signal::raise(const std::shared_ptr<Signal>& signal) {
  if (signal->posted.exchange(true)) return;
  signal->tasks->post([signal] {
    signal->posted.store(false);  // before reading: what changes from here on is another signal
    if (const auto stream = signal->stream.lock()) stream->pump();
  });
}

void Subscription::start() {
  signal_->stream = weak_from_this();
  signal_->tasks = &context_.tasks;
  context_.subscribers.add(shared_from_this());
  const std::lock_guard lock(mutex_);
  if (out_ != nullptr) out_->read();
}

void Subscription::on_request(const spur::v1::SubscribeRequest& request) {
  std::optional<ServiceError> error = is_open_ ? check_later(request) : open(request);
  const std::lock_guard lock(mutex_);
  if (out_ == nullptr) return;
  if (!error) error = grant(request);
  if (error) return finish_when_written(std::move(error));
  store_next_ack();
  write_next();
  if (out_ != nullptr) out_->read();
}

// The only writer of is_open_ and of what is read-only afterwards: requests come one at a time.
std::optional<ServiceError> Subscription::open(const spur::v1::SubscribeRequest& request) {
  if (request.channel().empty()) {
    return bad_request("CHANNEL_MISSING", "channel", "the first request names a channel of the catalog");
  }
  if (!request.cursor().empty() && request.from_now()) {
    return bad_request("START_AMBIGUOUS", "from_now", "say either where to resume (cursor) or from_now");
  }
  absl::StatusOr<std::string> topic = context_.engine.topic_of(request.channel());
  if (!topic.ok()) {
    ServiceError error = engine_error(topic.status());
    if (error.code == absl::StatusCode::kNotFound) error.reason = "CHANNEL_UNKNOWN";
    return error;
  }
  channel_ = request.channel();
  subscriber_ = request.subscriber();
  topic_ = *std::move(topic);
  // The name first: the stream that had it stores no ack behind the cursor that is read next.
  if (!subscriber_.empty()) context_.subscribers.claim(channel_, subscriber_, shared_from_this());
  absl::StatusOr<std::string> cursor = start_cursor(request);
  if (!cursor.ok()) return engine_error(cursor.status());
  std::unique_ptr<ActionWatch> watch =
      context_.engine.watch_actions(topic_, [signal = signal_] { Signal::raise(signal); });

  const std::lock_guard lock(mutex_);
  if (out_ == nullptr) return std::nullopt;  // ended meanwhile; `watch` goes with the scope
  watch_ = std::move(watch);
  cursor_ = *std::move(cursor);
  delivered_ = &context_.counters.actions_delivered.at(channel_);
  acks_ = &context_.counters.action_acks.at(channel_);
  open_streams_ = &context_.counters.subscribers.at(channel_);
  open_streams_->add(1);
  is_open_ = true;
  return std::nullopt;
}

absl::StatusOr<std::string> Subscription::start_cursor(const spur::v1::SubscribeRequest& request) const {
  if (!request.cursor().empty()) return request.cursor();
  if (!subscriber_.empty()) {
    absl::StatusOr<std::string> stored = context_.engine.stored_cursor(subscriber_, channel_);
    if (!stored.ok() || !stored->empty()) return stored;
  }
  return request.from_now() ? context_.engine.end_cursor(topic_) : std::string();
}

std::optional<ServiceError> Subscription::check_later(const spur::v1::SubscribeRequest& request) const {
  const auto refused = [](std::string_view field) {
    return bad_request("FIRST_REQUEST_ONLY", field, fmt::format("`{}` may stand in the first request only", field));
  };
  if (!request.channel().empty() && request.channel() != channel_) return refused("channel");
  if (!request.subscriber().empty() && request.subscriber() != subscriber_) return refused("subscriber");
  if (!request.cursor().empty()) return refused("cursor");
  if (request.from_now()) return refused("from_now");
  return std::nullopt;
}

std::optional<ServiceError> Subscription::grant(const spur::v1::SubscribeRequest& request) {
  if (credits_ + request.credits() > kCreditsMax) {
    return bad_request("CREDITS_TOO_MANY", "credits",
                       fmt::format("more than {} credits are not used yet", kCreditsMax));
  }
  credits_ += request.credits();
  if (request.ack().empty()) return std::nullopt;
  if (subscriber_.empty()) {
    return bad_request("SUBSCRIBER_MISSING", "ack", "only a named subscriber has a stored cursor to move");
  }
  if (request.ack().size() > kCursorBytesMax) {
    return bad_request("CURSOR_INVALID", "ack", "that is no cursor that this daemon gave");
  }
  ack_wanted_ = request.ack();
  return std::nullopt;
}

// --- actions ---

void Subscription::pump() {
  std::string cursor;
  std::uint32_t want = 0;
  {
    const std::lock_guard lock(mutex_);
    if (out_ == nullptr || !is_open_ || is_ending_) return;
    maybe_more_ = true;
    if (is_reading_actions_ || !buffer_.empty() || credits_ == 0) return;  // whoever ends that looks at maybe_more_
    maybe_more_ = false;
    is_reading_actions_ = true;
    cursor = cursor_;
    want = static_cast<std::uint32_t>(std::min<std::uint64_t>(credits_, kBatchMax));
  }
  absl::StatusOr<std::vector<ActionDelivery>> actions = context_.engine.read_actions(topic_, cursor, want);
  const std::lock_guard lock(mutex_);
  is_reading_actions_ = false;
  if (out_ == nullptr || is_ending_) return;
  if (!actions.ok()) return finish_when_written(engine_error(actions.status()));
  if (!actions->empty()) {
    cursor_ = actions->back().cursor;
    if (actions->size() == want) maybe_more_ = true;
    buffer_.insert(buffer_.end(), std::make_move_iterator(actions->begin()), std::make_move_iterator(actions->end()));
  }
  write_next();
}

void Subscription::write_next() {
  if (out_ == nullptr || is_writing_) return;
  if (is_ending_) return finish(ending_error_ ? &*ending_error_ : nullptr);
  if (acked_) {
    writing_.set_acked(*std::move(acked_));
    acked_.reset();
    is_writing_ = true;
    return out_->write(writing_, !buffer_.empty());
  }
  if (!buffer_.empty()) {
    SPUR_CHECK(credits_ > 0);
    --credits_;
    spur::v1::Delivery& delivery = *writing_.mutable_delivery();
    delivery.mutable_action()->Swap(&buffer_.front().action);
    delivery.set_cursor(std::move(buffer_.front().cursor));
    buffer_.pop_front();
    delivered_->add();
    is_writing_ = true;
    return out_->write(writing_, !buffer_.empty());
  }
  if (all_done()) return finish(nullptr);
  if (is_open_ && maybe_more_ && credits_ > 0 && !is_reading_actions_) Signal::raise(signal_);
}

bool Subscription::all_done() const {
  return half_closed_ && (credits_ == 0 || !is_open_) && !is_storing_ack_ && !ack_wanted_;
}

void Subscription::on_written() {
  const std::lock_guard lock(mutex_);
  is_writing_ = false;
  write_next();
}

// --- acks ---

void Subscription::store_next_ack() {
  if (is_storing_ack_ || !ack_wanted_) return;
  is_storing_ack_ = true;
  context_.tasks.post([self = shared_from_this(), cursor = *std::move(ack_wanted_)] { self->store_ack(cursor); });
  ack_wanted_.reset();
}

void Subscription::store_ack(const std::string& cursor) {
  // The engine refuses bytes that are no cursor. One too old to be resumed from is a cursor all the same.
  context_.engine.store_cursor(subscriber_, channel_, cursor, [self = shared_from_this(), cursor](absl::Status status) {
    self->context_.tasks.post([self, cursor, status = std::move(status)] { self->ack_stored(cursor, status); });
  });
}

void Subscription::ack_stored(const std::string& cursor, const absl::Status& status) {
  const std::lock_guard lock(mutex_);
  is_storing_ack_ = false;
  if (out_ == nullptr) return;
  if (!status.ok()) return finish_when_written(engine_error(status));
  acks_->add();
  acked_ = cursor;
  store_next_ack();
  write_next();
}

// --- the end ---

void Subscription::on_half_closed() {
  const std::lock_guard lock(mutex_);
  half_closed_ = true;
  write_next();
}

void Subscription::on_cancelled() {
  const std::lock_guard lock(mutex_);
  finish_when_written(std::nullopt);
}

void Subscription::end(const ServiceError& why) {
  const std::lock_guard lock(mutex_);
  finish_when_written(why);
}

void Subscription::finish_when_written(std::optional<ServiceError> error) {
  if (out_ == nullptr || is_ending_) return;
  is_ending_ = true;
  ending_error_ = std::move(error);
  buffer_.clear();
  write_next();
}

void Subscription::finish(const ServiceError* error) {
  out_->finish(error);
  out_ = nullptr;
  watch_.reset();  // waits for the engine's call under way, which takes no lock of ours
  buffer_.clear();
  if (open_streams_ != nullptr) open_streams_->add(-1);
  open_streams_ = nullptr;
  context_.subscribers.remove(this);
}

}  // namespace spur::services
