// What callers ask of the engine: publish, read actions, ask a shard, apply a catalog.
#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/strings/str_cat.h"
#include "daemon/cursor.h"
#include "daemon/engine_impl.h"
#include "daemon/history.h"
#include "daemon/inputs/decoder.h"
#include "daemon/inputs/record.h"
#include "daemon/reason.h"
#include "daemon/sources.h"
#include "operators/catalog/compiled.h"
#include "operators/catalog/retire.h"
#include "operators/tell.h"
#include "state/check.h"

namespace spur {
namespace {

absl::string_view absl_view(std::string_view text) { return {text.data(), text.size()}; }

// Of a subscriber, a channel or a customer, as callers may name one: they become parts of keys. A
// customer's id has at most 1,024 bytes (InputLimits), and its kind stands before it.
constexpr std::size_t kNameBytesMax = 256;
constexpr std::uint32_t kHistoriesMax = 8;  // questions about the past, waiting or under way
constexpr std::size_t kCustomerBytesMax = 2048;

absl::Status check_names(std::string_view subscriber, std::string_view channel) {
  if (!subscriber.empty() && subscriber.size() <= kNameBytesMax &&
      channel.size() <= kNameBytesMax) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("a subscriber's and a channel's name have 1 to ", kNameBytesMax, " bytes"));
}

template <typename Message>
absl::StatusOr<std::vector<Message>> parse_all(absl::StatusOr<std::vector<std::string>> stored) {
  if (!stored.ok()) return stored.status();
  std::vector<Message> messages(stored->size());
  for (std::size_t i = 0; i < stored->size(); ++i) {
    if (!messages[i].ParseFromString((*stored)[i]))
      return absl::DataLossError("a stored message is damaged");
  }
  return messages;
}

// Events on their way into the log, each at the shard of its customer. A batch becomes its calls.
class Routing {
 public:
  Routing(const catalog::Compiled& catalog, const Log& log, std::vector<Published>& published)
      : catalog_(catalog),
        shards_(log.shards()),
        copies_for_all_(log.copies_for_all()),
        published_(published),
        warm_(warm()) {
    inputs_.reserve(published.size());
    events_.reserve(published.size());
    warm_.arena.reset();
  }

  void add(std::size_t index, const EventToPublish& event) {
    // Of a Source that the catalog lacks it goes by the first, to a dead letter of its own.
    const std::int32_t found = catalog_.find_source(event.source);
    const auto source = static_cast<std::uint32_t>(found == catalog::kNone ? 0 : found);
    // When the log takes it is not known yet, and nothing here depends on it; nor on any field.
    static const EventSchema kNoFields;
    warm_.decoder.decode(
        {event.bytes, {}, kInstantMin}, catalog_.sources[source], kNoFields, source,
        [&](const Decoded& decoded, std::string_view bytes) {
          const bool whole =
              bytes.data() == event.bytes.data() && bytes.size() == event.bytes.size();
          append(index, event.source, whole ? event.bytes : warm_.arena.copy(bytes), decoded);
        });
  }

  // A record of business data goes to every shard; of one that is refused one copy is appended, and
  // is a dead letter of whoever takes it. Only a Reference that is full is told of by each shard.
  void add_record(std::size_t index, std::uint32_t reference, const EventToPublish& record) {
    Published& published = published_[index];
    InputAppend input;
    input.source = record.source;
    input.value = record.bytes;
    const std::variant<Value, Malformed> decoded = warm_.records.decode(record.bytes, warm_.arena);
    if (const auto* malformed = std::get_if<Malformed>(&decoded)) {
      published.dead_letter_reason = to_text(malformed->reason);
    } else {
      const RecordRead read =
          read_record(catalog_, warm_.arena, catalog_.business_data[reference],
                      std::get<Value>(decoded), /*key=*/{}, /*received=*/kInstantMax);
      input.key = read.key;
      published.dead_letter_reason = read.reason;
    }
    const std::uint32_t copies = published.dead_letter_reason.empty() ? copies_for_all_ : 1;
    for (input.shard = 0; input.shard < copies; ++input.shard) {
      inputs_.push_back(input);
      events_.push_back(index);
      published.shard = input.shard;
    }
  }

  std::span<const InputAppend> inputs() const { return inputs_; }
  std::size_t event_of(std::size_t input) const { return events_[input]; }
  std::size_t bytes() const { return bytes_; }

 private:
  // Kept per thread, so that routing allocates little. One Routing at a time on each.
  struct Warm {
    Decoder decoder;
    RecordDecoder records;
    Arena arena;  // what the inputs' views point to, beside the events' own bytes
  };
  static Warm& warm() {
    thread_local Warm warm;
    return warm;
  }

  void append(std::size_t index, std::string_view source, std::string_view bytes,
              const Decoded& decoded) {
    InputAppend& input = inputs_.emplace_back();
    events_.push_back(index);
    bytes_ += bytes.size();
    input.source = source;
    input.value = bytes;
    Published& published = published_[index];
    if (const auto* event = std::get_if<Event>(&decoded)) {
      input.key = warm_.arena.copy(event->customer().key());
      input.shard = shard_of(input.key, shards_);
    } else {
      // Kept as a dead letter, where its bytes happen to lead, so that a flood of them is spread.
      if (published.dead_letter_reason.empty())
        published.dead_letter_reason = std::string(to_text(std::get<Malformed>(decoded).reason));
      input.shard = shard_of(input.value, shards_);
    }
    published.shard = input.shard;
  }

  const catalog::Compiled& catalog_;
  const std::uint32_t shards_, copies_for_all_;
  std::vector<Published>& published_;
  Warm& warm_;
  std::vector<InputAppend> inputs_;
  std::vector<std::size_t> events_;  // by input
  std::size_t bytes_ = 0;
};

}  // namespace

// --- publish ---

absl::Status EngineImpl::intake_refused() const {
  {
    const std::lock_guard lock(health_mutex_);
    if (!failure_.ok())
      return absl::UnavailableError(absl::StrCat("the engine has failed: ", failure_.message()));
  }
  if (intake_stopped_) return absl::UnavailableError("the engine is shutting down");
  return absl::OkStatus();
}

void EngineImpl::publish(std::span<const EventToPublish> events, PublishDone done) {
  if (absl::Status refused = intake_refused(); !refused.ok()) return done(refused);
  const auto current = current_catalog();
  if (current == nullptr) {
    return done(absl::FailedPreconditionError(
        "no catalog was applied yet: events cannot be decided; apply one first"));
  }
  if (events.empty()) return done(std::vector<Published>());

  auto published = std::make_shared<std::vector<Published>>(events.size());
  Routing routing(*current->compiled, *log_, *published);
  for (std::size_t i = 0; i < events.size(); ++i) {
    const std::int32_t reference = current->compiled->find_reference(events[i].source);
    if (reference == catalog::kNone)
      routing.add(i, events[i]);
    else
      routing.add_record(i, static_cast<std::uint32_t>(reference), events[i]);
    if (routing.bytes() > kPublishSplitBytesMax) {
      return done(absl::InvalidArgumentError(
          absl::StrCat("the batches of this request are more than ", kPublishSplitBytesMax >> 20,
                       " MiB of calls with what they say for all; send them in several requests")));
    }
  }
  // The callback may run before append_inputs() returns; both sides have to be there for an answer
  // to be whole.
  struct Meeting {
    std::atomic<int> arrived{0};
    absl::Status durable;
    PublishDone done;
  };
  auto meeting = std::make_shared<Meeting>();
  meeting->done = std::move(done);
  const auto finish = [meeting, published] {
    if (meeting->arrived.fetch_add(1) == 0) return;
    if (meeting->durable.ok())
      meeting->done(std::move(*published));
    else
      meeting->done(meeting->durable);
  };
  const auto offsets =
      log_->append_inputs(routing.inputs(), [meeting, finish](absl::Status status) {
        meeting->durable = std::move(status);
        finish();
      });
  if (!offsets.ok()) {
    if (absl::IsResourceExhausted(offsets.status())) refused_ += events.size();
    return meeting->done(offsets.status());
  }
  published_ += events.size();
  // A log that only learns them with the acknowledgement gives none.
  for (std::size_t i = 0; i < offsets->size(); ++i)
    (*published)[routing.event_of(i)].offset = (*offsets)[i];
  finish();
}

// --- actions ---

absl::StatusOr<std::string> EngineImpl::topic_of(std::string_view channel) const {
  const auto current = current_catalog();
  if (current != nullptr) {
    for (const catalog::Channel& candidate : current->compiled->channels) {
      if (candidate.name == channel) return candidate.topic;
    }
  }
  return absl::NotFoundError(absl::StrCat("the catalog has no channel ", absl_view(channel)));
}

absl::StatusOr<std::vector<std::uint64_t>> EngineImpl::positions(std::string_view topic,
                                                                 std::string_view cursor) const {
  if (!cursor.empty()) {
    auto next = decode_cursor(log_->deployment(), shards(), cursor);
    if (!next) return absl::InvalidArgumentError("the cursor is none of this deployment");
    return *std::move(next);
  }
  std::vector<std::uint64_t> next;
  for (std::uint32_t shard = 0; shard < shards(); ++shard) {
    const absl::StatusOr<ActionRange> range = log_->action_range(topic, shard);
    if (!range.ok()) return range.status();
    next.push_back(range->first);
  }
  return next;
}

absl::StatusOr<std::vector<ActionDelivery>> EngineImpl::read_actions(std::string_view topic,
                                                                     std::string_view cursor,
                                                                     std::uint32_t max) {
  if (topic.size() > kNameBytesMax)
    return std::vector<ActionDelivery>();  // no catalog has such a topic
  auto next = positions(topic, cursor);
  if (!next.ok()) return next.status();
  std::vector<ActionDelivery> deliveries;
  // A fair share of each shard first, then whatever is there; whose turn is first moves on with the
  // cursor.
  const std::uint32_t shards = this->shards();
  const auto first = static_cast<std::uint32_t>(
      std::accumulate(next->begin(), next->end(), std::uint64_t{0}) % shards);
  for (const std::uint32_t share : {(max + shards - 1) / shards, max}) {
    for (std::uint32_t i = 0; i < shards && deliveries.size() < max; ++i) {
      const std::uint32_t shard = (first + i) % shards;
      const auto room =
          static_cast<std::uint32_t>(std::min<std::size_t>(share, max - deliveries.size()));
      auto stored = log_->read_actions(topic, shard, (*next)[shard], room);
      if (!stored.ok()) return stored.status();
      for (const StoredAction& action : *stored) {
        ActionDelivery& delivery = deliveries.emplace_back();
        if (!delivery.action.ParseFromString(action.bytes))
          return absl::DataLossError("a stored action is damaged");
        (*next)[shard] = action.spurseq + 1;
        delivery.cursor = encode_cursor(log_->deployment(), *next);
      }
    }
  }
  return deliveries;
}

absl::StatusOr<std::string> EngineImpl::end_cursor(std::string_view topic) const {
  std::vector<std::uint64_t> next;
  for (std::uint32_t shard = 0; shard < shards(); ++shard) {
    const absl::StatusOr<ActionRange> range = log_->action_range(topic, shard);
    if (!range.ok()) return range.status();
    next.push_back(range->next);
  }
  return encode_cursor(log_->deployment(), next);
}

class EngineImpl::Watch final : public ActionWatch {
 public:
  Watch(EngineImpl& engine, std::string_view topic, std::function<void()> changed)
      : engine_(engine), changed_(std::move(changed)) {
    const std::lock_guard lock(engine_.watch_mutex_);
    place_ = engine_.watches_.emplace(std::string(topic), this);
  }
  ~Watch() override {
    const std::lock_guard lock(engine_.watch_mutex_);
    engine_.watches_.erase(place_);
  }
  void call() const { changed_(); }

 private:
  EngineImpl& engine_;
  const std::function<void()> changed_;
  std::multimap<std::string, Watch*, std::less<>>::iterator place_;
};

std::unique_ptr<ActionWatch> EngineImpl::watch_actions(std::string_view topic,
                                                       std::function<void()> changed) {
  return std::make_unique<Watch>(*this, topic, std::move(changed));
}

void EngineImpl::actions_released(const std::string& topic) {
  // Under the lock: a watch that is being destroyed waits here until its call is over.
  const std::lock_guard lock(watch_mutex_);
  const auto [begin, end] = watches_.equal_range(topic);
  for (auto watch = begin; watch != end; ++watch) watch->second->call();
}

void EngineImpl::store_cursor(std::string_view subscriber, std::string_view channel,
                              std::string_view cursor, std::function<void(absl::Status)> done) {
  if (absl::Status names = check_names(subscriber, channel); !names.ok()) return done(names);
  if (!cursor.empty() && !decode_cursor(log_->deployment(), shards(), cursor)) {
    return done(absl::InvalidArgumentError("the cursor is none of this deployment"));
  }
  log_->store_cursor(subscriber, channel, cursor, std::move(done));
}

absl::StatusOr<std::string> EngineImpl::stored_cursor(std::string_view subscriber,
                                                      std::string_view channel) const {
  if (absl::Status names = check_names(subscriber, channel); !names.ok()) return names;
  return log_->stored_cursor(subscriber, channel);
}

// --- questions ---

void EngineImpl::with_shard(std::uint32_t shard, std::function<void(const ShardView&)> ask,
                            std::function<void(absl::Status)> answered) {
  if (shard >= shards())
    return answered(absl::InvalidArgumentError(absl::StrCat("there is no shard ", shard)));
  LiveShard* live = live_[shard];
  if (live->phase() != ShardPhase::kLive) {
    return answered(absl::UnavailableError(
        absl::StrCat("shard ", shard, " is ", std::string(to_text(live->phase())))));
  }
  // `answered` is shared: when the question is refused it is called here, and the task that holds
  // it is gone.
  const auto answer = std::make_shared<std::function<void(absl::Status)>>(std::move(answered));
  const bool taken = worker_of(shard).post_question(
      [live, ask = std::move(ask), answer] { live->ask(ask, *answer); });
  if (!taken)
    (*answer)(
        absl::ResourceExhaustedError("too many questions wait for this shard; try again shortly"));
}

void EngineImpl::ask_history(HistoryQuestion question, std::function<void(absl::Status)> answered) {
  if (question.shard >= shards())
    return answered(absl::InvalidArgumentError(absl::StrCat("there is no shard ", question.shard)));
  if (intake_stopped_) return answered(absl::UnavailableError("shutting down"));
  if (histories_asked_.fetch_add(1) >= kHistoriesMax) {
    --histories_asked_;
    return answered(with_reason(
        absl::ResourceExhaustedError("too many questions about the past wait already; they are "
                                     "answered one by one, so try again in a few seconds"),
        "QUESTIONS_TOO_MANY"));
  }
  // Called once, also if the task is dropped with the threads.
  const auto answer = std::shared_ptr<std::function<void(absl::Status)>>(
      new std::function<void(absl::Status)>(std::move(answered)),
      [](std::function<void(absl::Status)>* left) {
        if (*left) (*left)(absl::UnavailableError("shutting down"));
        delete left;
      });
  histories_->run([this, question = std::move(question), answer] {
    HistorySetup setup;
    setup.log = log_.get();
    setup.catalogs = &catalogs_;
    setup.snapshots = snapshots_.get();
    setup.rocks = rocks_.get();
    setup.folder = options_.directory + "/history";
    setup.memory_bytes_max = options_.state_memory_bytes_max / 4;
    setup.cancelled = [this] { return intake_stopped_.load(); };
    const absl::Status folded = fold_history(setup, question);
    --histories_asked_;
    std::exchange(*answer, nullptr)(folded);
  });
}

absl::StatusOr<std::vector<spur::v1::Decision>> EngineImpl::decisions_of(std::string_view customer,
                                                                         std::uint32_t limit) {
  if (customer.size() > kCustomerBytesMax)
    return std::vector<spur::v1::Decision>();  // nobody has such a name
  return parse_all<spur::v1::Decision>(log_->decisions_of(customer, limit));
}

absl::StatusOr<std::vector<spur::v1::Decision>> EngineImpl::decisions(std::uint32_t shard,
                                                                      std::uint64_t from_run,
                                                                      std::uint32_t max) {
  if (shard >= shards())
    return absl::InvalidArgumentError(absl::StrCat("there is no shard ", shard));
  return parse_all<spur::v1::Decision>(log_->decisions(shard, from_run, max));
}

absl::StatusOr<std::vector<spur::v1::DeadLetter>> EngineImpl::dead_letters(std::uint32_t shard,
                                                                           std::uint32_t max) {
  if (shard >= shards())
    return absl::InvalidArgumentError(absl::StrCat("there is no shard ", shard));
  return parse_all<spur::v1::DeadLetter>(log_->dead_letters(shard, max));
}

// --- catalog ---

std::shared_ptr<const CatalogInForce> EngineImpl::current_catalog() const {
  const std::lock_guard lock(catalog_mutex_);
  return current_;
}

void EngineImpl::apply_catalog(const spur::v1::Catalog& catalog, std::string_view comment,
                               std::function<void(absl::StatusOr<CatalogApplied>)> done) {
  if (absl::Status refused = intake_refused(); !refused.ok()) return done(refused);
  const auto current = current_catalog();
  // Instances that are open keep the version of the trigger that opened them.
  spur::v1::Catalog with_earlier =
      catalog::with_retired(catalog, current == nullptr ? spur::v1::Catalog() : current->catalog);
  catalog::CompileResult compiled = catalog::complete_and_compile(with_earlier);
  CatalogApplied applied;
  applied.errors = std::move(compiled.errors);
  applied.warnings = std::move(compiled.warnings);
  if (compiled.compiled == nullptr) return done(std::move(applied));
  const std::vector<InputTopic> topics = topics_of(compiled.compiled.get());
  if (absl::Status refused = log_->check_topics(topics); !refused.ok())
    return done(std::move(refused));
  applied.hash.assign(compiled.compiled->hash.begin(), compiled.compiled->hash.end());
  if (current != nullptr && current->hash == applied.hash) return done(std::move(applied));
  applied.changed = true;
  auto next = std::make_shared<CatalogInForce>();
  next->catalog = with_earlier;
  next->compiled = std::move(compiled.compiled);
  next->hash = applied.hash;
  log_->append_catalog(
      with_earlier.SerializeAsString(), std::string(comment),
      [this, next, applied, done = std::move(done)](absl::StatusOr<Offset> offset) {
        if (!offset.ok()) return done(offset.status());
        next->version = *offset + 1;
        {
          const std::lock_guard lock(catalog_mutex_);
          // Two that were applied at once: the later in the log is in force.
          if (current_ == nullptr || current_->version < next->version) current_ = next;
        }
        done(applied);
        health_changed();
      });
}

}  // namespace spur
