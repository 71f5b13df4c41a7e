#include "operators/expression/checker.h"

#include <algorithm>
#include <utility>

#include "operators/expression/inference.h"
#include "operators/expression/mismatch.h"
#include "operators/expression/names.h"

namespace spur::expression {
namespace {

class Checker {
 public:
  Checker(Tree& tree, const Environment& environment, const Options& options)
      : tree_(tree), environment_(environment), names_(environment), options_(options) {
    checked_.meanings.resize(tree.size());
  }

  Checked run() {
    const Type type = visit(tree_.root);
    for (Meaning& meaning : checked_.meanings) meaning.type = inference_.settled(meaning.type);
    checked_.type = inference_.settled(type);
    const auto by_place = [](const Diagnostic& a, const Diagnostic& b) {
      return a.offset < b.offset;
    };
    std::stable_sort(checked_.errors.begin(), checked_.errors.end(), by_place);
    std::stable_sort(checked_.warnings.begin(), checked_.warnings.end(), by_place);
    return std::move(checked_);
  }

 private:
  struct Local {
    std::string_view name;
    Type type;
  };

  Meaning& meaning(NodeId id) { return checked_.meanings[id]; }

  Type visit(NodeId id) {
    Type type = type_of(id);
    if (!options_.check) type = Type::dyn();
    meaning(id).type = type;
    return type;
  }

  // Names and types that do not fit. Unchecked, a name without meaning fails when evaluated, and
  // types do not matter.
  Type fail(NodeId id, Diagnostic diagnostic) {
    meaning(id).kind = Meaning::Kind::kFailed;
    meaning(id).name = diagnostic.message;
    if (options_.check) checked_.errors.push_back(std::move(diagnostic));
    return Type::dyn();
  }
  Type mismatch(NodeId id, std::string message, std::string hint = "") {
    if (options_.check) {
      const Node& node = tree_[id];
      checked_.errors.push_back({node.offset, node.length, std::move(message), std::move(hint)});
    }
    return Type::dyn();
  }

  Type type_of(NodeId id) {
    switch (tree_[id].kind) {
      case NodeKind::kLiteral:
        return literal_type(tree_[id].literal);
      case NodeKind::kIdentifier:
        return name(id);
      case NodeKind::kSelect:
        return selection(id);
      case NodeKind::kCall:
        return call(id);
      case NodeKind::kList:
        return list(id);
      case NodeKind::kMap:
        return map(id);
      case NodeKind::kComprehension:
        return comprehension(id);
      case NodeKind::kBind:
        return bind(id);
      case NodeKind::kOptionalMap:
        return optional_map(id);
      case NodeKind::kMessage:
        break;
    }
    const Node& node = tree_[id];
    return fail(id, {node.offset, node.length, "messages cannot be made here",
                     "write a map: {'field': value}"});
  }

  static Type literal_type(const Value& value) {
    switch (value.kind()) {
      case Kind::kNull:
        return Type::null();
      case Kind::kBool:
        return Type::boolean();
      case Kind::kInt:
        return Type::integer();
      case Kind::kUint:
        return Type::unsigned_integer();
      case Kind::kDouble:
        return Type::real();
      case Kind::kString:
        return Type::string();
      default:
        return Type::bytes();
    }
  }

  // --- names and fields ---

  const Local* local(std::string_view name) const {
    for (auto at = locals_.rbegin(); at != locals_.rend(); ++at) {
      if (at->name == name) return &*at;
    }
    return nullptr;
  }

  // The chain ending here, unless it starts at a macro's variable.
  std::optional<Chain> outer_chain(NodeId id) const {
    std::optional<Chain> chain = chain_of(tree_, id);
    if (chain && !chain->rooted && local(chain->segments[0].name) != nullptr) return std::nullopt;
    return chain;
  }

  // A field that the object never has: event.properties.totl under a tracking plan.
  void check_fields(const Chain& chain, const Reference& reference) {
    std::optional<Environment::NoField> none =
        environment_.no_field(reference.variable, reference.path);
    if (!none) return;
    const std::size_t first = chain.segments.size() - reference.path.size();
    mismatch(chain.segments[first + none->segment].node, std::move(none->message),
             std::move(none->hint));
  }

  // A literal that the text it is compared with never is: event.name == 'Order Complted'.
  void check_value(NodeId literal, NodeId text) {
    const Node& node = tree_[literal];
    const std::optional<Chain> chain = outer_chain(text);
    if (!chain) return;
    const auto check = [&](NodeId id) {
      const Node& one = tree_[id];
      if (one.kind != NodeKind::kLiteral || !one.literal.is(Kind::kString)) return;
      auto none =
          environment_.no_value(chain->dotted(chain->segments.size()), one.literal.as_text());
      if (none) mismatch(id, std::move(none->first), std::move(none->second));
    };
    check(literal);
    if (node.kind == NodeKind::kList) {
      for (const NodeId element : node.arguments) check(element);
    }
  }

  // If the chain ending here is one slot, notes it. The type of what is in the slot.
  std::optional<Type> slot(NodeId id, const Chain& chain) {
    std::optional<FoundVariable> found = names_.variable(chain);
    if (!found) return std::nullopt;
    check_fields(chain, found->reference);
    meaning(id).kind = Meaning::Kind::kSlot;
    meaning(id).reference = std::move(found->reference);
    return found->type;
  }

  std::optional<Type> type_name(NodeId id, const Chain& chain) {
    for (const std::string& name :
         names_.candidates(chain.dotted(chain.segments.size()), chain.rooted)) {
      std::optional<Type> type = named_type(name);
      if (!type) continue;
      meaning(id).kind = Meaning::Kind::kTypeName;
      meaning(id).name = name;
      return Type::type(*type);
    }
    return std::nullopt;
  }

  Type name(NodeId id) {
    const Node& node = tree_[id];
    if (!node.rooted) {
      if (const Local* found = local(node.name)) {
        meaning(id).kind = Meaning::Kind::kLocal;
        return found->type;
      }
    }
    const Chain chain = *chain_of(tree_, id);
    if (std::optional<Type> type = slot(id, chain)) return *type;
    if (std::optional<Type> type = type_name(id, chain)) return *type;
    return fail(id, names_.unknown(tree_, chain));
  }

  Type selection(NodeId id) {
    const Node& node = tree_[id];
    if (const std::optional<Chain> chain = outer_chain(id)) {
      if (const std::optional<Type> type = slot(id, *chain)) {
        if (node.test) return Type::boolean();
        return node.optional ? Type::optional(*type) : *type;
      }
      if (std::optional<Type> type = type_name(id, *chain)) return *type;
      if (!names_.is_below_variable(*chain)) return fail(id, names_.unknown(tree_, *chain));
    }
    const Type target = visit(node.target);
    const Type field = field_type(id, target);
    if (node.test) return Type::boolean();
    const bool optional = node.optional && !field.is(Type::Kind::kOptional);
    return optional ? Type::optional(field) : field;
  }

  Type field_type(NodeId id, const Type& target) {
    const Type type = inference_.known(target);
    switch (type.kind()) {
      case Type::Kind::kDyn:
      case Type::Kind::kParameter:
        return Type::dyn();
      case Type::Kind::kOptional: {
        const Type inner = field_type(id, type.element());
        return inner.is(Type::Kind::kOptional) ? inner : Type::optional(inner);
      }
      case Type::Kind::kMap:
        if (inference_.assignable(Type::string(), type.key())) return type.value();
        return mismatch(id, "a " + type.to_string() + " has no names as keys");
      default:
        return mismatch(id, "a value of type " + type.to_string() + " has no fields",
                        "`" + std::string(tree_[id].name) + "` can be selected from a map");
    }
  }

  // --- calls ---

  // A literal that the map it is asked of never has: 'vpi' in segments.
  void check_key(NodeId key, NodeId map) {
    const Node& literal = tree_[key];
    if (literal.kind != NodeKind::kLiteral || !literal.literal.is(Kind::kString)) return;
    const std::optional<Chain> chain = outer_chain(map);
    if (!chain) return;
    const Environment::Keys* const known = environment_.keys(chain->dotted(chain->segments.size()));
    const std::string name(literal.literal.as_text());
    if (known == nullptr || known->keys.contains(name)) return;
    const std::optional<std::string> near = nearest_of(name, known->keys);
    mismatch(key, "there is no " + known->what + " `" + name + "`",
             near ? "did you mean `" + *near + "`?" : "");
  }

  Type call(NodeId id) {
    const Node& node = tree_[id];
    if (node.name == "@in" && node.arguments.size() == 2)
      check_key(node.arguments[0], node.arguments[1]);
    if (node.name == "_[_]" && node.arguments.size() == 2)
      check_key(node.arguments[1], node.arguments[0]);
    if (node.name == "@in" && node.arguments.size() == 2)
      check_value(node.arguments[1], node.arguments[0]);
    if ((node.name == "_==_" || node.name == "_!=_") && node.arguments.size() == 2) {
      check_value(node.arguments[1], node.arguments[0]);
      check_value(node.arguments[0], node.arguments[1]);
    }
    if (node.name == "_[_]" && node.target == kNoNode) {
      if (const std::optional<Chain> chain = outer_chain(id)) {
        if (const std::optional<Type> type = slot(id, *chain)) return *type;
      }
    }
    if (node.target != kNoNode) {
      if (const Function* function = qualified_function(id)) return resolve(id, *function, false);
    }
    for (const std::string& name : names_.candidates(node.name, false)) {
      if (const auto* signatures = environment_.function(name)) {
        return declared_call(id, name, *signatures);
      }
      const auto at = functions().find(name);
      if (at != functions().end()) return resolve(id, at->second, node.target != kNoNode);
    }
    visit_arguments(id, node.target != kNoNode);
    return fail(id, unknown_function(node));
  }

  // A function that the environment declares: checked like any other, but there is nothing to run.
  Type declared_call(NodeId id, const std::string& name,
                     const std::vector<Environment::Signature>& signatures) {
    Function function{name, {}};
    for (const Environment::Signature& signature : signatures) {
      Overload& overload = function.overloads.emplace_back();
      overload.arguments = signature.arguments;
      overload.result = signature.result;
      overload.member = signature.member;
    }
    const Type type = resolve(id, function, tree_[id].target != kNoNode);
    meaning(id).kind = Meaning::Kind::kFailed;
    meaning(id).name = "`" + name + "` is declared and has no definition here";
    meaning(id).overloads.clear();
    return type;
  }

  // math.greatest(…): a call on something that is no value but the first part of a function's name.
  const Function* qualified_function(NodeId id) {
    const std::optional<Chain> chain = outer_chain(tree_[id].target);
    if (!chain) return nullptr;
    const std::string name =
        chain->dotted(chain->segments.size()) + "." + std::string(tree_[id].name);
    for (const std::string& candidate : names_.candidates(name, chain->rooted)) {
      const auto at = functions().find(candidate);
      if (at != functions().end()) return &at->second;
    }
    return nullptr;
  }

  std::vector<Type> visit_arguments(NodeId id, bool receiver) {
    std::vector<Type> types;
    if (receiver) types.push_back(visit(tree_[id].target));
    for (const NodeId argument : tree_[id].arguments) types.push_back(visit(argument));
    return types;
  }

  bool allowed(const Overload& overload, bool receiver, std::size_t arguments) const {
    return overload.member == receiver && overload.arguments.size() == arguments &&
           !(options_.strict && overload.dialect == Dialect::kSpur);
  }

  Type resolve(NodeId id, const Function& function, bool receiver) {
    std::vector<Type> types = visit_arguments(id, receiver);
    meaning(id).kind = Meaning::Kind::kCall;
    meaning(id).receiver = receiver;
    if (!options_.strict && options_.check) meet_numbers(id, function.name, &types);
    std::optional<Type> result;
    for (const Overload& overload : function.overloads) {
      if (!allowed(overload, receiver, types.size())) continue;
      const Overload instance = inference_.instantiate(overload);
      if (options_.check && !inference_.assignable(types, instance.arguments)) continue;
      meaning(id).overloads.push_back(&overload);
      const Type type = inference_.known(instance.result);
      result = !result || *result == type ? type : Type::dyn();
    }
    if (!result) {
      for (Type& type : types) type = inference_.settled(type);
      const std::string message = mismatch_message(function, types, receiver);
      const std::string hint = mismatch_hint(function, types, receiver, options_.strict);
      if (options_.check) return mismatch(id, message, hint);
      return fail(id, {0, 0, message, hint});
    }
    warn_of_division(id, function.name, types);
    return *result;
  }

  // Where two values become one, a number of either kind will do: `x.orValue(0)` for a double, `c ?
  // 1 : 0.5`. An int literal becomes a double; of two other kinds the result is dyn.
  void meet_numbers(NodeId id, const std::string& function, std::vector<Type>* types) {
    const Node& node = tree_[id];
    if (function == "_?_:_") {
      meet(node.arguments[1], &(*types)[1], node.arguments[2], &(*types)[2]);
    } else if (function == "orValue" && types->size() == 2 && node.target != kNoNode) {
      const Type receiver = inference_.known((*types)[0]);
      if (!receiver.is(Type::Kind::kOptional)) return;
      Type inner = receiver.element();
      meet(kNoNode, &inner, node.arguments[0], &(*types)[1]);
      (*types)[0] = Type::optional(inner);
    }
  }

  void meet(NodeId a, Type* a_type, NodeId b, Type* b_type) {
    const Type x = inference_.known(*a_type);
    const Type y = inference_.known(*b_type);
    if (!x.is_number() || !y.is_number() || x == y) return;
    if (y.is(Type::Kind::kDouble) && make_double(a)) {
      *a_type = Type::real();
    } else if (x.is(Type::Kind::kDouble) && make_double(b)) {
      *b_type = Type::real();
    } else {
      *a_type = Type::dyn();
      *b_type = Type::dyn();
    }
  }

  bool make_double(NodeId id) {
    if (id == kNoNode || tree_[id].kind != NodeKind::kLiteral) return false;
    Value& literal = tree_[id].literal;
    if (!literal.is(Kind::kInt)) return false;
    literal = Value::real(static_cast<double>(literal.as_int()));
    meaning(id).type = Type::real();
    return true;
  }

  void warn_of_division(NodeId id, const std::string& function, const std::vector<Type>& types) {
    if (function != "_/_" || !options_.check) return;
    if (!inference_.known(types[0]).is(Type::Kind::kInt)) return;
    if (!inference_.known(types[1]).is(Type::Kind::kInt)) return;
    const Node& node = tree_[id];
    checked_.warnings.push_back({node.offset, node.length,
                                 "int / int drops the remainder: 7 / 2 is 3",
                                 "write double(a) / b for 3.5"});
  }

  // --- lists, maps, macros ---

  bool is_optional_entry(const Node& node, std::size_t entry) const {
    return entry < node.optional_entries.size() && node.optional_entries[entry];
  }

  // The type of an element or of a map's value, what it holds if it was written with `?`.
  Type entry_type(NodeId id, bool optional) {
    const Type type = visit(id);
    if (!optional) return type;
    const Type held = inference_.fresh();
    if (!inference_.assignable(type, Type::optional(held))) {
      return mismatch(
          id, "an entry with `?` needs an optional, not " + inference_.settled(type).to_string(),
          "wrap it: optional.of(…)");
    }
    return inference_.known(held);
  }

  Type list(NodeId id) {
    std::optional<Type> element;
    const std::size_t count = tree_[id].arguments.size();
    for (std::size_t i = 0; i < count; ++i) {
      const Type type = entry_type(tree_[id].arguments[i], is_optional_entry(tree_[id], i));
      element = element ? inference_.join(*element, type) : type;
    }
    return Type::list(element ? *element : inference_.fresh());
  }

  Type map(NodeId id) {
    std::optional<Type> key;
    std::optional<Type> value;
    const std::size_t count = tree_[id].arguments.size() / 2;
    for (std::size_t i = 0; i < count; ++i) {
      const Type k = visit(tree_[id].arguments[2 * i]);
      const Type v = entry_type(tree_[id].arguments[2 * i + 1], is_optional_entry(tree_[id], i));
      key = key ? inference_.join(*key, k) : k;
      value = value ? inference_.join(*value, v) : v;
    }
    return Type::map(key ? *key : inference_.fresh(), value ? *value : inference_.fresh());
  }

  // Checks `id` with variables in scope.
  Type visit_with(NodeId id, std::initializer_list<Local> locals) {
    for (const Local& added : locals) {
      if (!added.name.empty()) locals_.push_back(added);
    }
    const std::size_t added = static_cast<std::size_t>(std::count_if(
        locals.begin(), locals.end(), [](const Local& l) { return !l.name.empty(); }));
    const Type type = visit(id);
    locals_.resize(locals_.size() - added);
    return type;
  }

  Type comprehension(NodeId id) {
    const Node& node = tree_[id];
    const Type range = inference_.known(visit(node.target));
    Type key = Type::dyn();
    Type value = Type::dyn();
    if (range.is(Type::Kind::kList)) {
      key = Type::integer();
      value = range.element();
    } else if (range.is(Type::Kind::kMap)) {
      key = range.key();
      value = range.value();
    } else if (!range.is(Type::Kind::kDyn) && !range.is(Type::Kind::kParameter)) {
      mismatch(id,
               "`" + std::string(node.name) + "` needs a list or a map, not " + range.to_string());
    }
    // With one variable it is a list's element or a map's key.
    const Type element = range.is(Type::Kind::kMap) ? key : value;
    const Local first{node.variable, node.second.empty() ? element : key};
    const Local second{node.second, value};
    if (node.condition != kNoNode) {
      const Type condition = visit_with(node.condition, {first, second});
      if (!inference_.assignable(condition, Type::boolean())) {
        mismatch(node.condition, "the condition of `" + std::string(node.name) +
                                     "` must be a bool, not " +
                                     inference_.settled(condition).to_string());
      }
    }
    const Type result = node.result == kNoNode ? Type() : visit_with(node.result, {first, second});
    switch (node.macro) {
      case Macro::kFilter:
        return Type::list(element);
      case Macro::kMap:
        return Type::list(result);
      case Macro::kTransformMap:
        return Type::map(key, result);
      case Macro::kTransformMapEntry:
        return result;
      default:
        return Type::boolean();
    }
  }

  Type bind(NodeId id) {
    const Type value = visit(tree_[id].target);
    return visit_with(tree_[id].result, {{tree_[id].variable, value}});
  }

  Type optional_map(NodeId id) {
    const Type target = visit(tree_[id].target);
    const Type held = inference_.fresh();
    if (!inference_.assignable(target, Type::optional(held))) {
      mismatch(id, "`" + std::string(tree_[id].name) + "` needs an optional, not " +
                       inference_.settled(target).to_string());
    }
    const Type result =
        visit_with(tree_[id].result, {{tree_[id].variable, inference_.known(held)}});
    if (!tree_[id].flat) return Type::optional(result);
    const Type inner = inference_.fresh();
    if (!inference_.assignable(result, Type::optional(inner))) {
      mismatch(tree_[id].result, "optFlatMap needs an optional as its result", "or use optMap");
    }
    return Type::optional(inference_.known(inner));
  }

  Tree& tree_;
  const Environment& environment_;
  Names names_;
  const Options& options_;
  Inference inference_;
  Checked checked_;
  std::vector<Local> locals_;
};

}  // namespace

Checked check(Tree& tree, const Environment& environment, const Options& options) {
  return Checker(tree, environment, options).run();
}

}  // namespace spur::expression
