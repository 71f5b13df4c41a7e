#include "daemon/authoring/event_names.h"

#include <map>
#include <optional>
#include <set>

#include "daemon/authoring/message_fields.h"
#include "fmt/format.h"
#include "operators/catalog/nearest.h"
#include "operators/catalog/position.h"
#include "state/event.h"

namespace spur::authoring {
namespace {

using google::protobuf::RepeatedPtrField;

constexpr const char* kFunnel[] = {
    "Product Viewed",   "Product Added to Wishlist", "Product Added", "Product Removed",
    "Checkout Started", "Order Completed",           "Order Refunded"};

class Names {
 public:
  explicit Names(const spur::v1::Catalog& catalog) {
    for (const spur::v1::Source& source : catalog.sources()) {
      for (const std::string& name : source.order()) know(name);
      listed_ = listed_ || source.order_size() > 0;
    }
    if (!listed_) {
      for (const char* name : kFunnel) know(name);
    }
    for (const spur::v1::TrackingPlan& plan : catalog.tracking_plans()) {
      for (const spur::v1::PlannedEvent& event : plan.events()) know(event.name());
    }
    for (const spur::v1::Feature& feature : catalog.features()) {
      for (const spur::v1::Pattern& pattern : feature.patterns()) {
        for (const std::string& name : pattern.on()) know(name);
      }
    }
  }

  std::vector<Never> take() { return std::move(found_); }

  void look(const std::string& path, const RepeatedPtrField<spur::v1::Pattern>& patterns) {
    for (int i = 0; i < patterns.size(); ++i) {
      const spur::v1::Pattern& pattern = patterns.Get(i);
      for (int k = 0; k < pattern.on_size(); ++k) {
        look_at(fmt::format("{}[{}].on[{}]", path, i, k), pattern.on(k));
      }
    }
  }

 private:
  void know(const std::string& name) { known_.emplace(normalized_event_name(name), name); }

  void look_at(const std::string& path, const std::string& name) {
    if (name == "*" || name.starts_with("$")) return;
    const std::string normal = normalized_event_name(name);
    if (known_.contains(normal)) return;
    std::set<std::string> known;
    for (const auto& [normalized, written] : known_) known.insert(normalized);
    const std::optional<std::string> near = catalog::nearest(normal, known);
    if (!near && !listed_) return;
    found_.push_back({path, 0, fmt::format("no Source and no Feature knows an event `{}`", name),
                      near ? fmt::format("did you mean `{}`?", known_.at(*near))
                           : "add it to the `order` of the Source it comes from"});
  }

  std::map<std::string, std::string> known_;  // normalised, and as written
  bool listed_ = false;                       // a Source says which names it has
  std::vector<Never> found_;
};

// All patterns of a message, whatever it is.
void look_through(Names& names, const std::string& path, const google::protobuf::Message& message) {
  for_each_field(message, path, [&](const FieldPlace& at) {
    if (at.field.message_type() != spur::v1::Pattern::descriptor()) return;
    names.look(at.path, at.owner.GetReflection()->GetRepeatedPtrField<spur::v1::Pattern>(
                            at.owner, &at.field));
  });
}

}  // namespace

std::vector<Never> unknown_event_names(const spur::v1::Catalog& catalog) {
  Names names(catalog);
  for (const spur::v1::Session& session : catalog.sessions()) {
    look_through(names, catalog::resource_path("Session", session.name()) + "/spec", session);
  }
  for (const spur::v1::Trigger& trigger : catalog.triggers()) {
    look_through(names, catalog::resource_path("Trigger", trigger.name()) + "/spec", trigger);
  }
  return names.take();
}

}  // namespace spur::authoring
