// A file of trigger tests: YAML in, events as the daemon would receive them and expected decisions
// out.
//
//     catalog: .                  # folder of the catalog, from this file; default: its own folder
//     start: 2026-03-01T08:00:00Z # `at` counts from here
//     tests:
//       - name: a forgotten cart  # each name once a file
//         events:
//           - {at: 0m, customer: ann, event: Product Added, properties: {cart_id: k1}}
//         run_until: 3d           # all due up to and including it; default: the newest event
//         only: sent              # compare these verdicts (one or a list); default: all
//         expect:
//           - {at: 60m, trigger: cart-abandoned, channel: email, verdict: sent, data: {cart: k1}}
//
// An instant (`at`, `run_until`) is a duration from `start`, which may be negative, or RFC 3339.
//
// An event: at, customer (a name such as ann, user_id:ann or loyalty_id:4711; the one before if
// neither it nor anonymous_id is given), anonymous_id, event (a track) or type (identify, page,
// screen, group, alias; `name` with page and screen), properties, traits, context, id (default: by
// place, so that equal events are different and ties go as written). The order written is the order
// of arrival. In place of all but `at` an event may be what a producer sends, `body`, with the
// `source` of the catalog that it comes from: {at: 5m, source: till, body: {receipt_no: 7, …}}. Its
// time is the one that the body says; `at` says when it arrives, by which the test's clock goes.
//
// A record of business data stands among the events: at, reference (name of a Reference), record (a
// mapping), which holds from `at` on.
//
// An expectation: at, customer, trigger, instance, channel, template, verdict, reason, data. What
// is not given is not compared; `data` is compared as a whole. All decisions of the wanted verdicts
// are listed, in the documented order: (time, customer, trigger, instance, step).
//
// `consent: [marketing-email]`, beside `start`: purposes for which every customer that says nothing
// has given consent. Nobody is held out.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "operators/catalog/position.h"
#include "operators/catalog/yaml.h"
#include "operators/effects.h"
#include "state/time.h"

namespace spur::trigger_test {

// One call or record, in the order written, which is the order of arrival.
struct TestEvent {
  catalog::Position at;
  Instant time;
  std::string id;
  std::string json;
  std::string customer;   // of a call, as the file names it; empty: none but its anonymous id
  std::string source;     // empty: `json` is a call; else what this Source of the catalog takes
  std::string reference;  // of a record of business data
};

struct Expectation {
  catalog::Position at;
  std::optional<Instant> time;
  std::optional<std::string> customer;  // "ann" is user_id:ann
  std::optional<std::string> trigger, instance, channel, template_name, reason;
  std::optional<Verdict> verdict;
  catalog::YamlNodePtr data;  // nullptr: not compared
};

struct Test {
  catalog::Position at;
  std::string name;
  std::vector<TestEvent> events;
  Instant run_until;
  std::set<Verdict> only;  // empty: all
  std::vector<Expectation> expect;
};

struct TestFile {
  std::string path;
  std::string catalog;  // folder, as it can be opened from here
  Instant start;
  std::vector<std::string> consents;
  std::vector<Test> tests;             // of use only without errors
  std::vector<catalog::Error> errors;  // by place
};

// `path` names the text in errors and is where `catalog:` counts from. Never throws.
TestFile parse_test_file(const std::string& path, std::string text);
TestFile read_test_file(const std::string& path);

// *_test.yaml and *_test.yml below each folder, ordered by path; a file is itself. An error where
// there is none.
struct Discovered {
  std::vector<std::string> files;
  std::vector<std::string> errors;
};
Discovered discover(const std::vector<std::string>& paths);

}  // namespace spur::trigger_test
