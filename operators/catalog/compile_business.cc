// Business data: kind Reference, whose records are read by themselves, and the operator that tells
// customers of changes.
#include "fmt/format.h"
#include "operators/catalog/compile_context.h"

namespace spur::catalog {

using expression::Type;

void compile_references(CompileContext& c) {
  const expression::Environment body = c.body_environment();
  for (int i = 0; i < c.in.references_size(); ++i) {
    const spur::v1::Reference& from = c.in.references(i);
    Reference& reference = c.out.business_data[static_cast<std::size_t>(i)];
    const std::string path = spec_path("Reference", from.name());
    reference.topic = from.topic();
    reference.key = c.program(path + ".key", from.key(), body, Type::dyn());
    reference.time = c.program(path + ".time", from.time(), body, Type::timestamp());
    reference.definition = definition_hash(from, "Reference");
  }
}

void compile_business(CompileContext& c, const spur::v1::BusinessOperator& from,
                      const std::string& path, Trigger& t, Place& at_once) {
  t.kind = Operator::kBusiness;
  t.keyed = true;
  t.reference = index_of(c.in.references(), from.reference());
  if (t.reference == kNone) {
    if (from.reference().empty()) return;  // told already
    return c.error(path + ".reference",
                   fmt::format("there is no Reference `{}`", from.reference()));
  }
  const std::string key_path = path + ".key";
  for (int i = 0; i < from.interest_size(); ++i) {
    const spur::v1::Interest& interest = from.interest(i);
    std::vector<Pattern> patterns =
        c.patterns(path + ".interest[" + std::to_string(i) + "].patterns", interest.patterns(),
                   from.key(), key_path);
    for (Pattern& pattern : patterns) {
      t.opens.push_back(std::move(pattern));
      t.interest.push_back({interest.within_ms()});
    }
  }
  t.closes = c.patterns(path + ".closes", from.closes(), from.key(), key_path);
  at_once.record = t.reference;
  at_once.previous = true;
  t.change_when =
      c.program(path + ".when", from.when(),
                Place{.record = t.reference, .previous = true, .customer = false}, Type::boolean());
  t.rate_max = from.rate().max();
  t.rate_per = {from.rate().per_ms()};
}

}  // namespace spur::catalog
