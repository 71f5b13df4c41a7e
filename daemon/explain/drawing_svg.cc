// The SVG of a time line: time goes to the right; the events stand on a line of their own, each
// trigger on one below, with its waits as bars and its verdicts as signs. Everything has a title.
#include <algorithm>
#include <map>

#include "daemon/authoring/xml_text.h"
#include "daemon/explain/drawing.h"
#include "daemon/explain/text.h"
#include "fmt/format.h"
#include "state/time.h"

namespace spur::explain {
namespace {

constexpr double kWidth = 1200, kLeft = 220, kRight = 24, kTop = 64, kLane = 44;

using authoring::shortened;
using authoring::xml_text;

struct Lane {
  std::string marks;  // drawn later, so that they lie above the bars
  std::map<std::string, std::pair<std::int64_t, std::string>>
      open;  // waits: since when, and what is said of them
};

class Drawing {
 public:
  Drawing(std::string_view customer, const std::vector<spur::v1::Moment>& moments)
      : customer_(customer), moments_(moments) {
    for (const spur::v1::Moment& moment : moments) {
      first_ = std::min(first_, moment.time_ms());
      last_ = std::max(last_, moment.time_ms());
      for (const spur::v1::Change& change : moment.changes()) {
        if (change.kind() == "feature" || change.kind() == "session") continue;
        lanes_[change.name()];
      }
    }
    if (moments.empty()) first_ = last_ = 0;
  }

  std::string run() {
    for (const spur::v1::Moment& moment : moments_) take(moment);
    for (auto& [name, lane] : lanes_) {
      for (const auto& [key, since] : lane.open)
        bar(lane_y(name), since.first, last_, since.second, true);
    }
    const double height = kTop + kLane * static_cast<double>(lanes_.size() + 1) + 40;
    std::string out = fmt::format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
        "height=\"{1}\" role=\"img\" "
        "aria-labelledby=\"title description\">\n"
        "<title id=\"title\">Time line of {2}</title>\n"
        "<desc id=\"description\">{3} instants from {4} to {5}. Bars are waits; filled triangles "
        "are actions sent, "
        "crosses what was not sent, diamonds conditions that were asked.</desc>\n"
        "<style>text{{font:13px "
        "sans-serif;fill:#222}}.small{{font-size:11px;fill:#555}}.event{{fill:#1f5fa8}}"
        ".sent{{fill:#1a7f37}}.not{{stroke:#b35900;stroke-width:2.5}}.asked{{fill:#8a63d2}}"
        ".bar{{fill:#bcd3ee;stroke:#1f5fa8}}.open{{stroke-dasharray:4 "
        "3}}.lane{{stroke:#ddd}}</style>\n"
        "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
        "<text x=\"12\" y=\"26\" style=\"font-size:17px\">{2}</text>\n",
        kWidth, height, xml_text(customer_), moments_.size(), time_text(first_), time_text(last_));
    out += axis(height);
    out += lane_line("events", kTop);
    for (const auto& [name, lane] : lanes_) out += lane_line(name, lane_y(name));
    out += bars_ + events_;
    for (const auto& [name, lane] : lanes_) out += lane.marks;
    return out + "</svg>\n";
  }

 private:
  double x(std::int64_t ms) const {
    const double span = static_cast<double>(std::max<std::int64_t>(last_ - first_, 1));
    return kLeft + (kWidth - kLeft - kRight) * static_cast<double>(ms - first_) / span;
  }
  double lane_y(const std::string& name) const {
    return kTop +
           kLane * (1.0 + static_cast<double>(std::distance(lanes_.begin(), lanes_.find(name))));
  }

  std::string axis(double height) const {
    std::string out;
    constexpr int kTicks = 6;
    for (int i = 0; i <= kTicks; ++i) {
      const std::int64_t at = first_ + (last_ - first_) * i / kTicks;
      const std::string text = time_text(at);
      out += fmt::format(
          "<line class=\"lane\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>",
          x(at), kTop - 20, height - 36);
      out += fmt::format(
          "<text class=\"small\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\">{}</text>\n", x(at),
          height - 20,
          i == 0        ? "start"
          : i == kTicks ? "end"
                        : "middle",
          text.size() < 19 ? text : text.substr(0, 10) + " " + text.substr(11, 8));
    }
    return out;
  }
  static std::string lane_line(const std::string& name, double y) {
    return fmt::format(
        "<line class=\"lane\" x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/><text x=\"12\" "
        "y=\"{:.1f}\">{}</text>\n",
        kLeft, kWidth - kRight, y, y, y + 4, xml_text(shortened(name, 28)));
  }

  void bar(double y, std::int64_t from, std::int64_t to, const std::string& title, bool open) {
    bars_ += fmt::format(
        "<rect class=\"bar{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"14\" "
        "rx=\"3\"><title>{}</title>"
        "</rect>\n",
        open ? " open" : "", x(from), y - 7, std::max(2.0, x(to) - x(from)), xml_text(title));
  }

  void take(const spur::v1::Moment& moment) {
    std::string title = time_text(moment.time_ms()) + "  " +
                        (moment.event().empty() ? "time passes" : moment.event());
    for (const spur::v1::Change& change : moment.changes()) title += "\n" + words_of(change);
    if (!moment.event().empty()) {
      events_ += fmt::format(
          "<circle class=\"event\" cx=\"{:.1f}\" cy=\"{:.1f}\" "
          "r=\"6\"><title>{}</title></circle>\n",
          x(moment.time_ms()), kTop, xml_text(title));
    }
    for (const spur::v1::Change& change : moment.changes()) take(moment.time_ms(), change);
  }

  void take(std::int64_t at, const spur::v1::Change& change) {
    const auto found = lanes_.find(change.name());
    if (found == lanes_.end()) return;
    Lane& lane = found->second;
    const double y = lane_y(change.name());
    const std::string title = xml_text(time_text(at) + "  " + words_of(change));
    if (change.kind() == "wait" || change.kind() == "step") {
      const std::string key = change.kind() + change.key();
      if (change.after() == "open" && change.before().empty()) {
        lane.open[key] = {at, time_text(at) + "  " + words_of(change)};
      } else if (change.after() != "open" && lane.open.contains(key)) {
        const auto& [since, what] = lane.open[key];
        bar(y, since, at, what + "\n" + time_text(at) + "  " + words_of(change), false);
        lane.open.erase(key);
      }
    } else if (change.kind() == "decided" &&
               change.decision().verdict() == spur::v1::VERDICT_SENT) {
      lane.marks += fmt::format(
          "<path class=\"sent\" d=\"M{0:.1f} {1:.1f}l13 8l-13 8z\"><title>{2}</title></path>\n",
          x(at) - 4, y - 8, title);
    } else if (change.kind() == "decided") {
      lane.marks += fmt::format(
          "<path class=\"not\" fill=\"none\" d=\"M{0:.1f} {1:.1f}l11 11m0 -11l-11 "
          "11\"><title>{2}</title></path>\n",
          x(at) - 5, y - 5, title);
    } else {
      lane.marks += fmt::format(
          "<path class=\"asked\" d=\"M{0:.1f} {1:.1f}l5 5l-5 5l-5 "
          "-5z\"><title>{2}</title></path>\n",
          x(at), y - 18, title);
    }
  }

  const std::string customer_;
  const std::vector<spur::v1::Moment>& moments_;
  std::int64_t first_ = INT64_MAX, last_ = INT64_MIN;
  std::map<std::string, Lane> lanes_;
  std::string bars_, events_;
};

}  // namespace

std::string draw_svg(std::string_view customer, const std::vector<spur::v1::Moment>& moments) {
  return Drawing(customer, moments).run();
}

}  // namespace spur::explain
