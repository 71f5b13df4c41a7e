#include "operators/catalog/checker.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "operators/calendar.h"
#include "operators/catalog/durations.h"
#include "operators/catalog/nearest.h"
#include "state/event.h"

namespace spur::catalog {
namespace {

constexpr Millis kRatePerMax = kDay * 366;  // 64 times it is still to be counted in nanoseconds

// The last field of a path, for people: "window" of "Feature/x/spec.window".
std::string last_of(const std::string& path) {
  std::string name = path.substr(path.find_last_of("./") + 1);
  return name.substr(0, name.find('['));
}

}  // namespace

std::string at(const std::string& path, int index) {
  return path + "[" + std::to_string(index) + "]";
}

std::string in_quotes(std::string_view text) { return "`" + std::string(text) + "`"; }

std::string listed(const std::set<std::string>& names) {
  constexpr std::size_t kShown = 12;
  std::string text;
  std::size_t shown = 0;
  for (const std::string& name : names) {
    if (shown++ == kShown) return text + ", …";
    text += (text.empty() ? "" : ", ") + name;
  }
  return text;
}

void Checker::fail(const std::string& path, std::string message, std::string hint) {
  if (unreadable(path)) return;
  findings_.errors.push_back({positions_.position(path), std::move(message), std::move(hint)});
}

void Checker::fail_in(const std::string& path, std::size_t offset, std::string message,
                      std::string hint) {
  if (unreadable(path)) return;
  findings_.errors.push_back(
      {positions_.position(path, offset), std::move(message), std::move(hint)});
}

void Checker::fail_key(const std::string& path, std::string message, std::string hint) {
  if (unreadable(path)) return;
  findings_.errors.push_back({positions_.key_position(path), std::move(message), std::move(hint)});
}

void Checker::warn(const std::string& path, std::string message, std::string hint) {
  if (unreadable(path)) return;
  findings_.warnings.push_back(
      {positions_.key_position(path), std::move(message), std::move(hint)});
}

void Checker::missing(const std::string& parent, const std::string& key, std::string hint) {
  const std::string path = parent + "." + key;
  if (unreadable(path)) return;
  if (written(path)) return fail_key(path, in_quotes(key) + " is empty", std::move(hint));
  fail_key(parent, in_quotes(key) + " is missing in " + in_quotes(last_of(parent)),
           std::move(hint));
}

void Checker::required(const std::string& parent, const std::string& key, const std::string& value,
                       std::string hint) {
  if (value.empty()) missing(parent, key, std::move(hint));
}

void Checker::word(const std::string& path, const std::string& value,
                   std::initializer_list<std::string_view> words) {
  if (value.empty() || std::find(words.begin(), words.end(), value) != words.end()) return;
  std::set<std::string> candidates;
  std::string all;
  for (const std::string_view w : words) {
    candidates.emplace(w);
    all += (all.empty() ? "" : ", ") + std::string(w);
  }
  const auto near = nearest(value, candidates);
  fail(path, in_quotes(last_of(path)) + " is " + in_quotes(value),
       near ? "did you mean `" + *near + "`?"
            : (words.size() == 1 ? "the only value is " : "one of ") + all);
}

void Checker::not_negative(const std::string& path, std::int64_t ms) {
  const std::string name = in_quotes(last_of(path));
  if (ms < 0) return fail(path, name + " is negative", "0s or more");
  if (ms > kDurationMax.count) fail(path, name + " is longer than a thousand years");
}

void Checker::positive(const std::string& path, std::int64_t ms) {
  if (ms == 0 && written(path)) {
    return fail(path, in_quotes(last_of(path)) + " is zero", "more than 0s");
  }
  if (ms < 0) return fail(path, in_quotes(last_of(path)) + " is negative", "more than 0s");
  not_negative(path, ms);
}

void Checker::every(const std::string& path, std::int64_t ms) {
  positive(path, ms);
  if (ms > 0 && ms < kEveryMsMin)
    fail(path, in_quotes(last_of(path)) + " is too short", "1s or more");
}

void Checker::limit(const std::string& path, std::uint32_t limit) {
  if ((limit == 0 && written(path)) || limit > kLimitMax) {
    fail(path, in_quotes(last_of(path)) + " is " + std::to_string(limit) + ", out of range",
         "1 to " + std::to_string(kLimitMax));
  }
}

void Checker::zone(const std::string& path, const std::string& name, bool may_be_customer) {
  if (name.empty() || (may_be_customer && name == "customer") || Zone::load(name)) return;
  if (name == "customer")
    return fail(path, "the Policy's zone cannot be `customer`",
                "an IANA name such as Europe/Stockholm");
  fail(path, "there is no time zone " + in_quotes(name),
       std::string("an IANA name such as Europe/Stockholm") +
           (may_be_customer ? ", or customer" : ""));
}

void Checker::reference(const std::string& path, std::string_view kind, const std::string& name,
                        const std::set<std::string>& known) {
  if (known.contains(name) || complete_ == Complete::kNo) return;
  const auto near = nearest(name, known);
  std::string hint = near            ? "did you mean `" + *near + "`?"
                     : known.empty() ? "the catalog has no " + std::string(kind)
                                     : "the catalog has " + listed(known);
  fail(path, "there is no " + std::string(kind) + " " + in_quotes(name), std::move(hint));
}

void Checker::patterns(const std::string& path,
                       const google::protobuf::RepeatedPtrField<spur::v1::Pattern>& patterns) {
  static const std::set<std::string> calls(kCallNames.begin(), kCallNames.end());
  for (int i = 0; i < patterns.size(); ++i) {
    const spur::v1::Pattern& pattern = patterns[i];
    const std::string here = at(path, i);
    if (pattern.on().empty()) missing(here, "on", "an event name, a list of them, or \"*\"");
    for (int k = 0; k < pattern.on_size(); ++k) {
      const std::string& name = pattern.on(k);
      const std::string name_at = at(here + ".on", k);
      if (name.empty()) {
        fail(name_at, "an event name is empty", "\"*\" is any event");
      } else if (name[0] == '$' && !calls.contains(name)) {
        const auto near = nearest(name, calls);
        fail(name_at, "there is no call " + in_quotes(name),
             near ? "did you mean `" + *near + "`?" : "one of " + listed(calls));
      }
    }
  }
}

void Checker::so_many_in(const std::string& path, std::string_view what, std::int64_t max,
                         std::int64_t per_ms) {
  if (max == 0 && !written(path + ".max")) {
    missing(path, "max", "how many at most, such as 3");
  } else if (max < 1) {
    fail(path + ".max", "a " + std::string(what) + " of " + std::to_string(max), "1 or more");
  }
  if (per_ms == 0 && !written(path + ".per")) {
    missing(path, "per", "the length of the window, such as 7d");
  } else {
    positive(path + ".per", per_ms);
  }
}

void Checker::caps(const std::string& path,
                   const google::protobuf::RepeatedPtrField<spur::v1::Cap>& caps) {
  for (int i = 0; i < caps.size(); ++i)
    so_many_in(at(path, i), "cap", caps[i].max(), caps[i].per_ms());
}

void Checker::rate(const std::string& path, const spur::v1::Rate& rate) {
  so_many_in(path, "rate", rate.max(), rate.per_ms());
  if (rate.per_ms() > kRatePerMax.count)
    fail(path + ".per", "a rate over more than a year", "366d at most");
}

void Checker::named_expressions(
    const std::string& path,
    const google::protobuf::RepeatedPtrField<spur::v1::NamedExpression>& expressions) {
  std::set<std::string> names;
  for (int i = 0; i < expressions.size(); ++i) {
    const std::string here = at(path, i);
    if (expressions[i].name().empty()) fail_key(here, "a name is empty");
    if (!names.insert(expressions[i].name()).second)
      fail_key(here, in_quotes(expressions[i].name()) + " stands here twice");
    if (expressions[i].expression().empty())
      fail(here, in_quotes(expressions[i].name()) + " is empty", "write CEL");
  }
}

}  // namespace spur::catalog
