// The process as the kernel sees it: the metrics that every Prometheus client library shows, under their usual names.
#pragma once

#include <vector>

#include <prometheus/metric_family.h>

namespace spur::metrics {

// Reads /proc/self; what cannot be read is left out.
std::vector<prometheus::MetricFamily> process_families();

}  // namespace spur::metrics
