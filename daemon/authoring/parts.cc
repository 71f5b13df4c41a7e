#include "daemon/authoring/parts.h"

#include <utility>

#include "daemon/authoring/message_fields.h"
#include "daemon/authoring/operands.h"
#include "fmt/format.h"
#include "operators/catalog/position.h"

namespace spur::authoring {
namespace {

using google::protobuf::RepeatedPtrField;
using spur::v1::Catalog;

// Where something stands: how to reach it in any copy of the catalog.
template <typename Message>
using Get = std::function<Message&(Catalog&)>;

class Collecting {
 public:
  explicit Collecting(const Catalog& catalog) : catalog_(catalog) {}

  std::vector<Part> run() {
    for (int i = 0; i < catalog_.features_size(); ++i) feature(i);
    for (int i = 0; i < catalog_.sessions_size(); ++i) session(i);
    for (int i = 0; i < catalog_.segments_size(); ++i) segment(i);
    for (int i = 0; i < catalog_.triggers_size(); ++i) trigger(i);
    for (int i = 0; i < catalog_.channels_size(); ++i) channel(i);
    for (int i = 0; i < catalog_.policies_size(); ++i) {
      begin("Policy", catalog_.policies(i).name());
      caps<spur::v1::Policy>(
          catalog_.policies(i), [i](Catalog & c) -> auto& { return *c.mutable_policies(i); });
    }
    return std::move(parts_);
  }

 private:
  void begin(std::string_view kind, const std::string& name) {
    path_ = catalog::resource_path(kind, name) + "/spec";
    who_ = fmt::format("{} {}", kind, name);
  }

  void add(const std::string& field, std::string what, std::function<void(Catalog&)> leave_out,
           std::size_t offset = 0) {
    if (parts_.size() >= kPartsMax) return;
    parts_.push_back({path_ + field, offset, who_ + ": " + std::move(what), std::move(leave_out)});
  }

  // A condition: left out as a whole if it may be, and operand by operand.
  void condition(const std::string& field, const std::string& source,
                 std::function<std::string*(Catalog&)> get, bool whole = true) {
    if (source.empty()) return;
    const std::string name = field.substr(field.rfind('.') + 1);
    if (whole) {
      add(field, fmt::format("`{}`", name), [get](Catalog& c) { get(c)->clear(); });
    }
    for (const Operand& operand : operands_of(source)) {
      add(
          field, fmt::format("in `{}`: {}", name, operand.in(source)),
          [get, operand](Catalog& c) {
            std::string& text = *get(c);
            text = without(text, operand);
          },
          operand.offset);
    }
  }

  // Patterns, each with its `where`. The last of those that are needed cannot be left out.
  void patterns(const std::string& field, const RepeatedPtrField<spur::v1::Pattern>& patterns,
                const Get<RepeatedPtrField<spur::v1::Pattern>>& get, bool needed) {
    for (int i = 0; i < patterns.size(); ++i) {
      const std::string here = fmt::format("{}[{}]", field, i);
      const std::string name = field.substr(field.rfind('.') + 1);
      if (!needed || patterns.size() > 1) {
        const bool inline_pattern = name == "patterns";
        add(here,
            inline_pattern
                ? fmt::format("the pattern {}", i + 1)
                : fmt::format("`{}`{}", name,
                              patterns.size() > 1 ? fmt::format(", the pattern {}", i + 1) : ""),
            [get, i](Catalog& c) { get(c).DeleteSubrange(i, 1); });
      }
      condition(here + ".where", patterns.Get(i).where(),
                [get, i](Catalog& c) { return get(c).Mutable(i)->mutable_where(); });
    }
  }

  template <typename Owner>
  void caps(const Owner& owner, const Get<Owner>& get) {
    for (int i = 0; i < owner.caps_size(); ++i) {
      add(fmt::format(".caps[{}]", i),
          fmt::format("`caps`, {} in {}", owner.caps(i).max(),
                      duration_text(Millis{owner.caps(i).per_ms()})),
          [get, i](Catalog& c) { get(c).mutable_caps()->DeleteSubrange(i, 1); });
    }
  }

  void feature(int i) {
    const spur::v1::Feature& feature = catalog_.features(i);
    begin("Feature", feature.name());
    patterns(
        ".patterns", feature.patterns(),
        [i](Catalog & c) -> auto& { return *c.mutable_features(i)->mutable_patterns(); }, true);
  }

  void session(int i) {
    const spur::v1::Session& session = catalog_.sessions(i);
    begin("Session", session.name());
    patterns(
        ".opens", session.opens(),
        [i](Catalog & c) -> auto& { return *c.mutable_sessions(i)->mutable_opens(); }, true);
    patterns(
        ".keeps", session.keeps(),
        [i](Catalog & c) -> auto& { return *c.mutable_sessions(i)->mutable_keeps(); },
        session.opens().empty());
    patterns(
        ".closes", session.closes(),
        [i](Catalog & c) -> auto& { return *c.mutable_sessions(i)->mutable_closes(); }, false);
  }

  void segment(int i) {
    begin("Segment", catalog_.segments(i).name());
    condition(
        ".when", catalog_.segments(i).when(),
        [i](Catalog& c) { return c.mutable_segments(i)->mutable_when(); }, false);
  }

  void channel(int i) {
    const spur::v1::Channel& channel = catalog_.channels(i);
    begin("Channel", channel.name());
    condition(".reach", channel.reach(),
              [i](Catalog& c) { return c.mutable_channels(i)->mutable_reach(); });
    if (channel.has_quiet_hours()) {
      add(".quiet_hours", "`quiet_hours`",
          [i](Catalog& c) { c.mutable_channels(i)->clear_quiet_hours(); });
    }
    caps<spur::v1::Channel>(
        channel, [i](Catalog & c) -> auto& { return *c.mutable_channels(i); });
  }

  // --- triggers ---

  void trigger(int i) {
    const spur::v1::Trigger& trigger = catalog_.triggers(i);
    if (trigger.has_enabled() && !trigger.enabled()) return;
    begin("Trigger", trigger.name());
    const Get<spur::v1::Trigger> get = [i](Catalog & c) -> auto& { return *c.mutable_triggers(i); };
    add("", "the trigger", [get](Catalog& c) { get(c).set_enabled(false); });
    opening(trigger, get);
    condition(".if", trigger.if_(), [get](Catalog& c) { return get(c).mutable_if_(); });
    condition(".while", trigger.while_(), [get](Catalog& c) { return get(c).mutable_while_(); });
    patterns(
        ".exit", trigger.exit(), [get](Catalog & c) -> auto& { return *get(c).mutable_exit(); },
        false);
    if (trigger.has_cooldown()) {
      add(".cooldown", "`cooldown`", [get](Catalog& c) { get(c).clear_cooldown(); });
    }
    if (!trigger.once().empty()) {
      add(".once", "`once`", [get](Catalog& c) { get(c).clear_once(); });
    }
    for (int step = 0; step < trigger.actions_size(); ++step)
      action(trigger.actions(step), get, step);
  }

  void opening(const spur::v1::Trigger& trigger, const Get<spur::v1::Trigger>& get) {
    if (trigger.has_threshold()) {
      condition(
          ".threshold.when", trigger.threshold().when(),
          [get](Catalog& c) { return get(c).mutable_threshold()->mutable_when(); }, false);
      condition(".threshold.rearm", trigger.threshold().rearm(),
                [get](Catalog& c) { return get(c).mutable_threshold()->mutable_rearm(); });
    } else if (trigger.has_schedule()) {
      condition(
          ".schedule.when", trigger.schedule().when(),
          [get](Catalog& c) { return get(c).mutable_schedule()->mutable_when(); },
          trigger.schedule().edge().empty());
    } else {
      patterns_of_operator(trigger, get);
    }
  }

  // Each pattern of the operator, wherever in it.
  void patterns_of_operator(const spur::v1::Trigger& trigger, const Get<spur::v1::Trigger>& get) {
    const auto* const which = operator_field(trigger);
    if (which == nullptr) return;
    const google::protobuf::Message& body = trigger.GetReflection()->GetMessage(trigger, which);
    for_each_field(body, "." + which->name(), [&](const FieldPlace& at) {
      const auto* const field = &at.field;
      if (field->message_type() != spur::v1::Pattern::descriptor()) return;
      const std::string& name = field->name();
      patterns(
          at.path,
          at.owner.GetReflection()->GetRepeatedPtrField<spur::v1::Pattern>(at.owner, field),
          [ get, which, field, route = at.route ](Catalog & c) -> auto& {
            spur::v1::Trigger& t = get(c);
            google::protobuf::Message& m =
                follow(*t.GetReflection()->MutableMessage(&t, which), route);
            return *m.GetReflection()->MutableRepeatedPtrField<spur::v1::Pattern>(&m, field);
          },
          name != "without" && name != "resets" && name != "closes");
    });
  }

  void action(const spur::v1::ActionStep& action, const Get<spur::v1::Trigger>& get, int step) {
    const std::string here = fmt::format(".actions[{}]", step);
    const std::string name = action.template_().empty() ? fmt::format("step {}", step + 1)
                                                        : "step " + action.template_();
    add(here, name, [get, step](Catalog& c) { get(c).mutable_actions()->DeleteSubrange(step, 1); });
    for (int channel = 0; channel < action.channels_size() && action.channels_size() > 1;
         ++channel) {
      add(fmt::format("{}.channels[{}]", here, channel),
          name + ", channel " + action.channels(channel), [get, step, channel](Catalog& c) {
            get(c).mutable_actions(step)->mutable_channels()->DeleteSubrange(channel, 1);
          });
    }
    condition(here + ".if", action.if_(),
              [get, step](Catalog& c) { return get(c).mutable_actions(step)->mutable_if_(); });
    if (action.expires_ms() > 0) {
      add(here + ".expires", name + ", `expires`",
          [get, step](Catalog& c) { get(c).mutable_actions(step)->clear_expires_ms(); });
    }
  }

  const Catalog& catalog_;
  std::string path_, who_;
  std::vector<Part> parts_;
};

}  // namespace

std::vector<Part> parts_of(const Catalog& catalog) { return Collecting(catalog).run(); }

}  // namespace spur::authoring
