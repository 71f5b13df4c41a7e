// Generator of the bench job's input. One seed, one output, byte for byte.
//   gen --out-file F                       newline-delimited: writes the values only
//   gen --bootstrap B --topic T            produces to Kafka (4 partitions, murmur2 on the key,
//   record time = event time)
// Options: --events 2000000 --customers 100000 --seed 1 --blocks 10
//          --rate N                       N events/s to Kafka; as fast as it can if it is not given
// Event time: 10 blocks, 4 days apart, each of N/10 events evenly over one hour from 12:00 UTC.
// The End events (one per partition, written last) advance event time by one day so that every
// timer falls due.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "bench/peers/tools/common.h"

static const char* NAMES[5] = {"Product Viewed", "Product Added", "Product Removed",
                               "Checkout Started", "Order Completed"};
static const int CUT[5] = {55, 80, 88, 95, 100};

struct Gen {
  int64_t n, customers, blocks;
  SplitMix64 r;
  std::vector<double> cdf;
  int64_t i = 0;
  static constexpr int64_t BASE = 1767614400000LL;  // 2026-01-05T12:00:00Z
  Gen(int64_t n, int64_t c, int64_t blocks, uint64_t seed)
      : n(n), customers(c), blocks(blocks), r{seed} {
    cdf.resize(c);
    double s = 0;
    for (int64_t k = 0; k < c; k++) {
      s += std::pow(double(k + 1), -0.8);
      cdf[k] = s;
    }
    for (auto& x : cdf) x /= s;
  }
  int64_t time_of(int64_t k) const {
    int64_t per = n / blocks, d = std::min(k / per, blocks - 1), in = k - d * per;
    return BASE + d * 4 * 86400000 + in * 3600000 / per;
  }
  // fills key and value
  int64_t next(char* key, int& klen, char* val, int& vlen) {
    int64_t t = time_of(i);
    int64_t cust = std::lower_bound(cdf.begin(), cdf.end(), r.unit()) - cdf.begin();
    if (cust >= customers) cust = customers - 1;
    int pick = int(r.below(100)), ev = 0;
    while (pick >= CUT[ev]) ev++;
    int product = int(r.below(5000)), category = product % 40;
    int qd = int(r.below(100)), qty = qd < 90 ? 1 : qd < 98 ? 2 : 3;
    int cents = 100 + int(r.below(9900));  // 1.00 .. 99.99
    uint64_t a = r.next(), b = r.next();
    char ts[25];
    iso(t, ts);
    klen = sprintf(key, "user-%08d", int(cust));
    int p =
        sprintf(val,
                "{\"type\":\"track\",\"messageId\":\"%08x-%04x-4%03x-8%03x-%012llx\",\"userId\":\"%"
                "s\",\"event\":\"%s\",\"timestamp\":\"%s\",\"properties\":{\"cart_id\":\"cart-%"
                "08d\",\"product_id\":\"prod-%06d\",\"category\":\"category-%02d\",\"price\":%d.%"
                "02d,\"quantity\":%d,\"store_id\":\"store-%03d\",\"currency\":\"EUR\"",
                unsigned(a >> 32), unsigned(a >> 16) & 0xffff, unsigned(a) & 0xfff,
                unsigned(b >> 52), (unsigned long long)(b & 0xffffffffffffULL), key, NAMES[ev], ts,
                int(cust), product, category, cents / 100, cents % 100, qty, int(cust % 200));
    if (ev == 4) {
      int rev = cents * qty;
      p += sprintf(val + p, ",\"order_id\":\"order-%010lld\",\"revenue\":%d.%02d", (long long)i,
                   rev / 100, rev % 100);
    }
    p += sprintf(val + p,
                 "},\"context\":{\"ip\":\"10.%d.%d.%d\",\"locale\":\"de-DE\",\"library\":{\"name\":"
                 "\"analytics.js\",\"version\":\"2.11.1\"},\"page\":{\"path\":\"/p/prod-%06d\"}}}",
                 int(cust >> 16 & 255), int(cust >> 8 & 255), int(cust & 255), product);
    vlen = p;
    i++;
    return t;
  }
  int64_t end(char* val, int& vlen, int part) {
    int64_t t = time_of(n - 1) + 86400000;
    char ts[25];
    iso(t, ts);
    vlen = sprintf(val,
                   "{\"type\":\"track\",\"messageId\":\"end-%d\",\"userId\":\"end-%d\",\"event\":"
                   "\"End\",\"timestamp\":\"%s\",\"properties\":{},\"context\":{}}",
                   part, part, ts);
    return t;
  }
};

int main(int argc, char** argv) {
  Args a(argc, argv);
  Gen g(a.num("events", 2000000), a.num("customers", 100000), a.num("blocks", 10),
        a.num("seed", 1));
  char key[64], val[2048];
  int kl, vl;
  std::string file = a.str("out-file", "");
  if (!file.empty()) {
    FILE* f = file == "-" ? stdout : fopen(file.c_str(), "w");
    for (int64_t i = 0; i < g.n; i++) {
      g.next(key, kl, val, vl);
      val[vl++] = '\n';
      fwrite(val, 1, vl, f);
    }
    for (int p = 0; p < 4; p++) {
      g.end(val, vl, p);
      val[vl++] = '\n';
      fwrite(val, 1, vl, f);
    }
    fclose(f);
    return 0;
  }
  auto* c = rd_kafka_conf_new();
  set(c, "bootstrap.servers", a.str("bootstrap", "127.0.0.1:9092"));
  set(c, "linger.ms", "20");
  set(c, "batch.num.messages", "10000");
  set(c, "queue.buffering.max.messages", "500000");
  set(c, "queue.buffering.max.kbytes", "400000");
  set(c, "enable.idempotence", "true");
  auto* rk = make(RD_KAFKA_PRODUCER, c);
  auto* tc = rd_kafka_topic_conf_new();
  set(tc, "partitioner", "murmur2_random");
  auto* t = rd_kafka_topic_new(rk, a.str("topic", "events").c_str(), tc);
  auto send = [&](int part, const char* k, int klen, const char* v, int vlen, int64_t ts) {
    for (;;) {
      rd_kafka_resp_err_t e = rd_kafka_producev(
          rk, RD_KAFKA_V_RKT(t), RD_KAFKA_V_PARTITION(part), RD_KAFKA_V_KEY((void*)k, (size_t)klen),
          RD_KAFKA_V_VALUE((void*)v, (size_t)vlen), RD_KAFKA_V_TIMESTAMP(ts),
          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
      if (e == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_poll(rk, 10);
        continue;
      }
      if (e) {
        fprintf(stderr, "%s\n", rd_kafka_err2str(e));
        exit(1);
      }
      break;
    }
  };
  int64_t bytes = 0;
  const int64_t rate = a.num("rate", 0);
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < g.n; i++) {
    if (rate > 0 && i % 64 == 0) {
      const auto due = start + std::chrono::microseconds(1'000'000 * i / rate);
      while (std::chrono::steady_clock::now() < due) rd_kafka_poll(rk, 1);
    }
    int64_t ts = g.next(key, kl, val, vl);
    bytes += vl;
    send(RD_KAFKA_PARTITION_UA, key, kl, val, vl, ts);
    if (!(i & 1023)) rd_kafka_poll(rk, 0);
  }
  for (int p = 0; p < 4; p++) {
    int64_t ts = g.end(val, vl, p);
    kl = sprintf(key, "end-%d", p);
    send(p, key, kl, val, vl, ts);
  }
  // A broker may be away for a while; what it has not taken by then is missing, and is said to be.
  for (int i = 0; i < 30 && rd_kafka_outq_len(rk) > 0; i++) rd_kafka_flush(rk, 10000);
  if (rd_kafka_outq_len(rk) > 0) {
    fprintf(stderr, "gen: %d records were not taken\n", rd_kafka_outq_len(rk));
    return 1;
  }
  printf("%lld events, %.1f bytes each\n", (long long)g.n, double(bytes) / g.n);
}
