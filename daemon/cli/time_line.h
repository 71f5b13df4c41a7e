// The time line of one customer that a backtest draws: --customer, --svg and --json of it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/explain/recording.h"
#include "operators/catalog/customer_name.h"

namespace spur::cli {

struct TimeLineArguments {
  std::optional<std::string> customer;  // nullopt: no time line is asked for
  std::string trigger, svg;
  bool json = false;
};

class TimeLine {
 public:
  // nullopt where `customer` names nobody. `definitions` is the source of the catalog.
  static std::optional<TimeLine> of(const TimeLineArguments& arguments,
                                    const catalog::Compiled& catalog,
                                    const spur::v1::Catalog& definitions);

  Watcher* watcher() { return recording_.get(); }
  // Draws it to standard output, for a terminal with its width and in colour (unless NO_COLOR is
  // set); and the SVG. Answers an exit code.
  int show(const TimeLineArguments& arguments) const;

 private:
  TimeLine(catalog::CustomerName name, const TimeLineArguments& arguments,
           const spur::v1::Catalog& definitions);

  std::unique_ptr<const catalog::CustomerName> name_;
  std::unique_ptr<explain::Recording> recording_;
};

}  // namespace spur::cli
