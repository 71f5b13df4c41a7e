// Small helpers around the librdkafka C API and /proc, shared by the bench tools.
#pragma once
#include <librdkafka/rdkafka.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <vector>

struct Args {
  std::map<std::string, std::string> kv;
  Args(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) {
      if (strncmp(argv[i], "--", 2) != 0) {
        fprintf(stderr, "bad option %s\n", argv[i]);
        exit(2);
      }
      kv[argv[i] + 2] = argv[i + 1];
    }
  }
  std::string str(const std::string& k, const std::string& def) const {
    auto i = kv.find(k);
    return i == kv.end() ? def : i->second;
  }
  int64_t num(const std::string& k, int64_t def) const {
    auto i = kv.find(k);
    return i == kv.end() ? def : atoll(i->second.c_str());
  }
};

inline void set(rd_kafka_conf_t* c, const char* k, const std::string& v) {
  char err[512];
  if (rd_kafka_conf_set(c, k, v.c_str(), err, sizeof err) != RD_KAFKA_CONF_OK) {
    fprintf(stderr, "%s\n", err);
    exit(2);
  }
}
inline void set(rd_kafka_topic_conf_t* c, const char* k, const std::string& v) {
  char err[512];
  if (rd_kafka_topic_conf_set(c, k, v.c_str(), err, sizeof err) != RD_KAFKA_CONF_OK) {
    fprintf(stderr, "%s\n", err);
    exit(2);
  }
}
inline rd_kafka_t* make(rd_kafka_type_t type, rd_kafka_conf_t* c) {
  char err[512];
  rd_kafka_t* rk = rd_kafka_new(type, c, err, sizeof err);
  if (!rk) {
    fprintf(stderr, "%s\n", err);
    exit(2);
  }
  return rk;
}
inline int64_t now_ns() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}
inline int64_t wall_ms() {
  timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

// "2026-01-05T12:00:00.072Z" from ms since the epoch (civil-from-days, Hinnant)
inline void iso(int64_t ms, char* out /* 25 bytes */) {
  int64_t days = ms / 86400000, rem = ms % 86400000;
  int64_t z = days + 719468, era = z / 146097;
  unsigned doe = unsigned(z - era * 146097),
           yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  int64_t y = int64_t(yoe) + era * 400;
  unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153,
           d = doy - (153 * mp + 2) / 5 + 1, m = mp < 10 ? mp + 3 : mp - 9;
  if (m <= 2) y++;
  sprintf(out, "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", int(y), m, d, int(rem / 3600000),
          int(rem / 60000 % 60), int(rem / 1000 % 60), int(rem % 1000));
}
struct SplitMix64 {
  uint64_t s;
  uint64_t next() {
    uint64_t z = (s += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  double unit() { return double(next() >> 11) * 0x1.0p-53; }
  uint64_t below(uint64_t n) { return next() % n; }
};
