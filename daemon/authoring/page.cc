#include "daemon/authoring/page.h"

#include <algorithm>

#include "daemon/authoring/message_fields.h"
#include "daemon/authoring/sentences.h"
#include "fmt/format.h"

namespace spur::authoring {
namespace {

using spur::v1::Trigger;

// The fields of a message as "aggregate: count; window: 30d".
std::string said_of(const google::protobuf::Message& message) {
  std::string text;
  for (const FieldText& field : field_texts(message, "spec")) {
    const std::string_view path =
        std::string_view(field.path).substr(std::string_view("spec.").size());
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", path, field.text);
  }
  return text;
}

class PageMaker {
 public:
  PageMaker(const spur::v1::Catalog& catalog, const catalog::Compiled& compiled,
            const Trigger& trigger)
      : catalog_(catalog), compiled_(compiled), trigger_(trigger) {}

  Page run() {
    page_.name = trigger_.name();
    page_.kind = operator_name(trigger_);
    if (trigger_.has_enabled() && !trigger_.enabled()) {
      page_.paragraphs.push_back("It is off: " + code("enabled: false") + ".");
    }
    if (trigger_.shadow()) {
      page_.paragraphs.push_back("It is tried out, and sends nothing: " + code("shadow: true") + ".");
    }
    for (std::string& sentence : operator_sentences(trigger_, catalog_)) {
      page_.paragraphs.push_back(std::move(sentence));
    }
    timeline();
    steps();
    settings();
    features();
    channels();
    return std::move(page_);
  }

 private:
  void timeline() {
    const std::vector<Point> opening = opening_points(trigger_);
    page_.timeline = opening;
    std::string at_once;
    std::vector<std::pair<std::int64_t, std::string>> later;
    for (const spur::v1::ActionStep& step : trigger_.actions()) {
      const std::string label = step_name(step) + " (" + channels_of(step, " or ") + ")";
      if (step.after_ms() == 0) {
        at_once += (at_once.empty() ? "" : ", ") + label;
      } else {
        later.emplace_back(step.after_ms(), label);
      }
    }
    std::stable_sort(later.begin(), later.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    if (!at_once.empty()) page_.timeline.back().label += ": " + at_once;
    std::int64_t before = 0;
    for (const auto& [after, label] : later) {
      page_.timeline.push_back({label, duration_text(Millis{after - before})});
      before = after;
    }
  }

  static std::string step_name(const spur::v1::ActionStep& step) {
    return step.template_().empty() ? "an action" : step.template_();
  }
  static std::string channels_of(const spur::v1::ActionStep& step, std::string_view between) {
    return fmt::format("{}", fmt::join(step.channels(), between));
  }

  void steps() {
    Table table{"What it does", {"When", "Template", "Channel", "If", "Expires", "Data"}, {}};
    for (const spur::v1::ActionStep& step : trigger_.actions()) {
      std::string data;
      for (const spur::v1::NamedExpression& one : step.data()) {
        data += (data.empty() ? "" : ", ") + one.name() + " = " + code(one.expression());
      }
      table.rows.push_back(
          {step.after_ms() == 0 ? "at once" : duration_text(Millis{step.after_ms()}) + " after",
           step_name(step), channels_of(step, ", else "),
           step.if_().empty() ? "" : code(step.if_()),
           step.expires_ms() == 0 ? "" : duration_text(Millis{step.expires_ms()}), data});
    }
    add(std::move(table));
  }

  void settings() {
    Table table{"When it stays silent", {"Because of", "Says"}, {}};
    const auto row = [&](const char* name, const std::string& text) {
      if (!text.empty()) table.rows.push_back({name, code(text)});
    };
    row("if", trigger_.if_());
    row("while", trigger_.while_());
    for (const spur::v1::Pattern& pattern : trigger_.exit()) {
      table.rows.push_back({"exit", pattern_text(pattern)});
    }
    if (trigger_.cooldown().customer_ms() > 0) {
      row("cooldown", duration_text(Millis{trigger_.cooldown().customer_ms()}));
    }
    if (trigger_.cooldown().key_ms() > 0) {
      row("cooldown, by key", duration_text(Millis{trigger_.cooldown().key_ms()}));
    }
    row("once", trigger_.once());
    for (const FieldText& field : field_texts(trigger_, "spec")) {
      if (field.path == "spec.from" || field.path == "spec.to" || field.path == "spec.backfill")
        row(field.path.c_str() + 5, field.text);
    }
    const std::string trigger_class = trigger_.class_().empty() ? "marketing" : trigger_.class_();
    for (const spur::v1::Policy& policy : catalog_.policies()) {
      ladders(policy, table);
      if (trigger_class == "marketing") marketing(policy, table);
    }
    table.rows.push_back({"class", code(trigger_class)});
    add(std::move(table));
  }

  // What stands above it, if it is on a ladder and not at its top.
  void ladders(const spur::v1::Policy& policy, Table& table) const {
    for (const spur::v1::Ladder& ladder : policy.ladders()) {
      const auto own = std::find(ladder.order().begin(), ladder.order().end(), trigger_.name());
      if (own == ladder.order().end() || own == ladder.order().begin()) continue;
      const std::string above = fmt::format("{}", fmt::join(ladder.order().begin(), own, ", "));
      table.rows.push_back(
          {"ladder " + ladder.name(),
           above + (ladder.for_ms() > 0 ? " open, or sent less than " +
                                              duration_text(Millis{ladder.for_ms()}) + " ago"
                                        : " open")});
    }
  }

  // What holds for marketing only.
  static void marketing(const spur::v1::Policy& policy, Table& table) {
    for (const spur::v1::Cap& cap : policy.caps())
      table.rows.push_back({"caps of the Policy", cap_text(cap)});
    if (policy.has_holdout()) {
      table.rows.push_back(
          {"holdout", fmt::format("{} % of the customers", policy.holdout().percent())});
    }
    if (!policy.arbitration().empty()) {
      table.rows.push_back(
          {"arbitration", std::string("of what is due together only the first goes") +
                              (policy.arbitration() == "channel" ? ", on each channel" : "")});
    }
  }

  void features() {
    Table table{"What it reads", {"Name", "Is"}, {}};
    for (const catalog::Trigger& trigger : compiled_.triggers) {
      if (trigger.retired || trigger.name != trigger_.name()) continue;
      for (const std::uint32_t index : trigger.features) {
        const std::string& name = compiled_.features[index].name;
        for (const spur::v1::Feature& feature : catalog_.features()) {
          if (feature.name() == name) {
            table.rows.push_back({code("features." + name), code(said_of(feature))});
          }
        }
      }
    }
    std::sort(table.rows.begin(), table.rows.end());
    add(std::move(table));
  }

  void channels() {
    std::vector<std::string> names;
    for (const spur::v1::ActionStep& step : trigger_.actions()) {
      names.insert(names.end(), step.channels().begin(), step.channels().end());
    }
    Table table{"Its channels", {"Channel", "Says"}, {}};
    for (const spur::v1::Channel& channel : catalog_.channels()) {
      if (std::find(names.begin(), names.end(), channel.name()) == names.end()) continue;
      table.rows.push_back({channel.name(), code(said_of(channel))});
    }
    add(std::move(table));
  }

  void add(Table table) {
    if (!table.rows.empty()) page_.tables.push_back(std::move(table));
  }

  const spur::v1::Catalog& catalog_;
  const catalog::Compiled& compiled_;
  const Trigger& trigger_;
  Page page_;
};

}  // namespace

std::string code(std::string_view text) { return kCodeBegin + std::string(text) + kCodeEnd; }

std::vector<Page> trigger_pages(const spur::v1::Catalog& catalog,
                                const catalog::Compiled& compiled) {
  std::vector<Page> pages;
  for (const Trigger& trigger : catalog.triggers()) {
    pages.push_back(PageMaker(catalog, compiled, trigger).run());
  }
  std::sort(pages.begin(), pages.end(),
            [](const Page& a, const Page& b) { return a.name < b.name; });
  return pages;
}

}  // namespace spur::authoring
