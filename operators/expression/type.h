// Type: what the checker knows of a value before it is computed.
//
// Types are CEL's: the scalars, list(T), map(K, V), optional_type(T), type(T), and `dyn` where
// nothing is known and the check waits for the evaluation. object() is a map(string, dyn) from a
// JSON-like source (properties, traits, an item): equal to that map for every rule of the checker,
// but a chain of constant fields below it becomes one slot (reference.h), which a map computed on
// demand must not.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace spur::expression {

// A value; copying costs one reference count at most, and nothing for scalars. Immutable.
class Type {
 public:
  enum class Kind : std::uint8_t {
    kDyn,
    kNull,
    kBool,
    kInt,
    kUint,
    kDouble,
    kString,
    kBytes,
    kTimestamp,
    kDuration,
    kList,
    kMap,
    kOptional,
    kType,       // the type of a type: type(int) is what `int` has
    kAbstract,   // a name with parameters, declared by nobody here
    kParameter,  // stands for any type in an overload's signature, or for one yet to be inferred
  };

  Type() = default;  // dyn

  static Type dyn() { return Type(Kind::kDyn); }
  static Type null() { return Type(Kind::kNull); }
  static Type boolean() { return Type(Kind::kBool); }
  static Type integer() { return Type(Kind::kInt); }
  static Type unsigned_integer() { return Type(Kind::kUint); }
  static Type real() { return Type(Kind::kDouble); }
  static Type string() { return Type(Kind::kString); }
  static Type bytes() { return Type(Kind::kBytes); }
  static Type timestamp() { return Type(Kind::kTimestamp); }
  static Type duration() { return Type(Kind::kDuration); }
  static Type list(Type element);
  static Type map(Type key, Type value);
  static Type object();
  static Type optional(Type value);
  static Type type(Type of);
  static Type type() { return Type(Kind::kType); }  // of whatever: what `type` itself names
  static Type abstract(std::string name, std::vector<Type> parameters);
  static Type parameter(std::string name);

  Kind kind() const { return kind_; }
  bool is(Kind kind) const { return kind_ == kind; }
  bool is_object() const { return object_; }
  bool is_number() const {
    return kind_ == Kind::kInt || kind_ == Kind::kUint || kind_ == Kind::kDouble;
  }

  // Of a list or optional: its one parameter.
  const Type& element() const { return parameters()[0]; }
  // Of a map.
  const Type& key() const { return parameters()[0]; }
  const Type& value() const { return parameters()[1]; }
  // All parameters; none for scalars.
  std::span<const Type> parameters() const;
  // Of an abstract type or a parameter.
  std::string_view name() const;

  // As CEL writes it: "map(string, list(int))". dyn is "dyn"; an optional is "optional_type(int)".
  std::string to_string() const;

  friend bool operator==(const Type& a, const Type& b);

 private:
  struct Detail;

  explicit Type(Kind kind) : kind_(kind) {}
  Type(Kind kind, std::string name, std::vector<Type> parameters);

  Kind kind_ = Kind::kDyn;
  bool object_ = false;
  std::shared_ptr<const Detail> detail_;
};

}  // namespace spur::expression
