// Environment: the names that may stand in an expression at one place of the catalog, and their
// types.
//
// Names are dotted: "event.time", "features.orders_30d", "now". What stands before the last dot is
// a namespace and needs no declaration. A name that exists elsewhere in the catalog but not here is
// declared unavailable with the reason, so that the error can say more than "unknown".
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "operators/expression/type.h"

namespace spur::expression {

// A value. Built once per place of the catalog, then shared by all compilations there.
class Environment {
 public:
  // Declares a variable. Declaring it again replaces the type. Type::object() and Type::dyn() fold
  // constant fields below the variable into its slots; a map(K, V) is loaded whole, so it may be
  // computed (LookupMap).
  void declare(std::string dotted_name, Type type);

  // Any use of `dotted_name` or of something below it is an error that says `reason`, for example
  // "`event` is not visible in a threshold's data; use instance.opened". A declared name below it
  // still wins.
  void declare_unavailable(std::string dotted_name, std::string reason);

  // The map `dotted_name` has these keys and never others: asking it for another literal is an
  // error, which calls a key `what`, for example "Segment".
  void declare_keys(std::string dotted_name, std::string what, std::set<std::string> keys);

  // Below the object `dotted_name` there are these fields and never others, with dots for what lies
  // deeper; below one that has none of its own there may be anything. Selecting another is an
  // error, which calls it a `what`.
  void declare_fields(std::string dotted_name, std::string what, std::set<std::string> paths);
  // The text `dotted_name` is one of these and never another: comparing it with another literal is
  // an error, which calls it a `what`. `normal`, if any, makes of each spelling the one that
  // counts.
  void declare_values(std::string dotted_name, std::string what, std::set<std::string> values,
                      std::string (*normal)(std::string_view));

  // A function beside the built-in ones, with one of these signatures; a receiver is the first
  // argument. It has a meaning for the checker alone: an evaluation that comes to it is an error.
  struct Signature {
    std::vector<Type> arguments;
    Type result;
    bool member = false;  // a.f(b), not f(a, b)
  };
  void declare_function(std::string name, std::vector<Signature> signatures);

  // Names are looked up in this namespace first, then in its parents ("a.b": a.b.x, a.x, x). None
  // by default.
  void set_container(std::string container) { container_ = std::move(container); }
  const std::string& container() const { return container_; }

  // The type of a declared variable, or nullptr.
  const Type* find(std::string_view dotted_name) const;
  // The reason given for `dotted_name` or the longest of its prefixes that has one, or nullptr.
  const std::string* unavailable(std::string_view dotted_name) const;
  struct Keys {
    std::string what;
    std::set<std::string> keys;
  };
  // The keys declared for a map, or nullptr: any.
  const Keys* keys(std::string_view dotted_name) const;
  // Why the field `path` below a declared object is none, and what was meant.
  struct NoField {
    std::size_t segment = 0;  // of the path: the first that leads nowhere
    std::string message, hint;
  };
  std::optional<NoField> no_field(std::string_view dotted_name,
                                  const std::vector<std::string>& path) const;
  // Why a declared text is never `value`; message and hint.
  std::optional<std::pair<std::string, std::string>> no_value(std::string_view dotted_name,
                                                              std::string_view value) const;
  // The signatures of a declared function, or nullptr.
  const std::vector<Signature>* function(std::string_view name) const;
  // Whether some declared name lies below `dotted_name`.
  bool is_namespace(std::string_view dotted_name) const;
  // The declared name below `space` ("" for all) nearest to `name` by edit distance, if any is
  // near: the next segment only, so that `features.ordres` suggests `orders`, and `evnt.time`
  // suggests `event`.
  std::optional<std::string> nearest(std::string_view space, std::string_view name) const;

 private:
  std::map<std::string, Type, std::less<>> variables_;
  std::map<std::string, std::string, std::less<>> unavailable_;
  std::map<std::string, Keys, std::less<>> keys_;
  std::map<std::string, Keys, std::less<>> fields_;  // paths with dots
  struct Values {
    Keys of;
    std::string (*normal)(std::string_view) = nullptr;
  };
  std::map<std::string, Values, std::less<>> values_;
  std::map<std::string, std::vector<Signature>, std::less<>> functions_;
  std::string container_;
};

// The candidate nearest to `name` by edit distance, if it is near enough to be meant; ties go to
// the first.
std::optional<std::string> nearest_of(std::string_view name,
                                      const std::set<std::string>& candidates);

}  // namespace spur::expression
