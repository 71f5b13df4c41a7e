// What programs read from outside, and how they read it.
//
// A chain such as `event.properties.address.city` is not walked by the program: it is one
// Reference, numbered once for all programs of a catalog, and an evaluation asks for it by number.
// So whoever evaluates decodes just the fields that some program names, each at most once, and a
// predicate never looks a name up.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "state/value.h"

namespace spur::expression {

// A declared variable and the constant fields selected below it; the path is empty for the variable
// itself. `event.properties.total` is {"event.properties", {"total"}} where "event.properties" is
// declared.
struct Reference {
  std::string variable;
  std::vector<std::string> path;

  // With dots, for messages: "event.properties.total".
  std::string to_string() const;

  friend auto operator<=>(const Reference&, const Reference&) = default;
};

// All references that the programs of one catalog read. Filled while compiling, then only read. A
// slot's number is its place in the order of first use, so the same catalog compiled in the same
// order has the same numbers.
class References {
 public:
  // The slot of `reference`, given a number if it is new.
  std::uint32_t slot(const Reference& reference);
  const Reference& operator[](std::uint32_t slot) const { return references_[slot]; }
  std::size_t size() const { return references_.size(); }

 private:
  std::vector<Reference> references_;
  std::map<Reference, std::uint32_t> slots_;
};

// Where an evaluation gets its values from. Implemented by whoever evaluates; called by
// Program::evaluate.
class Slots {
 public:
  // The value of References[slot] now:
  //   a value            it is there (a JSON null is there: Value::null());
  //   Value::absent()    it is not there, though what it would stand in is: `has()` says false,
  //   `.?x` is none, reading
  //                      it is an error;
  //   an error Value     what it would stand in is missing or is no map: an error for has() too.
  // select() gives exactly this for data held as Values. What is returned must live until the
  // evaluation's result has been used. May be asked for one slot several times in an evaluation and
  // must then answer the same.
  virtual Value load(std::uint32_t slot) = 0;

 protected:
  ~Slots() = default;
};

// Slots held in an array, absent until set. For tests, benchmarks and callers that have few slots.
class ArraySlots final : public Slots {
 public:
  explicit ArraySlots(std::size_t size) : values_(size) {}
  void set(std::uint32_t slot, Value value) { values_[slot] = value; }
  Value load(std::uint32_t slot) override { return values_[slot]; }

 private:
  std::vector<Value> values_;
};

// What Slots::load must answer for the field `path` below `root`, where `root` is itself a load's
// answer: the value; absent if only the last field is missing; an error if an earlier one is
// missing or is no map. An empty path is `root`.
Value select(const Value& root, std::span<const std::string> path);

}  // namespace spur::expression
