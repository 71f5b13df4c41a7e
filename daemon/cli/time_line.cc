#include "daemon/cli/time_line.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <utility>

#include "daemon/cli/command.h"
#include "daemon/cli/remote.h"
#include "daemon/cli/write_file.h"
#include "daemon/explain/drawing.h"
#include "fmt/format.h"

namespace spur::cli {
namespace {

explain::DrawingOptions for_output() {
  explain::DrawingOptions options;
  if (isatty(STDOUT_FILENO) == 0) return options;
  options.colour = std::getenv("NO_COLOR") == nullptr;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) options.width = size.ws_col;
  return options;
}

}  // namespace

TimeLine::TimeLine(catalog::CustomerName name, const TimeLineArguments& arguments,
                   const spur::v1::Catalog& definitions)
    : name_(std::make_unique<const catalog::CustomerName>(std::move(name))) {
  explain::Recording::Options options;
  options.customer = name_->identity();
  options.trigger = arguments.trigger;
  options.definitions = [definitions] { return definitions; };
  recording_ = std::make_unique<explain::Recording>(std::move(options));
}

std::optional<TimeLine> TimeLine::of(const TimeLineArguments& arguments,
                                     const catalog::Compiled& catalog,
                                     const spur::v1::Catalog& definitions) {
  std::optional<catalog::CustomerName> name =
      catalog::parse_customer(arguments.customer.value_or(""), &catalog);
  if (!name) return std::nullopt;
  return TimeLine(*std::move(name), arguments, definitions);
}

int TimeLine::show(const TimeLineArguments& arguments) const {
  const std::string customer = to_text(name_->identity());
  if (arguments.json) {
    for (const spur::v1::Moment& moment : recording_->moments())
      fmt::print("{}\n", to_json_line(moment));
  } else {
    fmt::print("{}", explain::draw(customer, recording_->moments(), for_output()));
  }
  if (recording_->dropped() > 0)
    fmt::print(stderr, "spur backtest: the first {} instants are not shown: {} are kept\n",
               recording_->dropped(), explain::kMomentsKept);
  if (arguments.svg.empty()) return kFine;
  const absl::Status written =
      replace_file(arguments.svg, explain::draw_svg(customer, recording_->moments()));
  if (written.ok()) return kFine;
  fmt::print(stderr, "spur backtest: {}\n", std::string(written.message()));
  return kWorld;
}

}  // namespace spur::cli
