// What the Policy says of the gate: how events tell of consent and erasure, and which triggers
// silence which.
#include <algorithm>

#include "operators/catalog/compile_context.h"

namespace spur::catalog {
namespace {

using expression::Type;

constexpr const char* kPurpose = "event.properties.purpose";

// Where the Policy does not say how consent is told of: `Consent Granted` and `Consent Withdrawn`,
// with one purpose or a list of them.
void add_default(google::protobuf::RepeatedPtrField<spur::v1::Pattern>& patterns,
                 const char* name) {
  spur::v1::Pattern& one = *patterns.Add();
  one.add_on(name);
  one.set_key(kPurpose);
  spur::v1::Pattern& several = *patterns.Add();
  several.add_on(name);
  several.set_each("event.properties.purposes");
  several.set_key("item");
}

}  // namespace

void compile_gate(CompileContext& c) {
  spur::v1::Policy policy;
  if (!c.in.policies().empty()) policy = c.in.policies(0);
  const std::string path = spec_path("Policy", policy.name());
  Policy& out = c.out.policy;
  out.erasure = c.patterns(path + ".erasure", policy.erasure(), "", path);
  const bool asked = std::any_of(c.out.channels.begin(), c.out.channels.end(),
                                 [](const Channel& channel) { return !channel.purpose.empty(); });
  spur::v1::Consent consent = policy.consent();
  if (asked && consent.granted().empty())
    add_default(*consent.mutable_granted(), "Consent Granted");
  if (asked && consent.withdrawn().empty())
    add_default(*consent.mutable_withdrawn(), "Consent Withdrawn");
  const std::string here = path + ".consent";
  out.consent.granted = c.patterns(here + ".granted", consent.granted(), "", here);
  out.consent.withdrawn = c.patterns(here + ".withdrawn", consent.withdrawn(), "", here);
  if (out.consent.granted.empty() && out.consent.withdrawn.empty()) return;
  const auto said = [&](const char* key, const std::string& written) {
    return c.program(here + "." + key,
                     written.empty() ? std::string("event.properties.") + key : written,
                     Place{.event = true}, Type::dyn());
  };
  out.consent.source = said("source", consent.source());
  out.consent.text_version = said("text_version", consent.text_version());
  out.consent.legal_basis = said("legal_basis", consent.legal_basis());
}

void compile_ladders(CompileContext& c) {
  if (c.in.policies().empty()) return;
  for (const spur::v1::Ladder& ladder : c.in.policies(0).ladders()) {
    const auto rung = [&](const Trigger& t) {
      return std::find(ladder.order().begin(), ladder.order().end(), t.name) -
             ladder.order().begin();
    };
    for (Trigger& t : c.out.triggers) {
      if (rung(t) == ladder.order_size()) continue;
      for (std::uint32_t k = 0; k < c.out.triggers.size(); ++k) {
        const auto other = rung(c.out.triggers[k]);
        // A shadow silences nobody.
        if (other < rung(t) && !c.out.triggers[k].shadow) t.above.push_back(k);
        if (other > rung(t) && other < ladder.order_size() && !t.shadow) t.below.push_back(k);
      }
      t.ladder_for = {ladder.for_ms()};
    }
  }
}

}  // namespace spur::catalog
