#include "operators/catalog/tracking_plan.h"

#include <utility>

#include "state/event.h"

namespace spur::catalog {

TrackingPlans::TrackingPlans(const spur::v1::Catalog& catalog) {
  for (const spur::v1::TrackingPlan& plan : catalog.tracking_plans()) {
    traits_.insert(plan.traits().begin(), plan.traits().end());
    for (const spur::v1::PlannedEvent& event : plan.events()) {
      Event& kept = events_[normalized_event_name(event.name())];
      if (kept.name.empty()) kept.name = event.name();
      kept.properties.insert(event.properties().begin(), event.properties().end());
      names_.insert(event.name());
    }
  }
  if (events_.empty()) return;
  // What the default of Policy.consent reads is there without being planned.
  for (const char* name : {"Consent Granted", "Consent Withdrawn"}) {
    Event& kept = events_[normalized_event_name(name)];
    if (kept.name.empty()) kept.name = name;
    names_.insert(kept.name);
    for (const char* property : {"purpose", "purposes", "source", "text_version", "legal_basis"})
      kept.properties.insert(property);
  }
}

bool TrackingPlans::has_event(std::string_view name) const {
  if (events_.empty() || name == "*") return true;
  const std::string normal = normalized_event_name(name);
  return name.starts_with('$') || events_.contains(normal);
}

std::string TrackingPlans::meant(std::string_view name) const {
  const std::optional<std::string> near = expression::nearest_of(name, names_);
  return near ? "did you mean `" + *near + "`?" : "";
}

std::set<std::string> TrackingPlans::properties_of(const std::vector<std::string>* names) const {
  std::set<std::string> all;
  const auto add = [&](const Event& event) {
    all.insert(event.properties.begin(), event.properties.end());
  };
  bool any = names == nullptr || names->empty();
  if (!any) {
    for (const std::string& name : *names) {
      const auto event = events_.find(normalized_event_name(name));
      if (event == events_.end()) {
        any = true;  // "*", a call that no plan describes, or an error told elsewhere
        break;
      }
      add(event->second);
    }
  }
  if (any) {
    for (const auto& [normal, event] : events_) add(event);
  }
  return all;
}

std::string TrackingPlans::what(const std::vector<std::string>* names) const {
  if (names == nullptr || names->size() != 1 || names->front() == "*") return "property";
  return "property of " + names->front();
}

void TrackingPlans::restrict_event(expression::Environment& environment, const std::string& root,
                                   const std::vector<std::string>* names) const {
  if (events_.empty()) return;
  environment.declare_fields(root + ".properties", what(names), properties_of(names));
  environment.declare_values(root + ".name", "event", names_, normalized_event_name);
}

void TrackingPlans::restrict_traits(expression::Environment& environment) const {
  if (!traits_.empty()) environment.declare_fields("traits", "trait", traits_);
}

void TrackingPlans::restrict_item(expression::Environment& environment,
                                  const std::vector<std::string>& path,
                                  const std::vector<std::string>* names) const {
  std::string space;
  for (const std::string& segment : path) space += segment + ".";
  std::set<std::string> below;
  for (const std::string& property : properties_of(names)) {
    if (property.starts_with(space)) below.insert(property.substr(space.size()));
  }
  if (below.empty()) return;
  space.pop_back();
  environment.declare_fields("item", "property of an element of " + space, std::move(below));
}

std::optional<expression::Environment::NoField> TrackingPlans::no_property(
    const std::string& property, const std::vector<std::string>* names) const {
  if (events_.empty()) return std::nullopt;
  expression::Environment environment;
  environment.declare_fields("p", what(names), properties_of(names));
  return environment.no_field("p", {property});
}

}  // namespace spur::catalog
