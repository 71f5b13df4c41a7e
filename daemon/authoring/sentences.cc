#include "daemon/authoring/sentences.h"

#include "daemon/authoring/message_fields.h"
#include "fmt/format.h"

namespace spur::authoring {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::RepeatedPtrField;
using spur::v1::Trigger;

std::string patterns_text(const RepeatedPtrField<spur::v1::Pattern>& patterns) {
  std::string text;
  for (const spur::v1::Pattern& pattern : patterns) {
    text += (text.empty() ? "" : "; or ") + pattern_text(pattern);
  }
  return text;
}

std::string names_text(const RepeatedPtrField<spur::v1::Pattern>& patterns) {
  std::string text;
  for (const spur::v1::Pattern& pattern : patterns) {
    for (const std::string& name : pattern.on()) {
      text += (text.empty() ? "" : " or ") + (name == "*" ? std::string("any event") : name);
    }
  }
  return text;
}

using Sentences = std::vector<std::string>;

Sentences absence(const spur::v1::AbsenceOperator& o) {
  Sentences said;
  said.push_back("Waits from " + patterns_text(o.opens()) +
                 (o.key().empty() ? "." : ", one wait for each " + code(o.key()) + "."));
  if (!o.resets().empty())
    said.push_back("The time begins again at " + patterns_text(o.resets()) + ".");
  if (!o.closes().empty())
    said.push_back("The wait is over, and nothing happens, at " + patterns_text(o.closes()) + ".");
  said.push_back(o.after().empty()
                     ? "Fires at " + code(o.until()) + " if the wait is still open."
                     : "Fires if the wait is still open after " + code(o.after()) + ".");
  return said;
}

Sentences session(const spur::v1::SessionOperator& o, const spur::v1::Catalog& catalog) {
  std::string silence;
  for (const spur::v1::Session& one : catalog.sessions()) {
    if (one.name() == o.of() && one.idle_ms() > 0)
      silence = duration_text(Millis{one.idle_ms()}) + " of ";
  }
  const std::string what = o.on() == "opened" ? "opens"
                           : o.on() == "idle" ? "ends by " + silence + "silence"
                                              : "is closed";
  return {"Fires when the session " + code(o.of()) + " " + what + "."};
}

Sentences threshold(const spur::v1::ThresholdOperator& o) {
  Sentences said{"Fires when this becomes true: " + code(o.when()) + ".",
                 o.rearm().empty()
                     ? "Fires again only after it was false."
                     : "Fires again only after this was true: " + code(o.rearm()) + "."};
  if (o.every_ms() > 0)
    said.push_back("Is also asked every " + duration_text(Millis{o.every_ms()}) + ".");
  return said;
}

Sentences novelty(const spur::v1::NoveltyOperator& o) {
  std::string of = o.of().empty() && o.patterns_size() > 0 ? o.patterns(0).of() : o.of();
  Sentences said{(o.kth() > 0 ? fmt::format("Fires at different value {} of ", o.kth())
                              : std::string("Fires at each value not seen before of ")) +
                 code(of) + " at " + patterns_text(o.patterns()) + "."};
  if (o.after_first()) said.push_back("The very first such event does not fire.");
  return said;
}

Sentences schedule(const spur::v1::ScheduleOperator& o) {
  const std::string zone = o.zone().empty()         ? "the Policy's zone"
                           : o.zone() == "customer" ? "the customer's zone"
                                                    : o.zone();
  Sentences said{"Is asked at each time of " + code(o.cron()) + " (" + zone + ")."};
  if (o.when().empty()) {
    said.push_back("Fires each time.");
  } else {
    said.push_back((o.edge() == "rising" ? "Fires when this is true and was not the time before: "
                                         : "Fires each time that this is true: ") +
                   code(o.when()) + ".");
  }
  return said;
}

Sentences prediction(const spur::v1::PredictionOperator& o) {
  Sentences said{fmt::format("Fires when the score of the model {} reaches {}.", code(o.model()),
                             o.at_least())};
  if (o.has_rearm_below())
    said.push_back(fmt::format("Fires again only after it was below {}.", o.rearm_below()));
  if (o.every_ms() > 0)
    said.push_back("Is asked at the model's events and every " +
                   duration_text(Millis{o.every_ms()}) + ".");
  return said;
}

// Any operator, by its fields.
Sentences fields_of(const Trigger& trigger) {
  const FieldDescriptor* const field = operator_field(trigger);
  if (field == nullptr) return {};
  Sentences said;
  for (const FieldText& one :
       field_texts(trigger.GetReflection()->GetMessage(trigger, field), "spec")) {
    said.push_back(one.path.substr(std::min<std::size_t>(one.path.size(), 5)) + ": " +
                   code(one.text));
  }
  return said;
}

}  // namespace

std::string pattern_text(const spur::v1::Pattern& pattern) {
  std::string text;
  for (const std::string& name : pattern.on()) {
    text += (text.empty() ? "" : " or ") + (name == "*" ? std::string("any event") : name);
  }
  if (!pattern.each().empty()) text += ", each of " + code(pattern.each());
  if (!pattern.where().empty()) text += " where " + code(pattern.where());
  if (!pattern.key().empty()) text += " with the key " + code(pattern.key());
  return text;
}

std::string cap_text(const spur::v1::Cap& cap) {
  return fmt::format("at most {} in {}", cap.max(), duration_text(Millis{cap.per_ms()}));
}

std::string operator_name(const Trigger& trigger) {
  const FieldDescriptor* const field = operator_field(trigger);
  return field == nullptr ? "" : field->name();
}

std::vector<std::string> operator_sentences(const Trigger& trigger,
                                            const spur::v1::Catalog& catalog) {
  if (trigger.has_event()) return {"Fires at " + patterns_text(trigger.event().patterns()) + "."};
  if (trigger.has_absence()) return absence(trigger.absence());
  if (trigger.has_session()) return session(trigger.session(), catalog);
  if (trigger.has_threshold()) return threshold(trigger.threshold());
  if (trigger.has_novelty()) return novelty(trigger.novelty());
  if (trigger.has_schedule()) return schedule(trigger.schedule());
  if (trigger.has_prediction()) return prediction(trigger.prediction());
  return fields_of(trigger);
}

std::vector<Point> opening_points(const Trigger& trigger) {
  if (trigger.has_absence()) {
    const spur::v1::AbsenceOperator& o = trigger.absence();
    return {{names_text(o.opens()), ""},
            {"fires", o.after().empty() ? "until " + o.until() : o.after()}};
  }
  if (trigger.has_event()) return {{names_text(trigger.event().patterns()), ""}};
  if (trigger.has_novelty()) return {{names_text(trigger.novelty().patterns()), ""}};
  if (trigger.has_schedule()) return {{trigger.schedule().cron(), ""}};
  if (trigger.has_session()) return {{trigger.session().of() + " " + trigger.session().on(), ""}};
  return {{"fires", ""}};
}

}  // namespace spur::authoring
