// The floor: a bare librdkafka consume -> produce echo (no state, no parsing, no exactly-once). Two
// uses:
//   latency floor:     echo --in-topic I --out-topic O            (runs until killed; produces each
//   value as it is) throughput floor:  echo --in-topic I --out-topic O --from-start 1 --events
//   2000004 --warm 400000 --broker-pid P [--every 6]
//                      prints CPU seconds from the 400 000th event to the last; --every k echoes
//                      only each k-th event.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

#include "bench/peers/tools/common.h"
static double cpu() {
  rusage r;
  getrusage(RUSAGE_SELF, &r);
  return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}
int main(int argc, char** argv) {
  Args a(argc, argv);
  std::string in = a.str("in-topic", "events"), out = a.str("out-topic", "actions.email"),
              bs = a.str("bootstrap", "127.0.0.1:9092");
  bool start = a.num("from-start", 0);
  int64_t total = a.num("events", 0), warm = a.num("warm", 400000), every = a.num("every", 1);
  auto* cc = rd_kafka_conf_new();
  set(cc, "bootstrap.servers", bs);
  set(cc, "group.id", "echo");
  set(cc, "enable.auto.commit", "false");
  set(cc, "fetch.wait.max.ms", "500");
  set(cc, "socket.nagle.disable", "true");
  set(cc, "queued.max.messages.kbytes", "65536");
  set(cc, "check.crcs", "false");
  auto* ck = make(RD_KAFKA_CONSUMER, cc);
  rd_kafka_poll_set_consumer(ck);
  auto* q = rd_kafka_queue_get_consumer(ck);
  auto* l = rd_kafka_topic_partition_list_new(4);
  for (int p = 0; p < 4; p++) {
    int64_t lo, hi;
    if (rd_kafka_query_watermark_offsets(ck, in.c_str(), p, &lo, &hi, 10000)) return 1;
    rd_kafka_topic_partition_list_add(l, in.c_str(), p)->offset = start ? lo : hi;
  }
  rd_kafka_assign(ck, l);
  auto* pc = rd_kafka_conf_new();
  set(pc, "bootstrap.servers", bs);
  set(pc, "linger.ms", start ? "5" : "0");
  set(pc, "acks", "all");
  set(pc, "enable.idempotence", "true");
  set(pc, "socket.nagle.disable", "true");
  set(pc, "queue.buffering.max.messages", "1000000");
  auto* pk = make(RD_KAFKA_PRODUCER, pc);
  auto* pt = rd_kafka_topic_new(pk, out.c_str(), nullptr);
  std::vector<rd_kafka_message_t*> ms(2000);
  int64_t n = 0;
  double c0 = 0;
  int64_t t0 = 0;
  for (;;) {
    // consume_batch_queue(timeout > 0) waits for a FULL batch or the timeout (measured: 50 ms at
    // p50 with 100 ms), so block for the first message alone and take what else is there
    auto* first = rd_kafka_consume_queue(q, 100);
    if (!first) {
      rd_kafka_poll(pk, 0);
      continue;
    }
    ms[0] = first;
    ssize_t k =
        1 + std::max<ssize_t>(0, rd_kafka_consume_batch_queue(q, 0, ms.data() + 1, ms.size() - 1));
    for (ssize_t i = 0; i < k; i++) {
      auto* m = ms[i];
      if (!m->err) {
        if (++n == warm) {
          c0 = cpu();
          t0 = now_ns();
        }
        if (n % every == 0) {
          size_t len = start ? (m->len < 250 ? m->len : 250) : m->len;
          while (rd_kafka_produce(pt, m->partition, RD_KAFKA_MSG_F_COPY, m->payload, len, m->key,
                                  m->key_len, nullptr) == -1)
            rd_kafka_poll(pk, 5);
        }
      }
      rd_kafka_message_destroy(m);
    }
    rd_kafka_poll(pk, 0);
    if (total && n >= total) break;
  }
  rd_kafka_flush(pk, 30000);
  double c = cpu() - c0, w = (now_ns() - t0) / 1e9;
  int64_t d = n - warm;
  printf(
      "{\"engine\":\"echo\",\"every\":%lld,\"events\":%lld,\"wall_s\":%.2f,\"cpu_s\":%.2f,\"us_per_"
      "event\":%.3f,\"events_per_cpu_s\":%.0f}\n",
      (long long)every, (long long)d, w, c, c / d * 1e6, d / c);
  fflush(stdout);
  _exit(0);
}
