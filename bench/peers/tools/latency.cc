// End-to-end latency of event -> action, against any engine that does the bench job.
//   latency --bootstrap B --in-topic events --out-topic actions.email --rate 1000 --seconds 30
//           [--warmup 5] [--customers 100000] [--seed 7] [--linger 0] [--hot 0]
// Produces "Ping" events (each must fire one action that echoes messageId) on a fixed schedule, and
// reads the action topic read_committed. Latency runs from just before produce() to when
// consumer_poll() returns the action. A send that is late by the schedule is counted from its
// *scheduled* time too ("sched": no coordinated omission).
// With --hot, so many of a hundred events are those of one customer, whose own latency does not
// count.
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <string_view>
#include <thread>

#include "bench/peers/tools/common.h"
int main(int argc, char** argv) {
  Args a(argc, argv);
  int64_t rate = a.num("rate", 1000), secs = a.num("seconds", 30), warm = a.num("warmup", 5),
          cust = a.num("customers", 100000), hot = a.num("hot", 0);
  int64_t total = rate * (secs + warm);
  std::string in = a.str("in-topic", "events"), out = a.str("out-topic", "actions.email"),
              bs = a.str("bootstrap", "127.0.0.1:9092");
  int parts = int(a.num("partitions", 4));
  std::vector<int64_t> sched(total), sent(total, 0), got(total, 0);
  std::vector<bool> counts(total, true);
  std::atomic<int64_t> received{0}, dup{0};

  auto* cc = rd_kafka_conf_new();
  set(cc, "bootstrap.servers", bs);
  set(cc, "group.id", "latency");
  set(cc, "isolation.level", "read_committed");
  set(cc, "enable.auto.commit", "false");
  set(cc, "fetch.wait.max.ms", "500");
  set(cc, "fetch.min.bytes", "1");
  set(cc, "socket.nagle.disable", "true");
  set(cc, "enable.partition.eof", "true");
  set(cc, "fetch.error.backoff.ms", "0");
  auto* ck = make(RD_KAFKA_CONSUMER, cc);
  rd_kafka_poll_set_consumer(ck);
  auto* l = rd_kafka_topic_partition_list_new(parts);
  for (int p = 0; p < parts;
       p++) {  // a fixed end offset: RD_KAFKA_OFFSET_END would race with the first actions
    int64_t lo, hi;
    auto e = rd_kafka_query_watermark_offsets(ck, out.c_str(), p, &lo, &hi, 10000);
    if (e) {
      fprintf(stderr, "%s\n", rd_kafka_err2str(e));
      return 1;
    }
    rd_kafka_topic_partition_list_add(l, out.c_str(), p)->offset = hi;
  }
  rd_kafka_assign(ck, l);
  std::string tag = "ping-" + std::to_string(wall_ms()) + "-";
  std::atomic<bool> stop{false};
  std::atomic<int> eofs{0};
  std::thread reader([&] {
    const std::string& k = tag;  // however an engine quotes it
    while (!stop) {
      auto* m = rd_kafka_consumer_poll(ck, 100);
      if (!m) continue;
      int64_t t = now_ns();
      if (!m->err) {
        std::string_view v((const char*)m->payload, m->len);
        auto i = v.find(k);
        if (i != v.npos) {
          int64_t n = atoll(v.data() + i + k.size());
          if (n >= 0 && n < total) {
            if (got[n])
              dup++;
            else {
              got[n] = t;
              received++;
            }
          }
        }
      } else if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        eofs++;
      rd_kafka_message_destroy(m);
    }
  });
  for (int i = 0; i < 1000 && eofs < parts; i++)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));

  auto* pc = rd_kafka_conf_new();
  set(pc, "bootstrap.servers", bs);
  set(pc, "linger.ms", a.str("linger", "0"));
  set(pc, "acks", "all");
  set(pc, "socket.nagle.disable", "true");
  set(pc, "queue.buffering.max.messages", "1000000");
  auto* pk = make(RD_KAFKA_PRODUCER, pc);
  auto* tc = rd_kafka_topic_conf_new();
  set(tc, "partitioner", "murmur2_random");
  auto* pt = rd_kafka_topic_new(pk, in.c_str(), tc);
  const struct rd_kafka_metadata* md;
  if (!rd_kafka_metadata(pk, 0, pt, &md, 10000)) rd_kafka_metadata_destroy(md);
  prctl(PR_SET_TIMERSLACK, 1000);
  SplitMix64 r{uint64_t(a.num("seed", 7))};
  int64_t start = now_ns() + 20000000, gap = 1000000000LL / rate;
  for (int64_t i = 0; i < total; i++) {
    sched[i] = start + i * gap;
    int64_t w = sched[i] - now_ns();
    if (w > 5000) {
      timespec ts{w / 1000000000, w % 1000000000};
      nanosleep(&ts, nullptr);
    }  // slack 1 us: no spinning
    char key[32], val[1024], ts[25];
    counts[i] = hot == 0 || int64_t(r.below(100)) >= hot;
    int64_t c = counts[i] ? r.below(cust) : cust, ms = wall_ms();
    iso(ms, ts);
    int kl = sprintf(key, "user-%08d", int(c));
    int vl = sprintf(val,
                     "{\"type\":\"track\",\"messageId\":\"%s%lld\",\"userId\":\"%s\",\"event\":"
                     "\"Ping\",\"timestamp\":\"%s\",\"properties\":{\"cart_id\":\"cart-%08d\","
                     "\"product_id\":\"prod-%06d\",\"category\":\"category-%02d\",\"price\":19.99,"
                     "\"quantity\":1,\"store_id\":\"store-%03d\",\"currency\":\"EUR\"},\"context\":"
                     "{\"ip\":\"10.0.0.1\",\"locale\":\"de-DE\",\"library\":{\"name\":\"analytics."
                     "js\",\"version\":\"2.11.1\"},\"page\":{\"path\":\"/p/prod-%06d\"}}}",
                     tag.c_str(), (long long)i, key, ts, int(c), int(c % 5000), int(c % 40),
                     int(c % 200), int(c % 5000));
    sent[i] = now_ns();
    rd_kafka_producev(pk, RD_KAFKA_V_RKT(pt), RD_KAFKA_V_PARTITION(RD_KAFKA_PARTITION_UA),
                      RD_KAFKA_V_KEY(key, (size_t)kl), RD_KAFKA_V_VALUE(val, (size_t)vl),
                      RD_KAFKA_V_TIMESTAMP(ms), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                      RD_KAFKA_V_END);
    if (!(i & 63)) rd_kafka_poll(pk, 0);
  }
  rd_kafka_flush(pk, 10000);
  for (int i = 0; i < int(a.num("drain", 25)) * 100 && received < total; i++)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  stop = true;
  reader.join();
  std::vector<double> d, s;
  int64_t lost = 0;
  for (int64_t i = rate * warm; i < total; i++) {
    if (!got[i]) {
      lost++;
      continue;
    }
    if (!counts[i]) continue;
    d.push_back((got[i] - sent[i]) / 1e6);
    s.push_back((got[i] - sched[i]) / 1e6);
  }
  std::sort(d.begin(), d.end());
  std::sort(s.begin(), s.end());
  auto q = [](const std::vector<double>& v, double p) {
    return v.empty() ? -1.0 : v[std::min(v.size() - 1, size_t(p * v.size()))];
  };
  printf(
      "{\"rate\":%lld,\"n\":%zu,\"lost\":%lld,\"dup\":%lld,\"p50_ms\":%.3f,\"p90_ms\":%.3f,\"p99_"
      "ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f,\"sched_p99_ms\":%.3f,\"sched_p999_ms\":%.3f}\n",
      (long long)rate, d.size(), (long long)lost, (long long)dup, q(d, .5), q(d, .9), q(d, .99),
      q(d, .999), d.empty() ? -1 : d.back(), q(s, .99), q(s, .999));
  fflush(stdout);
  _exit(0);
}
