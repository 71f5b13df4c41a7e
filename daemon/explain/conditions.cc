#include "daemon/explain/conditions.h"

#include <utility>
#include <vector>

#include "fmt/format.h"
#include "operators/expression/text.h"

namespace spur::explain {
namespace {

using expression::Part;

// A part with what it answered.
struct Said {
  const Part* part = nullptr;
  Value value;
  std::vector<Said> parts;
};

// What the programs of parts read is what the whole reads; a slot that the catalog does not have
// has no value.
class KnownSlots final : public expression::Slots {
 public:
  KnownSlots(expression::Slots& slots, std::size_t known) : slots_(slots), known_(known) {}
  Value load(std::uint32_t slot) override {
    return slot < known_ ? slots_.load(slot) : Value::error("not known here");
  }

 private:
  expression::Slots& slots_;
  const std::size_t known_;
};

Said ask(const Part& part, expression::Slots& slots, Arena& arena) {
  Said said{&part, part.program.evaluate(slots, arena), {}};
  for (const Part& inside : part.parts) said.parts.push_back(ask(inside, slots, arena));
  return said;
}

bool is_false(const Value& value) { return value.is(Kind::kBool) && !value.as_bool(); }

// The smallest part that would have to answer otherwise for `said` to become `wanted`.
const Said* deciding(const Said& said, bool wanted) {
  const auto gives = [](const Said& s, bool answer) {
    return answer ? s.value.is_true() : is_false(s.value);
  };
  switch (said.part->kind) {
    case Part::Kind::kAll:
    case Part::Kind::kAny: {
      // Of the terms, the first that is not as wanted; where one as wanted would do, they are all
      // not.
      for (const Said& term : said.parts) {
        if (!gives(term, wanted)) return deciding(term, wanted);
      }
      return &said;
    }
    case Part::Kind::kNot:
      return said.parts.empty() ? &said : deciding(said.parts[0], !wanted);
    case Part::Kind::kChoice:
      if (said.parts.size() == 3 && said.parts[0].value.is(Kind::kBool))
        return deciding(said.parts[said.parts[0].value.as_bool() ? 1 : 2], wanted);
      return &said;
    default:
      return &said;
  }
}

// "`features.orders >= 3` is false: features.orders is 1"
std::string sentence(const Said& said) {
  std::string out = fmt::format("`{}` is ", said.part->text);
  if (said.value.is_error()) return out + fmt::format("an error: {}", said.value.as_text());
  out += json_of(said.value);
  std::string values;
  for (const Said& side : said.parts) {
    if (side.part->constant) continue;
    values += fmt::format(
        "{}{} is {}", values.empty() ? ": " : ", ", side.part->text,
        side.value.is_error() ? std::string(side.value.as_text()) : json_of(side.value));
  }
  return out + values;
}

void list(const Said& said, std::uint32_t depth, const Said* deciding,
          spur::v1::ConditionValue& out) {
  for (const Said& inside : said.parts) {
    if (inside.part->constant) continue;
    spur::v1::ConditionPart& part = *out.add_parts();
    part.set_depth(depth);
    part.set_expression(inside.part->text);
    part.set_value_json(json_of(inside.value));
    part.set_deciding(&inside == deciding);
    list(inside, depth + 1, deciding, out);
  }
}

}  // namespace

std::string json_of(const Value& value) {
  if (value.is_absent()) return "";
  if (value.is_error()) {
    std::string out = "{\"error\":";
    expression::append_json_string(&out, value.as_text());
    return out + "}";
  }
  return expression::to_json(value);
}

void explain_condition(const catalog::Compiled& catalog, std::string_view name,
                       const std::string& source, const expression::Program& program,
                       expression::Slots& slots, Arena& arena, spur::v1::ConditionValue& out) {
  const Value answer = program.evaluate(slots, arena);
  out.set_name(std::string(name));
  out.set_expression(source);
  out.set_value_json(json_of(answer));
  for (const std::uint32_t slot : program.slots()) {
    spur::v1::NamedJson& input = *out.add_inputs();
    input.set_name(catalog.references[slot].to_string());
    input.set_json(json_of(slots.load(slot)));
  }
  expression::References references = catalog.references;  // what it names, it names already
  const std::optional<Part> whole = expression::parts_of(source, *catalog.names, references);
  if (!whole) return;
  KnownSlots known(slots, catalog.references.size());
  const Said said = ask(*whole, known, arena);
  const Said* const decided = answer.is_true() ? nullptr : deciding(said, true);
  list(said, 1, decided, out);
  if (decided != nullptr) out.set_deciding(sentence(*decided));
}

}  // namespace spur::explain
