// Every field of the catalog's schema with values that are wrong, missing, extreme or in conflict:
// by the schema, so a new field is tried the day it is there. Each must give an error with its
// place, or be one of the values that such a field takes; nothing may crash or be passed over.
#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "operators/catalog/compile.h"
#include "operators/catalog/field_names.h"
#include "operators/catalog/known.h"
#include "operators/catalog/load.h"
#include "operators/catalog/yaml.h"
#include "spur/v1/catalog.pb.h"

namespace spur::catalog {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Every field of the schema, where it goes together with others; where it is missing it is tried as
// well, put in.
constexpr const char* kBase = R"(
apiVersion: spur/v1
kind: Source
metadata: {name: shop}
spec: {topic: events.shop, format: segment, deduplicate: 24h, order: [A, B]}
---
apiVersion: spur/v1
kind: Source
metadata: {name: till}
spec:
  topic: events.till
  format: json
  map: {id: body.id, name: "'A'", time: body.at, identities: {user_id: body.card}, properties: {total: body.sum}, traits: {email: body.mail}}
---
apiVersion: spur/v1
kind: Reference
metadata: {name: products}
spec: {topic: products, format: json, key: body.id, time: timestamp(body.since)}
---
apiVersion: spur/v1
kind: TrackingPlan
metadata: {name: plan}
spec:
  events:
    A: [total, cart, x, k, items.x, items.id, c, kind, due, product, f]
    B: [cart, k, c, f, product]
    C: [cart, k, f]
    D: [f]
    G: [p, s, t, l]
    W: [p, s, t, l]
    E: []
  traits: [email, birthday]
---
apiVersion: spur/v1
kind: Feature
metadata: {name: heat}
spec: {on: A, aggregate: decayed, of: event.properties.total, half_life: 1d}
---
apiVersion: spur/v1
kind: Feature
metadata: {name: rhythm}
spec: {on: A, aggregate: gaps, distinct_days: true}
---
apiVersion: spur/v1
kind: Feature
metadata: {name: by_kind}
spec: {on: A, by: event.properties.kind, aggregate: count, within: cart}
---
apiVersion: spur/v1
kind: Feature
metadata: {name: spent}
spec: {on: A, where: event.properties.total > 0, aggregate: sum, of: event.properties.total, window: 30d, offset: 1d, limit: 100}
---
apiVersion: spur/v1
kind: Session
metadata: {name: cart}
spec: {key: event.properties.cart, opens: {on: A}, keeps: {on: B}, closes: {on: C}, idle: 30m}
---
apiVersion: spur/v1
kind: Segment
metadata: {name: vip}
spec: {when: features.spent > 100}
---
apiVersion: spur/v1
kind: Channel
metadata: {name: email}
spec:
  topic: actions.email
  format: json
  reach: has(traits.email)
  purpose: mail
  quiet_hours: {from: "21:00", to: "08:00", zone: customer, then: defer}
  caps: [{max: 1, per: 1d}]
---
apiVersion: spur/v1
kind: Channel
metadata: {name: web}
spec: {topic: actions.web, delivery: transactional, rate: {max: 10, per: 1m}}
---
apiVersion: spur/v1
kind: Policy
metadata: {name: everything}
spec:
  zone: Europe/Stockholm
  caps: [{max: 5, per: 7d}]
  holdout: {percent: 5, salt: "2026"}
  max_action_age: 6h
  lateness: 5s
  ladders: {intent: {order: [absence, event], for: 48h}}
  consent: {granted: {on: G, key: event.properties.p}, withdrawn: {on: W, key: event.properties.p}, source: event.properties.s, text_version: event.properties.t, legal_basis: event.properties.l}
  erasure: {on: E}
  arbitration: channel
---
apiVersion: spur/v1
kind: Model
metadata: {name: churn}
spec: {bg_nbd: {on: A, distinct_days: true, horizon: 39w}, parameters: {r: 0.24, alpha: 4.4, a: 0.79, b: 2.4, unit: 1w}}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: absence}
spec:
  class: marketing
  priority: 3
  enabled: true
  from: 2026-01-01T00:00:00Z
  to: 2027-01-01T00:00:00Z
  backfill: once
  absence: {key: event.properties.k, opens: {on: A, where: event.properties.x > 1}, resets: {on: A}, closes: {on: B}, after: 1h, grace: 10s}
  if: features.spent > 1
  while: features.spent > 2
  exit: {on: C}
  cooldown: {customer: 7d, key: 1d}
  once: key
  actions: [{channel: email, template: t, data: {a: instance.key}, if: features.spent > 3, after: 1h, expires: 2h}]
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: event}
spec: {shadow: true, event: {on: A, each: event.properties.items, where: item.x > 1, key: item.id}, actions: [{channel: email, template: t}]}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: threshold}
spec: {threshold: {when: features.spent > 100, rearm: features.spent < 50, every: 1d}, actions: [{channel: email, template: t}]}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: session}
spec: {session: {of: cart, on: idle, grace: 10s}, actions: [{channel: email, template: t}]}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: novelty}
spec: {novelty: {on: A, of: event.properties.c, kth: 3, after_first: false, limit: 100}, actions: [{channel: email, template: t}]}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: schedule}
spec: {schedule: {cron: "0 9 * * *", zone: UTC, when: features.spent > 1, edge: rising}, actions: [{channel: email, template: t}]}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: prediction}
spec: {prediction: {model: churn, at_least: 0.6, rearm_below: 0.4, every: 1d}, actions: [{channel: email, template: t}]}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: rhythm}
spec: {rhythm: {on: A, change: drop, usual: mean, factor: 3, gaps_min: 3, distinct_days: true, fallback: 30d, grace: 10s}, actions: [{channel: email, template: t}]}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: sequence}
spec: {sequence: {key: event.properties.f, steps: [{on: A}, {on: B, within: 30m}], without: {on: C}, then_silent: {on: D, for: 3m, grace: 1s}}, actions: [{channel: email, template: t}]}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: intent}
spec: {intent: {scores: [{on: A, add: 1}], half_life: 20m, at_least: 15, rearm_below: 5}, actions: [{channel: email, template: t}]}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: date}
spec: {date: {of: traits.birthday, every: year, offset: -3d, at: "09:00", zone: customer}, actions: [{channel: email, template: t}]}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: segment}
spec: {segment: {of: vip, on: entered, every: 1d}, actions: [{channel: email, template: t}]}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: until}
spec: {absence: {opens: {on: A}, until: timestamp(event.properties.due)}, actions: [{channel: email, template: t}]}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: novelties}
spec: {novelty: [{on: A, of: event.properties.c, after_first: true}, {on: B, of: event.properties.c}], actions: [{channel: email, template: t}]}
---
apiVersion: spur/v1
kind: Trigger
metadata: {name: business}
spec:
  business: {reference: products, key: event.properties.product, interest: {on: A, within: 30d}, closes: {on: B}, when: record.stock > 0, rate: {max: 10, per: 1h}}
  actions: [{channel: email, template: t}]
)";

// A document that can be changed and written again, in flow style.
struct Entry;
struct Tree {
  YamlNode::Kind kind = YamlNode::Kind::kNull;
  std::string text;
  bool quoted = false;
  std::vector<Entry> entries;
  std::vector<Tree> items;

  static Tree of(const YamlNode& node);
  Tree* find(const std::string& key);
  void write(std::string& out) const;
};
struct Entry {
  std::string first;
  Tree second;
};

Tree Tree::of(const YamlNode& node) {
  Tree tree{node.kind, node.text, node.quoted, {}, {}};
  for (const YamlEntry& entry : node.entries) tree.entries.push_back({entry.key, of(*entry.value)});
  for (const YamlNodePtr& item : node.items) tree.items.push_back(of(*item));
  return tree;
}
Tree* Tree::find(const std::string& key) {
  for (auto& [name, value] : entries) {
    if (name == key) return &value;
  }
  return nullptr;
}
void Tree::write(std::string& out) const {
  switch (kind) {
    case YamlNode::Kind::kNull:
      out += "~";
      return;
    case YamlNode::Kind::kScalar: {
      const bool plain = !quoted &&
                         text.find_first_not_of("0123456789-+.eE") == std::string::npos &&
                         !text.empty();
      if (plain || text == "true" || text == "false" || text == ".nan") {
        out += quoted ? "\"" + text + "\"" : text;
        return;
      }
      out += '"';
      for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
      }
      out += '"';
      return;
    }
    case YamlNode::Kind::kList:
      out += '[';
      for (std::size_t i = 0; i < items.size(); ++i) {
        if (i > 0) out += ", ";
        items[i].write(out);
      }
      out += ']';
      return;
    case YamlNode::Kind::kMap:
      out += '{';
      for (std::size_t i = 0; i < entries.size(); ++i) {
        if (i > 0) out += ", ";
        out += entries[i].first + ": ";
        entries[i].second.write(out);
      }
      out += '}';
      return;
  }
}

struct Document {
  std::string kind, name;
  Tree spec;

  std::string yaml() const {
    std::string out =
        "apiVersion: spur/v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: ";
    spec.write(out);
    return out + "\n";
  }
};

std::vector<Document> base() {
  const SourceText source("base", kBase);
  std::vector<Document> documents;
  for (const YamlNodePtr& node : parse_yaml(source).documents) {
    documents.push_back({node->find("kind")->value->text,
                         node->find("metadata")->value->find("name")->value->text,
                         Tree::of(*node->find("spec")->value)});
  }
  return documents;
}

Tree parsed(const std::string& yaml) {
  const SourceText source("value", yaml);
  const YamlFile file = parse_yaml(source);
  return file.documents.empty() ? Tree() : Tree::of(*file.documents.front());
}

// What is put in the place of a value, as YAML; what it is stands before the colon.
const std::vector<std::pair<std::string, std::string>>& values() {
  static const std::vector<std::pair<std::string, std::string>> all = {
      {"nothing", "~"},
      {"empty text", "\"\""},
      {"a list of nothing", "[]"},
      {"a list in a list", "[[1]]"},
      {"a list of an empty mapping", "[{}]"},
      {"a list of an empty text", "[\"\"]"},
      {"an empty mapping", "{}"},
      {"an unknown key", "{no_such_key: 1}"},
      {"zero", "0"},
      {"one", "1"},
      {"a fraction", "1.5"},
      {"a negative number", "-1"},
      {"a huge number", "99999999999999999999"},
      {"beyond doubles", "1e999"},
      {"no number", ".nan"},
      {"a number in quotes", "\"3\""},
      {"true", "true"},
      {"true in quotes", "\"true\""},
      {"a word", "certainly-not"},
      {"words", "certainly not this one"},
      {"half an expression", "\"features.spent >\""},
      {"an unknown name", "\"features.no_such_thing > 1\""},
      {"an expression of text", "\"'text'\""},
      {"a zero duration", "0s"},
      {"a negative duration", "-1d"},
      {"a huge duration", "99999999999999w"},
      {"a duration beyond all clocks", "9000000w"},
      {"an instant", "2026-03-01T08:00:00Z"},
      {"no instant", "2026-02-30T08:00:00Z"},
      {"a time of day", "\"24:00\""},
      {"a control character", "\"a\\u0001b\""},
      {"long text", std::string(20'000, 'x')},
  };
  return all;
}

class Trial {
 public:
  Trial() : documents_(base()) {}

  // Tries every field of every document.
  void run() {
    for (Document& document : documents_) {
      document_ = &document;
      visit(*type_of(document.kind), document.spec, document.kind, 0);
    }
  }
  const std::vector<Document>& documents() const { return documents_; }
  // Without the triggers that the document tried has nothing to do with, and without the plan,
  // under which most names are wrong.
  std::string yaml() const {
    std::string out;
    for (const Document& document : documents_) {
      const bool other = document_ != nullptr && document.kind == "Trigger" &&
                         document.name != document_->name && document.name != "absence" &&
                         document.name != "event";
      const bool plan = document_ != nullptr && document.kind == "TrackingPlan" &&
                        document_->kind != "TrackingPlan";
      if (!other && !plan) out += (out.empty() ? "" : "---\n") + document.yaml();
    }
    return out;
  }

  std::map<std::string, std::set<std::string>>
      accepted;                       // by field: "Trigger.absence.grace", values
  std::vector<std::string> unplaced;  // errors that do not say where
  std::set<std::string> fields;
  std::size_t tried = 0;

  static const Descriptor* type_of(const std::string& kind) {
    const Descriptor& catalog = *spur::v1::Catalog::descriptor();
    for (int i = 0; i < catalog.field_count(); ++i) {
      if (catalog.field(i)->message_type()->name() == kind) return catalog.field(i)->message_type();
    }
    return nullptr;
  }

 private:
  static constexpr int kDepthMax = 5;

  void visit(const Descriptor& type, Tree& node, const std::string& path, int depth) {
    for (const FieldName& name : field_names(type)) {
      const std::string here = path + "." + name.key;
      // Of the triggers, which are one kind, each field once where it stands and once where it is
      // put in.
      if (!seen_.insert({here, node.find(name.key) != nullptr}).second) continue;
      const std::vector<Entry> before = node.entries;
      if (node.find(name.key) == nullptr) node.entries.push_back({name.key, Tree()});
      for (const auto& [what, yaml] : values()) {
        *node.find(name.key) = parsed(yaml);
        try_one(here, what);
      }
      node.entries = before;
      inside(name, node, here, depth);
      node.entries = before;
    }
  }

  // What is inside a mapping, or inside the first of a list of them; one that is not there is put
  // in.
  void inside(const FieldName& name, Tree& node, const std::string& here, int depth) {
    if (name.in_pattern || name.field->type() != FieldDescriptor::TYPE_MESSAGE ||
        depth == kDepthMax)
      return;
    const std::string& type = name.field->message_type()->name();
    if (find_setting(node_type(name), name.key) != nullptr) return;  // refused whole
    if (node.find(name.key) == nullptr) {
      Tree empty;
      empty.kind = YamlNode::Kind::kMap;
      node.entries.push_back({name.key, empty});
    }
    Tree* inner = node.find(name.key);
    if (inner->kind == YamlNode::Kind::kList && !inner->items.empty())
      inner = &inner->items.front();
    if (type == "NamedExpression" || type == "Ladder" || type == "Parameters" ||
        type == "PlannedEvent") {
      for (auto& [key, value] : inner->entries)
        named(value, *name.field->message_type(), here + ".*", depth);
      return;
    }
    if (inner->kind == YamlNode::Kind::kMap)
      visit(*name.field->message_type(), *inner, here, depth + 1);
  }

  // Under names that people choose.
  void named(Tree& value, const Descriptor& type, const std::string& here, int depth) {
    const Tree before = value;
    for (const auto& [what, yaml] : values()) {
      value = parsed(yaml);
      try_one(here, what);
    }
    value = before;
    if (type.name() == "Ladder") visit(type, value, here, depth + 1);
    value = before;
  }

  static std::string node_type(const FieldName& name) {
    return name.field->containing_type()->name();
  }

  void try_one(const std::string& field, const std::string& what) {
    ++tried;
    fields.insert(field);
    const std::string text = yaml();
    const Loaded loaded = load_text("c", text);
    const std::vector<Error> errors =
        merged(loaded.errors, compile(loaded.catalog, loaded.positions).errors);
    if (errors.empty()) {
      accepted[field].insert(what);
      return;
    }
    const auto lines = std::count(text.begin(), text.end(), '\n');
    for (const Error& error : errors) {
      const bool placed = error.at.file == "c" && error.at.line >= 1 && error.at.column >= 1 &&
                          static_cast<std::ptrdiff_t>(error.at.line) <= lines + 1;
      if (!placed || error.message.empty())
        unplaced.push_back(field + " = " + what + ": " + error.to_text());
    }
  }

  std::vector<Document> documents_;
  Document* document_ = nullptr;
  std::set<std::pair<std::string, bool>> seen_;
};

TEST(SchemaValuesTest, TheBaseIsAGoodCatalogOfEveryKindAndOperatorThatThisVersionHas) {
  const Trial trial;
  const Loaded loaded = load_text("c", trial.yaml());
  EXPECT_EQ(to_text(merged(loaded.errors, compile(loaded.catalog, loaded.positions).errors)), "");
}

// Of a message and all that it holds, by their full names; not what users cannot write.
void fields_of(const Descriptor& type, std::set<std::string>& fields) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor& field = *type.field(i);
    if (field.name() == "unsupported" || field.name() == "retired") continue;
    const bool is_new = fields.insert(field.full_name()).second;
    if (is_new && field.message_type() != nullptr) fields_of(*field.message_type(), fields);
  }
}

// The same, of those that are set.
void fields_set_in(const google::protobuf::Message& message, std::set<std::string>& fields) {
  const google::protobuf::Reflection& reflection = *message.GetReflection();
  std::vector<const FieldDescriptor*> set;
  reflection.ListFields(message, &set);
  for (const FieldDescriptor* field : set) {
    fields.insert(field->full_name());
    if (field->message_type() == nullptr) continue;
    if (!field->is_repeated()) {
      fields_set_in(reflection.GetMessage(message, field), fields);
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i)
      fields_set_in(reflection.GetRepeatedMessage(message, field, i), fields);
  }
}

TEST(SchemaValuesTest, TheBaseHasEveryFieldThatCanBeWritten) {
  std::set<std::string> all, written;
  fields_of(*spur::v1::Catalog::descriptor(), all);
  fields_set_in(load_text("c", Trial().yaml()).catalog, written);
  std::vector<std::string> missing;
  std::set_difference(all.begin(), all.end(), written.begin(), written.end(),
                      std::back_inserter(missing));
  EXPECT_THAT(missing, ::testing::IsEmpty()) << "write them into kBase";
}

// What a field takes, by its key, so that a new field has to be named here, if it takes more than
// its type says.
const std::set<std::string>& any_text() {
  static const std::set<std::string> all = [] {
    std::set<std::string> texts;
    for (const auto& [what, yaml] : values()) {
      const bool scalar = yaml != "~" && yaml != "\"\"" && yaml[0] != '[' && yaml[0] != '{';
      if (scalar) texts.insert(what);
    }
    return texts;
  }();
  return all;
}

bool is_one_of(const std::string& key, const std::set<std::string>& keys) {
  return keys.contains(key);
}

bool may_be(const std::string& field, const std::string& what) {
  const std::string key = field.substr(field.rfind('.') + 1);
  const std::string above = field.substr(0, field.size() - key.size() - 1);
  const std::string owner = above.substr(above.rfind('.') + 1);
  // Names of events, templates and the like are what people call them.
  if (is_one_of(key, {"on", "order", "template", "salt", "topic", "purpose", "traits"}) &&
      any_text().contains(what))
    return true;
  if (field == "TrackingPlan.events.*" && any_text().contains(what)) return true;
  // A condition that always holds.
  if (is_one_of(key, {"where", "if", "while", "when", "rearm", "reach"}) &&
      is_one_of(what, {"true", "true in quotes"}))
    return true;
  // CEL that gives a value: a number, a text, a yes. Also under names that people choose.
  if (is_one_of(key, {"key", "of", "add", "*", "source", "text_version", "legal_basis", "by", "id",
                      "name", "time", "properties", "traits"}) &&
      is_one_of(what, {"zero", "one", "a fraction", "a negative number", "a huge number",
                       "beyond doubles", "a number in quotes", "true", "true in quotes",
                       "an expression of text"}))
    return true;
  if (is_one_of(key, {"data", "properties", "traits"}) &&
      is_one_of(what, {"an empty mapping", "an unknown key"}))
    return true;  // names are free
  if (key == "identities" && what == "an unknown key") return true;
  // Nothing of what may be several, and settings of which all may be left out.
  if (what == "a list of nothing") return !is_one_of(key, {"on", "steps", "scores", "channel"});
  if (what == "an empty mapping") return is_one_of(key, {"consent", "ladders", "events"});
  // Off, or at once.
  if (what == "a zero duration")
    return is_one_of(key, {"offset", "for", "lateness", "max_action_age", "deduplicate", "after",
                           "grace", "customer", "key"});
  if (what == "a negative duration") return key == "offset" && owner == "date";
  if (what == "an instant") return is_one_of(key, {"from", "to"});
  if (what == "true") return is_one_of(key, {"distinct_days", "enabled", "after_first", "shadow"});
  // Numbers within their ranges.
  if (key == "priority") return is_one_of(what, {"zero", "one", "a negative number"});
  if (is_one_of(key, {"percent", "factor", "rearm_below", "at_least"}))
    return is_one_of(what, {"zero", "one", "a fraction"});
  return is_one_of(key, {"max", "limit", "kth", "gaps_min"}) && what == "one";
}

TEST(SchemaValuesTest, WhatIsWrongInAnyFieldIsToldWithItsPlaceAndNothingElseIsTaken) {
  Trial trial;
  trial.run();
  EXPECT_GT(trial.fields.size(), 150U);
  EXPECT_THAT(trial.unplaced, ::testing::IsEmpty());
  for (const auto& [field, taken] : trial.accepted) {
    for (const std::string& what : taken)
      EXPECT_TRUE(may_be(field, what)) << field << " takes " << what;
  }
}

TEST(SchemaValuesTest, TwoOperatorsOfATriggerAreOneTooMany) {
  const std::vector<Document> documents = base();
  for (const Document& one : documents) {
    for (const Document& other : documents) {
      if (one.kind != "Trigger" || other.kind != "Trigger" || one.name == other.name) continue;
      Document both = one;
      const auto& choice = *Trial::type_of("Trigger")->FindOneofByName("operator");
      bool two = false;  // and not the same one in two forms
      for (const auto& [key, value] : other.spec.entries) {
        const FieldDescriptor* const field = Trial::type_of("Trigger")->FindFieldByName(key);
        if (field == nullptr || field->real_containing_oneof() != &choice) continue;
        two = both.spec.find(key) == nullptr;
        both.spec.entries.push_back({key, value});
      }
      if (!two) continue;
      const std::string said = to_text(load_text("c", both.yaml()).errors);
      EXPECT_THAT(said, ::testing::HasSubstr("two operators")) << both.yaml();
    }
  }
}

// A reader's error about something that is named elsewhere is no reason to look for it there.
TEST(SchemaValuesTest, ASessionThatCouldNotBeReadIsNotLookedFor) {
  const Loaded loaded = load_text("c",
                                  "apiVersion: spur/v1\nkind: Trigger\nmetadata: {name: t}\nspec: "
                                  "{session: {of: \"\", on: idle}, actions: []}\n");
  EXPECT_EQ(to_text(loaded.errors), "c:4:22: `of` is empty; write it or remove the key\n");
  EXPECT_EQ(compile(loaded.catalog, loaded.positions).compiled, nullptr);
}

}  // namespace
}  // namespace spur::catalog
