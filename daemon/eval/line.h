// One expression with all that it needs, on a line of JSON: the shape in which CEL's conformance
// cases are written down.
//
//   {"expr": "x + 1", "typeEnv": [{"name": "x", "ident": {"type": {"primitive": "INT64"}}}],
//    "bindings": {"x": {"value": {"int64Value": "4"}}}, "container": "a.b", "disableCheck": true}
//
// `expr` must be there, all else may be. A function in `typeEnv` is known to the checker, and
// calling it is an error. `checkOnly` asks for the type alone. Other keys are passed over.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "operators/expression/program.h"
#include "state/arena.h"
#include "state/value.h"

namespace spur::eval {

// What a line may be; beyond is a line that cannot be read.
inline constexpr std::size_t kLineBytesMax = 4 << 20;
inline constexpr std::size_t kLineDepthMax = 256;

struct LineOptions {
  bool strict = false;     // plain CEL
  bool unchecked = false;  // as if every line said disableCheck
};

// Owns what the answer points into, so it is neither copied nor moved.
class Line {
 public:
  enum class Outcome {
    kValue,        // `value` is it
    kType,         // checkOnly: `type` is it
    kCheckFailed,  // it does not compile
    kEvalFailed,   // the value is an error
    kUnreadable,   // the line is not as above
  };

  // Runs it. `json` must stay until the line is done with.
  Line(std::string_view json, const LineOptions& options);
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  Outcome outcome() const { return outcome_; }
  const std::string& message() const { return message_; }  // of a failure
  const expression::Type& type() const { return type_; }   // of what compiled
  const Value& value() const { return value_; }            // kValue
  const Value& json() const { return json_; }              // the line as it was read
  Arena& arena() { return arena_; }                        // for what the line says besides

  // {"value": …}, {"type": "list(int)"}, or {"error": "check" | "eval" | "line", "message": …}.
  std::string answer() const;

 private:
  class Bound final : public expression::Slots {
   public:
    explicit Bound(const expression::References& references) : references_(references) {}
    void set(std::string name, Value value) { values_[std::move(name)] = value; }
    Value load(std::uint32_t slot) override;

   private:
    const expression::References& references_;
    std::map<std::string, Value> values_;
  };

  bool read(std::string_view json);
  void declare(const Value& declarations);
  void bind(const Value& bindings);
  void run(const LineOptions& options);
  void end(Outcome outcome, std::string message);
  bool flag(std::string_view key) const;

  Arena arena_;
  Value json_;
  expression::Environment environment_;
  expression::References references_;
  Bound slots_{references_};
  expression::Compiled compiled_;
  Outcome outcome_ = Outcome::kUnreadable;
  std::string message_;
  expression::Type type_;
  Value value_;
};

}  // namespace spur::eval
