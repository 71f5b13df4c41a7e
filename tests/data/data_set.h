// The real data sets: where they are, how they become events, and what a catalog decides about them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/backtest/backtest.h"

namespace spur::testing {

// The folder with the data, by SPUR_DATA, else ../shared/data; nullopt if it is not there.
std::optional<std::string> data_folder();

// The events of a set as Segment calls, one a line; made once a process. `kind` and `file` as to_segment.py takes them.
const std::vector<std::string>& events_of(const std::string& kind, const std::string& file);

// The catalog of tests/data/catalogs/<name>; `more` is YAML put beside it.
std::shared_ptr<const catalog::Compiled> catalog_of(const std::string& name, const std::string& more = "");

struct Options {
  std::uint32_t shards = 4;
  std::string until;
  bool restart_after_each_input = false;
};

// The decisions in the documented order.
std::vector<Decision> decide(std::shared_ptr<const catalog::Compiled> catalog, const std::vector<std::string>& events,
                             const Options& options = {});

// The sent ones of one trigger.
std::vector<Decision> sent_of(const std::vector<Decision>& decisions, std::string_view trigger);
std::size_t customers_of(const std::vector<Decision>& decisions);
// The decision's line without its action id.
std::string line_without_id(const Decision& decision);

// Columns of an answer: the identity without its kind, the instant as "2015-06-02 05:26:28", a member of `data`.
std::string customer_column(const Decision& decision);
std::string time_column(Instant t);
std::string data_column(const Decision& decision, std::string_view name);

// sha256 of the sorted lines, each followed by \n: what answers/*.json hold.
std::string digest_of(std::vector<std::string> lines);
// The text after `"key":` behind `section` in answers/<file>, without quotes; fails the test if it is not there.
std::string answer(const std::string& file, std::string_view section, std::string_view key);

}  // namespace spur::testing
