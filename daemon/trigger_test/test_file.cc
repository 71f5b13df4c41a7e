#include "daemon/trigger_test/test_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>

#include "daemon/trigger_test/yaml_json.h"
#include "operators/catalog/durations.h"
#include "operators/catalog/known.h"
#include "operators/catalog/load.h"
#include "operators/catalog/nearest.h"
#include "operators/expression/text.h"

namespace spur::trigger_test {
namespace {

namespace fs = std::filesystem;
using catalog::YamlEntry;
using catalog::YamlNode;
using Kind = YamlNode::Kind;

constexpr std::string_view kInstantHint =
    "a duration from start (90s, 30m, 25h, -7d), or an instant such as 2026-03-01T08:00:00Z";

std::string ticked(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string rfc3339(Instant t) {
  return expression::timestamp_text(t.ms / 1000,
                                    static_cast<std::int32_t>(t.ms % 1000) * 1'000'000);
}

// Ids order as the events are written, and in a tie so do the events.
std::string default_id(std::size_t place) {
  const std::string digits = std::to_string(place);
  return "event-" + std::string(digits.size() < 6 ? 6 - digits.size() : 0, '0') + digits;
}

class Reader {
 public:
  Reader(const catalog::SourceText& source, TestFile& file) : source_(source), file_(file) {}

  void read(const YamlNode& document) {
    const YamlNode* tests = nullptr;
    bool started = false;
    read_map(document, "a file of trigger tests",
             {{"catalog", [&](const YamlEntry& e) { file_.catalog = text(e); }},
              {"start", [&](const YamlEntry& e) { started = read_start(e); }},
              {"consent", [&](const YamlEntry& e) { read_consents(e); }},
              {"tests", [&](const YamlEntry& e) { tests = e.value.get(); }}});
    if (!started && document.find("start") == nullptr) {
      fail(document.offset, "no `start`", "write start: 2026-03-01T08:00:00Z; `at` counts from it");
    }
    if (tests == nullptr) return fail(document.offset, "no `tests`", "a list of tests");
    // Without a start every instant would be another error.
    if (!started) return;
    for_each_item(*tests, "tests", [&](const YamlNode& node) { read_test(node); });
  }

 private:
  using Handlers = std::map<std::string, std::function<void(const YamlEntry&)>>;

  catalog::Position place(std::size_t offset) const { return source_.position(offset); }

  void fail(std::size_t offset, std::string message, std::string hint = "") {
    file_.errors.push_back({place(offset), std::move(message), std::move(hint)});
  }

  void read_map(const YamlNode& node, const std::string& where, const Handlers& handlers) {
    if (node.kind != Kind::kMap) return fail(node.offset, where + " is a mapping", "key: value");
    std::set<std::string> known;
    for (const auto& [key, handler] : handlers) known.insert(key);
    for (const YamlEntry& entry : node.entries) {
      const auto handler = handlers.find(entry.key);
      if (handler != handlers.end()) {
        handler->second(entry);
        continue;
      }
      std::string hint = catalog::did_you_mean(entry.key, known);
      if (hint.empty()) {
        for (const std::string& key : known) hint += (hint.empty() ? "known are " : ", ") + key;
      }
      fail(entry.key_offset, "unknown key " + ticked(entry.key) + " in " + where, hint);
    }
  }

  void for_each_item(const YamlNode& node, const std::string& name,
                     const std::function<void(const YamlNode&)>& item) {
    if (node.kind == Kind::kNull) return;
    if (node.kind != Kind::kList) return fail(node.offset, ticked(name) + " is a list");
    for (const auto& element : node.items) item(*element);
  }

  std::string text(const YamlEntry& entry) {
    if (entry.value->kind == Kind::kScalar) return entry.value->text;
    fail(entry.key_offset, ticked(entry.key) + " is text");
    return "";
  }

  std::optional<Instant> instant(const YamlEntry& entry) {
    const std::string& written = entry.value->text;
    if (entry.value->kind == Kind::kScalar) {
      if (const std::optional<Millis> after = catalog::parse_duration(written)) {
        const Instant at = file_.start + *after;
        if (at >= kInstantMin && at <= kInstantMax) return at;
      }
      if (const std::optional<Instant> at = catalog::parse_instant(written)) return at;
    }
    fail(entry.value->kind == Kind::kNull ? entry.key_offset : entry.value->offset,
         ticked(written) + " is no instant for " + ticked(entry.key), std::string(kInstantHint));
    return std::nullopt;
  }

  bool read_start(const YamlEntry& entry) {
    const std::optional<Instant> start = catalog::parse_instant(entry.value->text);
    if (!start) {
      fail(entry.value->offset, ticked(entry.value->text) + " is no instant",
           "write 2026-03-01T08:00:00Z");
      return false;
    }
    file_.start = *start;
    return true;
  }

  void read_consents(const YamlEntry& entry) {
    for_each_item(*entry.value, "consent", [&](const YamlNode& purpose) {
      if (purpose.kind != Kind::kScalar)
        return fail(purpose.offset, "a purpose is text", "consent: [marketing-email]");
      file_.consents.push_back(purpose.text);
    });
  }

  std::optional<Verdict> verdict(const YamlNode& node) {
    static const std::map<std::string, Verdict> kVerdicts = {{"sent", Verdict::kSent},
                                                             {"suppressed", Verdict::kSuppressed},
                                                             {"held_out", Verdict::kHeldOut},
                                                             {"deferred", Verdict::kDeferred},
                                                             {"retracted", Verdict::kRetracted}};
    if (const auto found = kVerdicts.find(node.text); found != kVerdicts.end())
      return found->second;
    fail(node.offset, ticked(node.text) + " is no verdict",
         "sent, suppressed, held_out, deferred or retracted");
    return std::nullopt;
  }

  void read_only(const YamlEntry& entry, Test& test) {
    const auto add = [&](const YamlNode& node) {
      if (const std::optional<Verdict> v = verdict(node)) test.only.insert(*v);
    };
    if (entry.value->kind == Kind::kScalar) return add(*entry.value);
    for_each_item(*entry.value, "only", add);
  }

  void read_test(const YamlNode& node) {
    Test test;
    test.at = place(node.offset);
    const YamlEntry* until = nullptr;
    read_map(node, "a test",
             {{"name", [&](const YamlEntry& e) { test.name = text(e); }},
              {"events",
               [&](const YamlEntry& e) {
                 customer_.clear();
                 for_each_item(*e.value, "events",
                               [&](const YamlNode& event) { read_event(event, test); });
               }},
              {"run_until", [&](const YamlEntry& e) { until = &e; }},
              {"only", [&](const YamlEntry& e) { read_only(e, test); }},
              {"expect", [&](const YamlEntry& e) {
                 for_each_item(*e.value, "expect",
                               [&](const YamlNode& line) { read_expectation(line, test); });
               }}});
    if (node.kind != Kind::kMap) return;
    if (test.name.empty()) fail(node.offset, "a test without `name`", "say what it claims");
    if (!test.name.empty() && !names_.insert(test.name).second) {
      fail(node.offset, "the name " + ticked(test.name) + " is there twice",
           "say what this one claims");
    }
    if (node.find("expect") == nullptr)
      fail(node.offset, "a test without `expect`", "expect: [] if nothing is to be decided");
    Instant newest = file_.start;
    for (const TestEvent& event : test.events) newest = std::max(newest, event.time);
    test.run_until = newest;
    if (until != nullptr) {
      if (const std::optional<Instant> at = instant(*until)) test.run_until = *at;
      for (const TestEvent& event : test.events) {
        if (event.time > test.run_until) {
          file_.errors.push_back(
              {event.at, "this event comes after `run_until` and would never be taken", ""});
        }
      }
    }
    file_.tests.push_back(std::move(test));
  }

  void read_record(const YamlNode& node, Test& test) {
    TestEvent event;
    event.at = place(node.offset);
    bool timed = false;
    const YamlNode* record = nullptr;
    read_map(node, "a record of business data",
             {{"at",
               [&](const YamlEntry& e) {
                 timed = true;
                 if (const std::optional<Instant> at = instant(e)) event.time = *at;
               }},
              {"reference", [&](const YamlEntry& e) { event.reference = text(e); }},
              {"record", [&](const YamlEntry& e) {
                 if (e.value->kind != Kind::kMap) return fail(e.key_offset, "`record` is a mapping");
                 record = e.value.get();
               }}});
    if (!timed) fail(node.offset, "a record without `at`", std::string(kInstantHint));
    if (event.reference.empty()) fail(node.offset, "a record without `reference`", "the name of a Reference");
    if (node.find("record") == nullptr) fail(node.offset, "no `record`", "what has changed, as a mapping");
    event.id = default_id(test.events.size() + 1);
    if (record != nullptr) event.json = to_json(*record);
    test.events.push_back(std::move(event));
  }

  void read_event(const YamlNode& node, Test& test) {
    if (node.find("record") != nullptr || node.find("reference") != nullptr) return read_record(node, test);
    TestEvent event;
    event.at = place(node.offset);
    std::string name, page, customer, anonymous, type = "track";
    const YamlNode *properties = nullptr, *traits = nullptr, *context = nullptr, *body = nullptr;
    bool timed = false;
    const auto map = [&](const YamlEntry& e) -> const YamlNode* {
      if (e.value->kind == Kind::kMap) return e.value.get();
      fail(e.key_offset, ticked(e.key) + " is a mapping");
      return nullptr;
    };
    read_map(node, "an event",
             {{"at",
               [&](const YamlEntry& e) {
                 timed = true;
                 if (const std::optional<Instant> at = instant(e)) event.time = *at;
               }},
              {"customer", [&](const YamlEntry& e) { customer = text(e); }},
              {"anonymous_id", [&](const YamlEntry& e) { anonymous = text(e); }},
              {"event", [&](const YamlEntry& e) { name = text(e); }},
              {"type", [&](const YamlEntry& e) { type = call_type(e); }},
              {"name", [&](const YamlEntry& e) { page = text(e); }},
              {"id", [&](const YamlEntry& e) { event.id = text(e); }},
              {"properties", [&](const YamlEntry& e) { properties = map(e); }},
              {"traits", [&](const YamlEntry& e) { traits = map(e); }},
              {"context", [&](const YamlEntry& e) { context = map(e); }},
              {"source", [&](const YamlEntry& e) { event.source = text(e); }},
              {"body", [&](const YamlEntry& e) { body = map(e); }}});
    if (node.kind != Kind::kMap) return;
    if (body != nullptr || !event.source.empty()) {
      return read_body(node, body, timed, std::move(event), test);
    }
    if (!timed) fail(node.offset, "an event without `at`", std::string(kInstantHint));
    if (type == "track" && name.empty()) {
      fail(node.offset, "an event without `event`",
           "its name, or type: identify, page, screen, group, alias");
    }
    if (type != "track" && !name.empty())
      fail(node.offset, ticked("event") + " belongs to a track", "give either `event` or `type`");
    if (!page.empty() && type != "page" && type != "screen") {
      fail(node.offset, "`name` belongs to a page or screen", "the name of a track is `event`");
    }
    if (context != nullptr && traits != nullptr && context->find("traits") != nullptr) {
      fail(node.offset, "traits are given twice", "either `traits` or those in `context`");
    }
    if (customer.empty() && anonymous.empty()) customer = customer_;
    if (customer.empty() && anonymous.empty()) {
      fail(node.offset, "an event without `customer`", "the first event of a test names one");
    }
    if (!customer.empty()) customer_ = customer;
    if (event.id.empty()) event.id = default_id(test.events.size() + 1);

    const bool own_traits = type == "identify" || type == "group";
    std::string& json = event.json;
    const auto field = [&](std::string_view key, std::string_view value) {
      if (value.empty()) return;
      json += json.empty() ? "{\"" : ",\"";
      json.append(key).append("\":");
      expression::append_json_string(&json, value);
    };
    field("type", type);
    field("event", name);
    field("name", page);
    field("messageId", event.id);
    // Which kind it is of, the catalog says; a call alone can say but one of the two.
    field("userId", customer);
    event.customer = customer;
    field("anonymousId", anonymous);
    field("timestamp", rfc3339(event.time));
    if (properties != nullptr) json += ",\"properties\":" + to_json(*properties);
    if (traits != nullptr && own_traits) json += ",\"traits\":" + to_json(*traits);
    if (context != nullptr || (traits != nullptr && !own_traits)) {
      std::string inside;
      if (context != nullptr) {
        inside = to_json(*context);
        inside = inside.substr(1, inside.size() - 2);
      }
      if (traits != nullptr && !own_traits)
        inside += (inside.empty() ? "\"traits\":" : ",\"traits\":") + to_json(*traits);
      json += ",\"context\":{" + inside + "}";
    }
    json += '}';
    test.events.push_back(std::move(event));
  }

  // What a producer sends, as it is: whom and what it is about is in the body.
  void read_body(const YamlNode& node, const YamlNode* body, bool timed, TestEvent event,
                 Test& test) {
    if (!timed) fail(node.offset, "an event without `at`", std::string(kInstantHint));
    if (event.source.empty() || body == nullptr)
      fail(node.offset, "`source` and `body` go together", "{at: 5m, source: till, body: {…}}");
    for (const char* key : {"customer", "anonymous_id", "event", "type", "name", "id", "properties",
                            "traits", "context"}) {
      if (const YamlEntry* const entry = node.find(key))
        fail(entry->key_offset, ticked(key) + " beside `body`", "the body says it");
    }
    event.id = default_id(test.events.size() + 1);
    if (body != nullptr) event.json = to_json(*body);
    test.events.push_back(std::move(event));
  }

  std::string call_type(const YamlEntry& entry) {
    static const std::set<std::string> kTypes = {"track",  "identify", "page",
                                                 "screen", "group",    "alias"};
    std::string type = text(entry);
    if (kTypes.contains(type)) return type;
    const std::string near = catalog::did_you_mean(type, kTypes);
    fail(entry.value->offset, ticked(type) + " is no type of an event",
         near.empty() ? "track, identify, page, screen, group or alias" : near);
    return "track";
  }

  void read_expectation(const YamlNode& node, Test& test) {
    Expectation e;
    e.at = place(node.offset);
    read_map(node, "an expectation",
             {{"at", [&](const YamlEntry& x) { e.time = instant(x); }},
              {"customer", [&](const YamlEntry& x) { e.customer = text(x); }},
              {"trigger", [&](const YamlEntry& x) { e.trigger = text(x); }},
              {"instance", [&](const YamlEntry& x) { e.instance = text(x); }},
              {"channel", [&](const YamlEntry& x) { e.channel = text(x); }},
              {"template", [&](const YamlEntry& x) { e.template_name = text(x); }},
              {"reason", [&](const YamlEntry& x) { e.reason = text(x); }},
              {"verdict", [&](const YamlEntry& x) { e.verdict = verdict(*x.value); }},
              {"data", [&](const YamlEntry& x) { e.data = x.value; }}});
    if (e.verdict && !test.only.empty() && !test.only.contains(*e.verdict)) {
      fail(node.offset, "this verdict is not among those of `only`", "it would never be found");
    }
    test.expect.push_back(std::move(e));
  }

  const catalog::SourceText& source_;
  TestFile& file_;
  std::set<std::string> names_;
  std::string customer_;  // of the event before
};

bool is_test_file(const std::string& name) {
  return !name.starts_with(".") && (name.ends_with("_test.yaml") || name.ends_with("_test.yml"));
}

}  // namespace

TestFile parse_test_file(const std::string& path, std::string text) {
  TestFile file;
  file.path = path;
  file.catalog = ".";
  const catalog::SourceText source(path, std::move(text));
  const catalog::YamlFile yaml = catalog::parse_yaml(source);
  for (const catalog::YamlError& error : yaml.errors) {
    file.errors.push_back({source.position(error.offset), error.message, error.hint});
  }
  Reader reader(source, file);
  if (yaml.documents.size() == 1 && yaml.complete) reader.read(*yaml.documents.front());
  if (yaml.documents.size() > 1) {
    file.errors.push_back({source.position(yaml.documents[1]->offset), "a second document",
                           "a file of trigger tests is one document"});
  }
  if (yaml.documents.empty() && yaml.errors.empty())
    file.errors.push_back({{path, 1, 1}, "no tests here", "catalog:, start:, tests:"});
  const fs::path folder = fs::path(path).parent_path();
  file.catalog = (folder / file.catalog).lexically_normal().string();
  if (file.catalog.size() > 1 && file.catalog.ends_with('/')) file.catalog.pop_back();
  if (file.catalog.empty()) file.catalog = ".";
  std::sort(file.errors.begin(), file.errors.end());
  return file;
}

TestFile read_test_file(const std::string& path) {
  const auto refuse = [&](std::string message, std::string hint) {
    TestFile file;
    file.path = path;
    file.errors.push_back({{path, 0, 0}, std::move(message), std::move(hint)});
    return file;
  };
  std::error_code error;
  const std::uintmax_t size = fs::file_size(path, error);
  if (error) return refuse("the file cannot be read: " + error.message(), "");
  if (size > catalog::kFileBytesMax) return refuse("the file is larger than 4 MiB", "split it");
  std::ifstream in(path, std::ios::binary);
  if (!in) return refuse("the file cannot be read", "");
  return parse_test_file(path, std::string(std::istreambuf_iterator<char>(in), {}));
}

Discovered discover(const std::vector<std::string>& paths) {
  Discovered found;
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::is_regular_file(path, error)) {
      found.files.push_back(path);
      continue;
    }
    if (!fs::is_directory(path, error)) {
      found.errors.push_back(path + ": there is no such file or folder");
      continue;
    }
    std::vector<std::string> files;
    fs::recursive_directory_iterator entries(path, error);
    for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
      const std::string name = entries->path().filename().string();
      std::error_code kind;
      if (entries->is_directory(kind)) {
        if (name.starts_with(".")) entries.disable_recursion_pending();
      } else if (is_test_file(name)) {
        files.push_back(entries->path().lexically_normal().string());
      }
    }
    if (error) found.errors.push_back(path + ": " + error.message());
    if (!error && files.empty())
      found.errors.push_back(path +
                             ": no trigger tests below it; they are files named *_test.yaml");
    std::sort(files.begin(), files.end());
    found.files.insert(found.files.end(), files.begin(), files.end());
  }
  return found;
}

}  // namespace spur::trigger_test
