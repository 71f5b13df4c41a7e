// What is wrong in a catalog, where, and what would be right: exact texts. Each case is one catalog
// and all that is said about it.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"

namespace spur::catalog {

inline std::string errors(const std::string& yaml) { return to_text(load_text("c", yaml).errors); }

// The document's `spec:` is line 4, so `spec` begins at 4:7 if it is flow and at 5 if it is a
// block.
inline std::string document(const std::string& kind, const std::string& spec,
                            const std::string& name = "x") {
  return "apiVersion: spur/v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: " + spec +
         "\n";
}

inline const std::string kOthers = "---\n" + document("Channel", "{}", "email") + "---\n" +
                                   document("Channel", "{}", "web") + "---\n" +
                                   document("Session", "{keeps: {on: A}, idle: 1h}", "cart") +
                                   "---\n" + document("Model", "{bg_nbd: {on: A}}", "churn");

inline const std::string kActions = "\n  actions: [{channel: email, template: t}]";

struct Case {
  std::string yaml;
  std::string expected;
};

inline void check(const std::vector<Case>& table) {
  for (const Case& c : table) EXPECT_EQ(errors(c.yaml), c.expected) << c.yaml;
}

inline void check_kind(const std::string& kind, const std::vector<Case>& table) {
  for (const Case& c : table)
    EXPECT_EQ(errors(document(kind, c.yaml) + kOthers), c.expected) << c.yaml;
}

// A trigger whose operator is fine but for what is in `yaml`, from line 5 on.
inline void check_trigger(const std::vector<Case>& table) {
  for (const Case& c : table) {
    EXPECT_EQ(errors(document("Trigger", "\n  " + c.yaml + kActions) + kOthers), c.expected)
        << c.yaml;
  }
}

// The one step of a trigger, from 7:5 on.
inline void check_action(const std::vector<Case>& table) {
  for (const Case& c : table) {
    EXPECT_EQ(
        errors(document("Trigger", "\n  event: {on: A}\n  actions:\n  - " + c.yaml) + kOthers),
        c.expected)
        << c.yaml;
  }
}

struct NameCase {
  std::string kind;
  std::string name;
  std::string expected;
};

inline void check_name(const std::vector<NameCase>& table) {
  const std::map<std::string, std::string> specs = {
      {"Feature", "{on: A, aggregate: count}"},
      {"Model", "{bg_nbd: {on: A}}"},
      {"Trigger", "{event: {on: A}, actions: [{channel: email, template: t}]}"},
      {"Session", "{keeps: {on: A}, idle: 1h}"},
      {"Channel", "{}"},
      {"Segment", "{when: a}"},
  };
  for (const NameCase& c : table) {
    EXPECT_EQ(errors(document(c.kind, specs.at(c.kind), c.name) + kOthers), c.expected) << c.name;
  }
}

// As the tool tells them: what the files say wrong and what does not compile, each once.
inline std::string all_errors(const std::string& yaml) {
  const Loaded loaded = load_text("c", yaml);
  return to_text(merged(loaded.errors, compile(loaded.catalog, loaded.positions).errors));
}

}  // namespace spur::catalog
