#include "daemon/metrics/process.h"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>

namespace spur::metrics {
namespace {

using prometheus::MetricType;

struct ProcessTimes {
  double start_after_boot_seconds = 0;
  double resident_bytes = 0;
};

// Fields of /proc/self/stat behind the name, which may itself hold spaces and brackets.
std::optional<ProcessTimes> read_stat() {
  std::ifstream in("/proc/self/stat");
  std::string line;
  if (!std::getline(in, line) || line.rfind(')') == std::string::npos) return std::nullopt;
  std::istringstream fields(line.substr(line.rfind(')') + 1));
  constexpr int kStartTime = 20, kResidentPages = 22;  // counted from the field behind the name
  ProcessTimes out;
  std::string word;
  for (int i = 1; fields >> word; ++i) {
    if (i == kStartTime) out.start_after_boot_seconds = std::stod(word) / static_cast<double>(sysconf(_SC_CLK_TCK));
    if (i == kResidentPages) out.resident_bytes = std::stod(word) * static_cast<double>(sysconf(_SC_PAGESIZE));
  }
  return out;
}

std::optional<double> boot_time_seconds() {
  std::ifstream in("/proc/stat");
  std::string word;
  double seconds = 0;
  while (in >> word) {
    if (word == "btime" && in >> seconds) return seconds;
  }
  return std::nullopt;
}

void add(std::vector<prometheus::MetricFamily>& out, const char* name, MetricType type, const char* help,
         double value) {
  prometheus::ClientMetric metric;
  if (type == MetricType::Counter) metric.counter.value = value;
  else metric.gauge.value = value;
  out.push_back({name, help, type, {metric}});
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

}  // namespace

std::vector<prometheus::MetricFamily> process_families() {
  std::vector<prometheus::MetricFamily> out;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    add(out, "process_cpu_seconds_total", MetricType::Counter, "CPU time used, user and system.",
        seconds(usage.ru_utime) + seconds(usage.ru_stime));
  }
  const std::optional<ProcessTimes> times = read_stat();
  if (times) add(out, "process_resident_memory_bytes", MetricType::Gauge, "Resident memory.", times->resident_bytes);
  if (const auto boot = boot_time_seconds(); boot && times) {
    add(out, "process_start_time_seconds", MetricType::Gauge, "When the process started.",
        *boot + times->start_after_boot_seconds);
  }
  std::error_code error;
  double open = 0;
  for (std::filesystem::directory_iterator it("/proc/self/fd", error), end; !error && it != end; it.increment(error))
    ++open;
  if (!error) add(out, "process_open_fds", MetricType::Gauge, "Open file descriptors.", open);
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    add(out, "process_max_fds", MetricType::Gauge, "File descriptors that may be open.",
        static_cast<double>(limit.rlim_cur));
  }
  return out;
}

}  // namespace spur::metrics
