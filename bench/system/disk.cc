// The disk alone, for comparison: appends 700 bytes and calls fdatasync at a fixed rate, open loop, and prints what
// event → action latency could be at best on it. Times count from when an append was due, so that a stall is felt by all
// that came during it, as in latency.cc.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "fmt/format.h"

int main(int argc, char** argv) {
  using Steady = std::chrono::steady_clock;
  if (argc != 4) {
    fmt::print(stderr, "spur_bench_disk FILE RATE SECONDS\n");
    return 2;
  }
  const double rate = std::atof(argv[2]);
  const auto count = static_cast<std::size_t>(rate * std::atof(argv[3]));
  const int file = open(argv[1], O_CREAT | O_WRONLY | O_TRUNC, 0600);
  const std::string record(700, 'x');
  std::vector<double> ms;
  const auto start = Steady::now();
  for (std::size_t i = 0; i < count; ++i) {
    const auto due = start + std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / rate * static_cast<double>(i)));
    std::this_thread::sleep_until(due);
    if (write(file, record.data(), record.size()) < 0 || fdatasync(file) != 0) {
      std::perror(argv[1]);
      return 3;
    }
    ms.push_back(std::chrono::duration<double, std::milli>(Steady::now() - due).count());
  }
  close(file);
  unlink(argv[1]);
  if (ms.empty()) return 2;
  std::sort(ms.begin(), ms.end());
  const auto at = [&](double p) {
    return ms[std::min(ms.size() - 1, static_cast<std::size_t>(p * static_cast<double>(ms.size())))];
  };
  fmt::print("fdatasync alone, {:.0f}/s: p50 {:.3f} ms, p90 {:.3f} ms, p99 {:.3f} ms, p99.9 {:.3f} ms, max {:.3f} ms\n",
             rate, at(0.5), at(0.9), at(0.99), at(0.999), ms.back());
}
