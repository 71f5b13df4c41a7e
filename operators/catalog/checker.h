// Checker: the words in which validation speaks. Each check notes what is wrong at a path and goes
// on; nothing is said about what the YAML reader could not read.
#pragma once

#include <google/protobuf/repeated_ptr_field.h>

#include <cstdint>
#include <initializer_list>
#include <set>
#include <string>
#include <string_view>

#include "operators/catalog/position.h"
#include "operators/catalog/validate.h"
#include "spur/v1/catalog.pb.h"

namespace spur::catalog {

inline constexpr std::int64_t kEveryMsMin =
    1'000;  // of any `every`: how often one customer may be woken by it

// The names of a catalog that stand outside expressions.
struct Names {
  std::set<std::string> sessions;
  std::set<std::string> channels;
  std::set<std::string> models;
  std::set<std::string> segments;
  std::set<std::string> triggers;
  std::set<std::string> references;
};

class Checker {
 public:
  Checker(const SourceMap& positions, Complete complete, Names names, Findings& findings)
      : positions_(positions), complete_(complete), names_(std::move(names)), findings_(findings) {}

  const Names& names() const { return names_; }
  // Whether YAML has the path; tells a 0 that was written from one that was not. Always false
  // without positions.
  bool written(const std::string& path) const { return positions_.contains(path); }
  bool unreadable(const std::string& path) const { return positions_.unreadable(path); }

  void fail(const std::string& path, std::string message, std::string hint = "");
  // The same, pointing at byte `offset` of the text there.
  void fail_in(const std::string& path, std::size_t offset, std::string message,
               std::string hint = "");
  // The same, pointing at the key.
  void fail_key(const std::string& path, std::string message, std::string hint = "");
  void warn(const std::string& path, std::string message, std::string hint = "");

  // `key` must stand in the mapping at `parent` and does not, or is empty.
  void missing(const std::string& parent, const std::string& key, std::string hint);
  void required(const std::string& parent, const std::string& key, const std::string& value,
                std::string hint);

  // One of these words; empty is right.
  void word(const std::string& path, const std::string& value,
            std::initializer_list<std::string_view> words);
  // A duration of any length from 0 on; `positive`: 0 may be left out but not written.
  void not_negative(const std::string& path, std::int64_t ms);
  void positive(const std::string& path, std::int64_t ms);
  void every(const std::string& path, std::int64_t ms);
  void limit(const std::string& path, std::uint32_t limit);
  // An IANA zone, or `customer` where that is allowed; empty is right.
  void zone(const std::string& path, const std::string& name, bool may_be_customer);
  // The name of a resource of that kind.
  void reference(const std::string& path, std::string_view kind, const std::string& name,
                 const std::set<std::string>& known);

  void patterns(const std::string& path,
                const google::protobuf::RepeatedPtrField<spur::v1::Pattern>& patterns);
  void caps(const std::string& path, const google::protobuf::RepeatedPtrField<spur::v1::Cap>& caps);
  void rate(const std::string& path, const spur::v1::Rate& rate);
  void named_expressions(
      const std::string& path,
      const google::protobuf::RepeatedPtrField<spur::v1::NamedExpression>& expressions);

 private:
  void so_many_in(const std::string& path, std::string_view what, std::int64_t max,
                  std::int64_t per_ms);

  const SourceMap& positions_;
  Complete complete_;
  Names names_;
  Findings& findings_;
};

// "spec.opens" and 2 make "spec.opens[2]".
std::string at(const std::string& path, int index);
// "`text`"
std::string in_quotes(std::string_view text);
// "a, b, c"
std::string listed(const std::set<std::string>& names);

// The checks of one Trigger, whose spec is at `path` (validate_trigger.cc).
void check_trigger(Checker& check, const std::string& path, const spur::v1::Trigger& trigger);
// Of its operator, if that is rhythm, sequence, intent, date, segment or business
// (validate_operators.cc).
void check_derived_operator(Checker& check, const std::string& path,
                            const spur::v1::Trigger& trigger);

}  // namespace spur::catalog
