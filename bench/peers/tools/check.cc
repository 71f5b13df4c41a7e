// Counts what a read_committed reader sees in an action topic: per trigger, and the order-free
// checksum sum over actions of crc32(trigger|userId|time) mod 2^64, which reference.py prints too.
//
//   check --bootstrap B --topic actions.email [--partitions 4] [--shape peers|spur]
//
// `spur` reads the records as a channel of Spur gets them (format json): customer "user_id:U",
// triggers with hyphens, and drops a repeat by the record's `spurseq`, as the channel rule says
// (one number a partition); repeats are counted.
#include <unistd.h>
#include <zlib.h>

#include <string_view>

#include "bench/peers/tools/common.h"

namespace {

std::string_view field(std::string_view value, const std::string& name) {
  const std::string key = "\"" + name + "\":\"";
  const std::size_t at = value.find(key);
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + key.size();
  return value.substr(begin, value.find('"', begin) - begin);
}

// The number that a channel keeps; 0: the record has none.
std::uint64_t spurseq(const rd_kafka_message_t* message) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return 0;
  const void* value = nullptr;
  std::size_t size = 0;
  if (rd_kafka_header_get_last(headers, "ce_spurseq", &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return 0;
  return std::strtoull(std::string(static_cast<const char*>(value), size).c_str(), nullptr, 10);
}

struct Seen {
  std::map<std::string, std::int64_t> by_trigger;
  std::uint64_t checksum = 0;
  std::int64_t actions = 0, repeats = 0, holes = 0, bytes = 0;
};

void take(std::string_view value, bool spur, Seen& seen) {
  std::string trigger(field(value, "trigger"));
  std::string_view user = field(value, spur ? "customer" : "userId");
  if (spur) {
    std::replace(trigger.begin(), trigger.end(), '-', '_');
    user.remove_prefix(std::min(user.size(), user.find(':') + 1));
  }
  const std::string_view time = field(value, "time");
  const std::string key = trigger + "|" + std::string(user) + "|" + std::string(time);
  seen.checksum += crc32(0, reinterpret_cast<const Bytef*>(key.data()), key.size());
  ++seen.by_trigger[trigger];
  ++seen.actions;
  seen.bytes += static_cast<std::int64_t>(value.size());
}

}  // namespace

int main(int argc, char** argv) {
  const Args args(argc, argv);
  const std::string topic = args.str("topic", "actions.email");
  const int partitions = static_cast<int>(args.num("partitions", 4));
  const bool spur = args.str("shape", "peers") == "spur";
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  set(conf, "bootstrap.servers", args.str("bootstrap", "127.0.0.1:9092"));
  set(conf, "group.id", "check");
  set(conf, "isolation.level", "read_committed");
  set(conf, "enable.auto.commit", "false");
  set(conf, "enable.partition.eof", "true");
  rd_kafka_t* consumer = make(RD_KAFKA_CONSUMER, conf);
  rd_kafka_poll_set_consumer(consumer);
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
  for (int p = 0; p < partitions; ++p)
    rd_kafka_topic_partition_list_add(list, topic.c_str(), p)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(consumer, list);
  Seen seen;
  std::map<int, std::uint64_t> last;
  for (int ended = 0; ended < partitions;) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer, 10'000);
    if (message == nullptr) {
      std::fprintf(stderr, "check: no answer within 10 s\n");
      return 1;
    }
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      ++ended;
    } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      std::fprintf(stderr, "check: %s\n", rd_kafka_message_errstr(message));
    } else {
      bool repeat = false;
      if (const std::uint64_t seq = spur ? spurseq(message) : 0; seq != 0) {
        std::uint64_t& highest = last[message->partition];
        repeat = seq <= highest;
        if (seq > highest + 1) ++seen.holes;
        highest = std::max(highest, seq);
      }
      if (repeat)
        ++seen.repeats;
      else
        take({static_cast<const char*>(message->payload), message->len}, spur, seen);
    }
    rd_kafka_message_destroy(message);
  }
  std::printf(
      "{\"actions\":%lld,\"checksum\":%llu,\"mean_bytes\":%.0f,\"repeats\":%lld,\"holes\":%lld",
      static_cast<long long>(seen.actions), static_cast<unsigned long long>(seen.checksum),
      seen.actions == 0 ? 0.0 : static_cast<double>(seen.bytes) / static_cast<double>(seen.actions),
      static_cast<long long>(seen.repeats), static_cast<long long>(seen.holes));
  for (const auto& [trigger, count] : seen.by_trigger)
    std::printf(",\"%s\":%lld", trigger.c_str(), static_cast<long long>(count));
  std::printf("}\n");
  std::fflush(stdout);
  _exit(0);  // the consumer's close would wait for a group that it never joined
}
