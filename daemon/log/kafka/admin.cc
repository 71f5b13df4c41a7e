#include "daemon/log/kafka/admin.h"

#include <algorithm>
#include <array>
#include <thread>

#include "daemon/log/kafka/text.h"

namespace spur::kafka {
namespace {

// Before asking again; of the ends of a partition more each time, up to kPauseMax.
constexpr std::chrono::milliseconds kPause{20}, kPauseMax{160};
// Of several brokers each may be asked, and one hears of a new topic some milliseconds after
// another. So that it is not there is believed when it was said for so long.
constexpr std::chrono::milliseconds kAbsentAfter{500};
// Of one question about ends: then it is asked who leads.
constexpr std::chrono::milliseconds kEndsAnswerMax{3000};
constexpr int kAnswerMs = static_cast<int>(Admin::kAnswerMax.count());

using NewTopic = std::unique_ptr<rd_kafka_NewTopic_t, Free<rd_kafka_NewTopic_destroy>>;
using Resource = std::unique_ptr<rd_kafka_ConfigResource_t, Free<rd_kafka_ConfigResource_destroy>>;
using DeleteRecords =
    std::unique_ptr<rd_kafka_DeleteRecords_t, Free<rd_kafka_DeleteRecords_destroy>>;
using Options = std::unique_ptr<rd_kafka_AdminOptions_t, Free<rd_kafka_AdminOptions_destroy>>;

struct FreeMetadata {
  void operator()(const rd_kafka_metadata_t* metadata) const {
    rd_kafka_metadata_destroy(metadata);
  }
};
using Metadata = std::unique_ptr<const rd_kafka_metadata_t, FreeMetadata>;

Options options_for(rd_kafka_t* handle, rd_kafka_admin_op_t operation) {
  Options options(rd_kafka_AdminOptions_new(handle, operation));
  std::array<char, 256> error{};
  rd_kafka_AdminOptions_set_request_timeout(options.get(), kAnswerMs, error.data(), error.size());
  return options;
}

absl::StatusOr<Metadata> metadata_of(rd_kafka_t* handle, rd_kafka_topic_t* topic,
                                     std::string_view what,
                                     std::chrono::milliseconds answer_max = Admin::kAnswerMax) {
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto code =
      rd_kafka_metadata(handle, 0, topic, &metadata, static_cast<int>(answer_max.count()));
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return to_status(code, what);
  return Metadata(metadata);
}

// The one answer to an admin request.
absl::StatusOr<Event> answer(rd_kafka_queue_t* queue, std::string_view what) {
  Event event(rd_kafka_queue_poll(queue, kAnswerMs + 1000));
  if (event == nullptr) return absl::UnavailableError(text(what, ": no answer"));
  if (const auto code = rd_kafka_event_error(event.get()); code != RD_KAFKA_RESP_ERR_NO_ERROR)
    return to_status(code, what, rd_kafka_event_error_string(event.get()));
  return event;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Admin>> Admin::open(const Connection& connection, Ends ends) {
  // A consumer's handle: a producer's asks for metadata in a way that creates the topic.
  Settings settings = consumer_settings();
  if (ends == Ends::kEverything) settings.emplace_back("isolation.level", "read_uncommitted");
  absl::StatusOr<Handle> handle = open_consumer(connection, settings);
  if (!handle.ok()) return handle.status();
  return std::unique_ptr<Admin>(new Admin(*std::move(handle)));
}

absl::StatusOr<std::int32_t> Admin::brokers() const {
  const Topic none(rd_kafka_topic_new(handle_.get(), "spur.none", nullptr));
  absl::StatusOr<Metadata> metadata = metadata_of(handle_.get(), none.get(), "asking the cluster");
  if (!metadata.ok()) return metadata.status();
  return (*metadata)->broker_cnt;
}

absl::StatusOr<std::int32_t> Admin::partitions(const std::string& topic) const {
  const std::string what = text("looking for topic ", topic);
  const Topic named(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
  if (named == nullptr) return to_status(rd_kafka_last_error(), what);
  for (std::chrono::milliseconds waited{0};; waited += kPause) {
    absl::StatusOr<Metadata> metadata = metadata_of(handle_.get(), named.get(), what);
    if (!metadata.ok()) return metadata.status();
    const rd_kafka_metadata_topic_t& found = (*metadata)->topics[0];
    if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
        found.err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) {
      if ((*metadata)->broker_cnt <= 1 || waited >= kAbsentAfter) return 0;
      std::this_thread::sleep_for(kPause);
      continue;
    }
    if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR && found.partition_cnt == 0)
      return to_status(found.err, what);
    return found.partition_cnt;
  }
}

absl::Status Admin::create(const TopicSpec& topic) const {
  const std::string what = text("creating topic ", topic.name);
  std::array<char, 256> error{};
  const NewTopic made(rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions, topic.replication,
                                            error.data(), error.size()));
  if (made == nullptr) return absl::InvalidArgumentError(text(what, ": ", error.data()));
  for (const auto& [name, value] : topic.config)
    rd_kafka_NewTopic_set_config(made.get(), name.c_str(), value.c_str());
  const Queue queue(rd_kafka_queue_new(handle_.get()));
  const Options options = options_for(handle_.get(), RD_KAFKA_ADMIN_OP_CREATETOPICS);
  rd_kafka_NewTopic_t* topics[] = {made.get()};
  rd_kafka_CreateTopics(handle_.get(), topics, 1, options.get(), queue.get());
  absl::StatusOr<Event> event = answer(queue.get(), what);
  if (!event.ok()) return event.status();
  std::size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event->get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto code = rd_kafka_topic_result_error(results[i]);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
      continue;
    const char* reason = rd_kafka_topic_result_error_string(results[i]);
    return to_status(code, what, reason == nullptr ? "" : reason);
  }
  // Known to the controller is not yet known to every broker.
  for (std::chrono::milliseconds waited{0}; waited < kAnswerMax; waited += kPause) {
    const absl::StatusOr<std::int32_t> seen = partitions(topic.name);
    if (!seen.ok()) return seen.status();
    if (*seen > 0) return absl::OkStatus();
    std::this_thread::sleep_for(kPause);
  }
  return absl::UnavailableError(text(what, ": created, and not seen"));
}

absl::StatusOr<std::map<std::string, std::string>> Admin::config(const std::string& topic) const {
  for (std::chrono::milliseconds waited{0};; waited += kPause) {
    absl::StatusOr<std::map<std::string, std::string>> settings = ask_config(topic);
    if (!absl::IsNotFound(settings.status()) || waited >= kAbsentAfter) return settings;
    std::this_thread::sleep_for(kPause);
  }
}

absl::StatusOr<std::map<std::string, std::string>> Admin::ask_config(
    const std::string& topic) const {
  const std::string what = text("reading the settings of topic ", topic);
  const Resource resource(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str()));
  const Queue queue(rd_kafka_queue_new(handle_.get()));
  const Options options = options_for(handle_.get(), RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS);
  rd_kafka_ConfigResource_t* resources[] = {resource.get()};
  rd_kafka_DescribeConfigs(handle_.get(), resources, 1, options.get(), queue.get());
  absl::StatusOr<Event> event = answer(queue.get(), what);
  if (!event.ok()) return event.status();
  std::size_t count = 0;
  const rd_kafka_ConfigResource_t** found = rd_kafka_DescribeConfigs_result_resources(
      rd_kafka_event_DescribeConfigs_result(event->get()), &count);
  std::map<std::string, std::string> settings;
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto code = rd_kafka_ConfigResource_error(found[i]);
        code != RD_KAFKA_RESP_ERR_NO_ERROR)
      return to_status(code, what);
    std::size_t entries = 0;
    const rd_kafka_ConfigEntry_t** entry = rd_kafka_ConfigResource_configs(found[i], &entries);
    for (std::size_t k = 0; k < entries; ++k) {
      const char* value = rd_kafka_ConfigEntry_value(entry[k]);
      settings[rd_kafka_ConfigEntry_name(entry[k])] = value == nullptr ? "" : value;
    }
  }
  return settings;
}

absl::Status Admin::find_leader(const std::string& topic, std::int32_t partition,
                                std::string_view what, std::chrono::milliseconds answer_max) const {
  const Topic named(rd_kafka_topic_new(handle_.get(), topic.c_str(), nullptr));
  if (named == nullptr) return to_status(rd_kafka_last_error(), what);
  const absl::StatusOr<Metadata> metadata =
      metadata_of(handle_.get(), named.get(), what, answer_max);
  if (!metadata.ok()) return metadata.status();
  const rd_kafka_metadata_topic_t& found = (*metadata)->topics[0];
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return to_status(found.err, what);
  for (int i = 0; i < found.partition_cnt; ++i) {
    if (found.partitions[i].id != partition) continue;
    return found.partitions[i].leader >= 0
               ? absl::OkStatus()
               : to_status(RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, what);
  }
  return to_status(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, what);
}

// By rd_kafka_offsets_for_times() and not rd_kafka_query_watermark_offsets(), which does not come
// back before its broker does, whatever time it is given (2.0.2).
absl::StatusOr<std::int64_t> Admin::ask_end(const std::string& topic, std::int32_t partition,
                                            std::int64_t which, std::string_view what,
                                            std::chrono::milliseconds answer_max) const {
  const Partitions asked(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_t& one =
      *rd_kafka_topic_partition_list_add(asked.get(), topic.c_str(), partition);
  one.offset = which;  // in the place of a time
  auto code =
      rd_kafka_offsets_for_times(handle_.get(), asked.get(), static_cast<int>(answer_max.count()));
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR) code = one.err;
  if (code == RD_KAFKA_RESP_ERR_NO_ERROR && one.offset < 0)
    code = RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE;
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) return to_status(code, what);
  return one.offset;
}

absl::StatusOr<Kept> Admin::kept(const std::string& topic, std::int32_t partition,
                                 std::chrono::milliseconds answer_max) const {
  const std::string what = text("asking for the ends of ", topic, "[", partition, "]");
  const auto now = [this] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(clock_.read().steady);
  };
  constexpr auto kNever = std::chrono::milliseconds::max();
  const std::chrono::milliseconds until = now() + answer_max;
  std::chrono::milliseconds absent_since = kNever;
  std::chrono::milliseconds pause = kPause;
  for (;;) {
    // Half of what is left: who leads may have to be asked, and then the new one.
    const std::chrono::milliseconds longest =
        std::clamp((until - now()) / 2, kPause, kEndsAnswerMax);
    const absl::StatusOr<std::int64_t> begin =
        ask_end(topic, partition, RD_KAFKA_OFFSET_BEGINNING, what, longest);
    const absl::StatusOr<std::int64_t> end =
        begin.ok() ? ask_end(topic, partition, RD_KAFKA_OFFSET_END, what, longest) : begin;
    if (end.ok()) return Kept{*begin, *end};
    // Whoever does not lead it, or is away, says so in many ways, and so does the client where
    // nobody leads it. That it is not there is believed of the cluster's metadata alone.
    const absl::Status said = end.status();
    if (!absl::IsUnavailable(said) && !absl::IsNotFound(said)) return said;
    if (now() + pause < until) {
      const absl::Status led =
          find_leader(topic, partition, what, std::min(longest, until - now()));
      if (!led.ok() && !absl::IsUnavailable(led) && !absl::IsNotFound(led)) return led;
      absent_since = absl::IsNotFound(led) ? std::min(absent_since, now()) : kNever;
      if (now() - absent_since >= kAbsentAfter) return led;
    }
    if (now() + pause >= until) return absl::UnavailableError(said.message());
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kPauseMax);
  }
}

absl::StatusOr<std::vector<std::int64_t>> Admin::begins(const std::string& topic,
                                                        std::int32_t partitions) const {
  const std::chrono::nanoseconds until = clock_.read().steady + kAnswerMax;
  const Partitions asked(rd_kafka_topic_partition_list_new(partitions));
  for (std::int32_t i = 0; i < partitions; ++i)
    rd_kafka_topic_partition_list_add(asked.get(), topic.c_str(), i)->offset =
        RD_KAFKA_OFFSET_BEGINNING;  // in the place of a time: what the protocol calls the earliest
  const auto code = rd_kafka_offsets_for_times(handle_.get(), asked.get(),
                                               static_cast<int>(kEndsAnswerMax.count()));
  std::vector<std::int64_t> begins;
  for (int i = 0; i < asked->cnt; ++i) {
    const rd_kafka_topic_partition_t& found = asked->elems[i];
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && found.err == RD_KAFKA_RESP_ERR_NO_ERROR &&
        found.offset >= 0) {
      begins.push_back(found.offset);
      continue;
    }
    // It may be between two leaders: asked alone, for as long as that takes.
    const absl::StatusOr<Kept> alone =
        kept(topic, found.partition,
             std::chrono::duration_cast<std::chrono::milliseconds>(until - clock_.read().steady));
    if (!alone.ok()) return alone.status();
    begins.push_back(alone->begin);
  }
  return begins;
}

absl::Status Admin::delete_below(const std::string& topic, std::int32_t partition,
                                 std::int64_t offset) const {
  const std::string what = text("trimming ", topic, "[", partition, "]");
  Partitions below(rd_kafka_topic_partition_list_new(1));
  rd_kafka_topic_partition_list_add(below.get(), topic.c_str(), partition)->offset = offset;
  const DeleteRecords request(rd_kafka_DeleteRecords_new(below.get()));
  const Queue queue(rd_kafka_queue_new(handle_.get()));
  const Options options = options_for(handle_.get(), RD_KAFKA_ADMIN_OP_DELETERECORDS);
  rd_kafka_DeleteRecords_t* requests[] = {request.get()};
  rd_kafka_DeleteRecords(handle_.get(), requests, 1, options.get(), queue.get());
  absl::StatusOr<Event> event = answer(queue.get(), what);
  if (!event.ok()) return event.status();
  const rd_kafka_topic_partition_list_t* result =
      rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event->get()));
  for (int i = 0; i < result->cnt; ++i) {
    if (result->elems[i].err == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    find_leader(topic, partition, what, kEndsAnswerMax).IgnoreError();  // for the next time
    return to_status(result->elems[i].err, what);
  }
  return absl::OkStatus();
}

}  // namespace spur::kafka
