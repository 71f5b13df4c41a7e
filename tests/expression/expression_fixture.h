// Verbs for expression tests: declare names, give them values, evaluate a source.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "operators/expression/program.h"
#include "operators/expression/text.h"

namespace spur::expression {

class ExpressionTest : public ::testing::Test {
 protected:
  // A variable and its value; absent() for a declared one that is not there.
  void give(const std::string& name, Type type, Value value) {
    environment_.declare(name, std::move(type));
    values_[name] = value;
  }

  // The result as JSON, "error: …" for an error value, "refused: message; hint" if it does not
  // compile.
  std::string result(const std::string& source) {
    const Compiled compiled = compile(source, environment_, references_, options_);
    if (!compiled.program) return "refused: " + said(compiled.errors.at(0));
    FixtureSlots slots(*this);
    const Value value = compiled.program->evaluate(slots, arena_);
    return value.is_error() ? "error: " + to_text(value) : to_json(value);
  }

  std::string type(const std::string& source) {
    const Compiled compiled = compile(source, environment_, references_, options_);
    return compiled.program ? compiled.program->type().to_string()
                            : "refused: " + said(compiled.errors.at(0));
  }

  // The part of the source that the first error points at.
  std::string blamed(const std::string& source) {
    const Compiled compiled = compile(source, environment_, references_, options_);
    if (compiled.program) return "nothing";
    return source.substr(compiled.errors[0].offset, compiled.errors[0].length);
  }

  static std::string said(const Diagnostic& d) {
    return d.hint.empty() ? d.message : d.message + "; " + d.hint;
  }

  Environment environment_;
  References references_;
  Options options_;
  Arena arena_;

 private:
  class FixtureSlots final : public Slots {
   public:
    explicit FixtureSlots(ExpressionTest& test) : test_(test) {}
    Value load(std::uint32_t slot) override {
      const Reference& reference = test_.references_[slot];
      return select(test_.values_[reference.variable], reference.path);
    }

   private:
    ExpressionTest& test_;
  };

  std::map<std::string, Value> values_;
};

}  // namespace spur::expression
