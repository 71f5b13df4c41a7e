// What a daemon's /metrics says: Prometheus' text format, as far as `spur top` needs it (values of
// series; no help, types, time stamps or exemplars).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spur::top {

struct Sample {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;  // in the order written
  double value = 0;

  std::string_view label(std::string_view name) const;  // empty: it has none
};

class Samples {
 public:
  // Lines that are no series are passed over: a newer daemon may say more than is known here.
  static Samples parse(std::string_view text);

  // Over all series of that name; nullopt: there is none.
  std::optional<double> sum(std::string_view name) const;
  void each(std::string_view name, const std::function<void(const Sample&)>& visit) const;

 private:
  std::vector<Sample> samples_;
};

}  // namespace spur::top
