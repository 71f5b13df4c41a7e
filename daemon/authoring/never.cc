#include "daemon/authoring/never.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "daemon/authoring/event_names.h"
#include "daemon/authoring/windows.h"
#include "fmt/format.h"

namespace spur::authoring {
namespace {

using catalog::Program;

// Whether the program is false (or an error) whatever it reads.
bool is_never(const std::optional<Program>& program) {
  if (!program) return false;
  const std::optional<Value> constant = program->constant();
  return constant && !constant->is_true();
}

class Looking {
 public:
  Looking(const spur::v1::Catalog& catalog, const catalog::Compiled& compiled,
          const catalog::SourceMap& positions)
      : catalog_(catalog), compiled_(compiled), positions_(positions) {}

  std::vector<catalog::Error> run() {
    for (const catalog::Trigger& trigger : compiled_.triggers) {
      if (trigger.enabled && !trigger.retired) triggers(trigger);
    }
    for (const catalog::Segment& segment : compiled_.segments) {
      if (is_never(segment.when)) {
        warn(catalog::resource_path("Segment", segment.name) + "/spec.when",
             "this is never true: nobody is in the segment", "mend the condition or remove it");
      }
    }
    for (const catalog::Feature& feature : compiled_.features) {
      patterns(catalog::resource_path("Feature", feature.name) + "/spec.patterns",
               feature.patterns);
    }
    for (const catalog::Session& session : compiled_.sessions) {
      const std::string path = catalog::resource_path("Session", session.name) + "/spec";
      patterns(path + ".opens", session.opens);
      patterns(path + ".keeps", session.keeps);
      patterns(path + ".closes", session.closes);
    }
    add(unknown_event_names(catalog_));
    add(impossible_windows(catalog_));
    std::sort(warnings_.begin(), warnings_.end());
    warnings_.erase(std::unique(warnings_.begin(), warnings_.end()), warnings_.end());
    return std::move(warnings_);
  }

 private:
  void warn(const std::string& path, std::string message, std::string hint,
            std::size_t offset = 0) {
    const catalog::Position at =
        offset == 0 ? positions_.position(path) : positions_.position(path, offset);
    warnings_.push_back({at, std::move(message), std::move(hint)});
  }

  void add(std::vector<Never> found) {
    for (Never& never : found) {
      warn(never.path, std::move(never.message), std::move(never.hint), never.offset);
    }
  }

  void patterns(const std::string& path, const std::vector<catalog::Pattern>& patterns) {
    for (std::size_t i = 0; i < patterns.size(); ++i) {
      if (!is_never(patterns[i].where)) continue;
      warn(fmt::format("{}[{}].where", path, i), "this is never true: the pattern matches nothing",
           "mend the condition or remove the pattern");
    }
  }

  void triggers(const catalog::Trigger& trigger) {
    const std::string path = catalog::resource_path("Trigger", trigger.name) + "/spec";
    constexpr const char* kMend = "mend the condition, or say `enabled: false`";
    const auto condition = [&](const char* field, const std::optional<Program>& program) {
      if (is_never(program))
        warn(path + field, "this is never true: the trigger never sends", kMend);
    };
    condition(".if", trigger.condition);
    condition(".while", trigger.while_);
    condition(trigger.kind == catalog::Operator::kSchedule ? ".schedule.when" : ".threshold.when",
              trigger.when);
    if (is_never(trigger.rearm)) {
      warn(path + ".threshold.rearm", "this is never true: the trigger fires once a customer",
           "say `once: customer` if that is meant");
    }
    const bool novelty = trigger.kind == catalog::Operator::kNovelty;
    const bool event = trigger.kind == catalog::Operator::kEvent;
    patterns(path + (novelty ? ".novelty.patterns"
                     : event ? ".event.patterns"
                             : ".absence.opens"),
             trigger.opens);
    patterns(path + ".absence.resets", trigger.resets);
    patterns(path + ".absence.closes", trigger.closes);
    patterns(path + ".exit", trigger.exits);
    if (trigger.kind == catalog::Operator::kSession) session(path, trigger);
    if (novelty) kth(path, trigger);
    for (std::size_t i = 0; i < trigger.steps.size(); ++i) {
      step(fmt::format("{}.actions[{}]", path, i), trigger.steps[i]);
    }
  }

  void session(const std::string& path, const catalog::Trigger& trigger) {
    const catalog::Session& session = compiled_.sessions[static_cast<std::size_t>(trigger.session)];
    const bool idle = trigger.moment == catalog::SessionMoment::kIdle && session.idle.count == 0;
    const bool closed = trigger.moment == catalog::SessionMoment::kClosed && session.closes.empty();
    if (!idle && !closed) return;
    warn(path + ".session.on",
         fmt::format("the Session `{}` never {}: it has no `{}`", session.name,
                     idle ? "ends by silence" : "is closed", idle ? "idle" : "closes"),
         idle ? "give it `idle`, or say `on: closed`" : "give it `closes`, or say `on: idle`");
  }

  void kth(const std::string& path, const catalog::Trigger& trigger) {
    constexpr std::uint32_t kRemembered = 10'000;  // of a novelty that sets no limit
    const std::uint32_t limit = trigger.limit == 0 ? kRemembered : trigger.limit;
    if (trigger.kth <= 0 || static_cast<std::uint32_t>(trigger.kth) <= limit) return;
    warn(path + ".novelty.kth",
         fmt::format("the {}th value never comes: {} are remembered", trigger.kth, limit),
         "raise `limit`");
  }

  void step(const std::string& path, const catalog::Step& step) {
    if (is_never(step.condition)) {
      warn(path + ".if", "this is never true: the step is never sent",
           "mend the condition or remove the step");
    }
    for (std::size_t i = 0; i + 1 < step.channels.size(); ++i) {
      const catalog::Channel& channel = compiled_.channels[step.channels[i]];
      if (!lets_all_through(channel)) continue;
      warn(fmt::format("{}.channels[{}]", path, i + 1),
           fmt::format("no step comes here: `{}` before it lets all through", channel.name),
           "give that one a `reach`, `quiet_hours` or `caps`, or put it last");
      return;
    }
  }

  // Caps of the Policy and all other guards are the same for every channel.
  bool lets_all_through(const catalog::Channel& channel) const {
    for (const spur::v1::Channel& said : catalog_.channels()) {
      if (said.name() == channel.name && !said.purpose().empty()) return false;
    }
    return !channel.reach && !channel.quiet_hours && channel.caps.empty();
  }

  const spur::v1::Catalog& catalog_;
  const catalog::Compiled& compiled_;
  const catalog::SourceMap& positions_;
  std::vector<catalog::Error> warnings_;
};

}  // namespace

std::vector<catalog::Error> never_warnings(const spur::v1::Catalog& catalog,
                                           const catalog::Compiled& compiled,
                                           const catalog::SourceMap& positions) {
  return Looking(catalog, compiled, positions).run();
}

}  // namespace spur::authoring
