// The tracking plans of a catalog, all together: which events there are and what is in them.
// Without one, any name is right.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "operators/expression/environment.h"
#include "spur/v1/catalog.pb.h"

namespace spur::catalog {

class TrackingPlans {
 public:
  explicit TrackingPlans(const spur::v1::Catalog& catalog);

  // Whether `name`, in any spelling, is among the events; $page and the like and "*" always are,
  // and all are where no plan names events.
  bool has_event(std::string_view name) const;
  // "did you mean `…`?", or nothing.
  std::string meant(std::string_view name) const;

  // Restricts `root` ("event", "instance.opened") to what events of these names have; nullptr, or a
  // name that stands for all: any planned event.
  void restrict_event(expression::Environment& environment, const std::string& root,
                      const std::vector<std::string>* names) const;
  void restrict_traits(expression::Environment& environment) const;
  // Restricts `item`, the elements of the list at `path` below the properties.
  void restrict_item(expression::Environment& environment, const std::vector<std::string>& path,
                     const std::vector<std::string>* names) const;
  // Why events of these names have no such property; message and hint.
  std::optional<expression::Environment::NoField> no_property(
      const std::string& property, const std::vector<std::string>* names) const;

 private:
  std::set<std::string> properties_of(const std::vector<std::string>* names) const;
  std::string what(const std::vector<std::string>* names) const;

  struct Event {
    std::string name;  // as the plan writes it
    std::set<std::string> properties;
  };
  std::map<std::string, Event, std::less<>> events_;  // by normalised name
  std::set<std::string> names_, traits_;
};

}  // namespace spur::catalog
