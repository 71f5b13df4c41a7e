// The 117 example calls of the Segment documentation: each is accepted or refused as its common
// fields say, alone and in a batch.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "daemon/inputs/event_file.h"
#include "daemon/inputs/json_reader.h"
#include "daemon/inputs/segment_batch.h"
#include "tests/inputs/decoding.h"

namespace spur {
namespace {

std::string data_folder() {
  const char* folder = std::getenv("SPUR_DATA");
  return folder == nullptr ? "../shared/data" : folder;
}

class SegmentSpecTest : public Decoding {
 protected:
  void SetUp() override {
    if (EventFile::open(data_folder() + "/segment_spec/segment_spec_calls.jsonl").ok()) return;
    const char* ci = std::getenv("CI");
    if (ci != nullptr && std::string_view(ci) == "true")
      FAIL() << "no data in " << data_folder() << "; set SPUR_DATA";
    GTEST_SKIP() << "no data in " << data_folder()
                 << "; set SPUR_DATA to the folder that holds segment_spec";
  }

  // Each example as it stands in the documentation: the call of "json", or the "text" that is none.
  template <typename Visit>
  void for_each_example(const std::string& file, Visit&& visit) {
    absl::StatusOr<EventFile> lines = EventFile::open(data_folder() + "/segment_spec/" + file);
    ASSERT_TRUE(lines.ok()) << lines.status();
    JsonReader reader{InputLimits{}};
    while (const std::optional<EventFile::Line> line = lines->next()) {
      std::string_view example;
      Arena arena;
      JsonReader::Token at = reader.open(line->bytes);
      ASSERT_NE(at, nullptr);
      at = reader.object(at, arena, [&](std::string_view key, JsonReader::Token value) {
        if (key == "text") return reader.text(value, arena, example);
        const JsonReader::Token behind = reader.skip(value);
        if (key == "json" && behind != nullptr) example = reader.between(value, behind);
        return behind;
      });
      ASSERT_NE(at, nullptr);
      visit(example);
    }
    EXPECT_TRUE(lines->status().ok()) << lines->status();
  }

  // Counts reasons; "" is a good call.
  std::map<std::string, int> reasons(const std::string& more) {
    std::map<std::string, int> counts;
    for (const char* file : {"segment_spec_calls.jsonl", "segment_spec_examples.jsonl"}) {
      for_each_example(file, [&](std::string_view example) {
        std::string call(example);
        if (!more.empty() && call.starts_with("{")) call.insert(1, quoted(more));
        ++counts[reason(call)];
      });
    }
    return counts;
  }
};

using Counts = std::map<std::string, int>;

// What the specification asks of a call, read from its common fields and not from the decoder:
// `type` is one of six, a track has an `event`, somebody is named, and something tells the time.
std::string wanted_by_the_specification(std::string_view example) {
  JsonReader reader{InputLimits{}};
  Arena arena;
  Value call;
  JsonReader::Token at = reader.open(example);
  if (at != nullptr) at = reader.read(at, arena, call);
  if (at == nullptr || !reader.finish(at)) return "NOT_JSON";
  const auto text = [&](std::string_view key) {
    const Value value = field(call, key);
    return value.is(Kind::kString) ? std::string(value.as_text()) : std::string();
  };
  const std::string type = text("type");
  if (type.empty()) return "MISSING_TYPE";
  const std::set<std::string> calls = {"track", "identify", "page", "screen", "group", "alias"};
  if (!calls.contains(type)) return "UNKNOWN_TYPE";
  if (type == "track" && text("event").empty()) return "MISSING_EVENT_NAME";
  if (text("userId").empty() && text("anonymousId").empty()) return "MISSING_IDENTITY";
  for (const char* time : {"timestamp", "originalTimestamp", "receivedAt", "sentAt"}) {
    if (!text(time).empty()) return "";
  }
  return "MISSING_TIMESTAMP";
}

TEST_F(SegmentSpecTest, EachExampleIsAcceptedOrRefusedAsTheSpecificationSays) {
  int examples = 0;
  for (const char* file : {"segment_spec_calls.jsonl", "segment_spec_examples.jsonl"}) {
    for_each_example(file, [&](std::string_view example) {
      ++examples;
      EXPECT_EQ(reason(example), wanted_by_the_specification(example)) << example;
    });
  }
  EXPECT_EQ(examples, 117);
}

TEST_F(SegmentSpecTest, OfThe117SoManyAreRefusedForEachReason) {
  EXPECT_EQ(reasons(""),
            (Counts{{"", 7},
                    {"MISSING_IDENTITY", 34},
                    {"MISSING_TIMESTAMP", 26},
                    {"MISSING_TYPE", 39},  // all of them write `action` for `type`
                    {"NOT_JSON", 11}}));   // calls of the JavaScript library, missing commas
}

// The documentation leaves out what its libraries add.
TEST_F(SegmentSpecTest, WithUserAndTimeTheExamplesAreGoodButForTheBrokenOnes) {
  EXPECT_EQ(reasons("'userId':'u','timestamp':'2026-03-01T08:30:00Z',"),
            (Counts{{"", 67}, {"MISSING_TYPE", 39}, {"NOT_JSON", 11}}));
}

// As its libraries send them: many in one record, with the time of sending said once.
TEST_F(SegmentSpecTest, InABatchEachIsAcceptedOrRefusedAsAlone) {
  std::string calls;
  std::vector<std::string> alone, together;
  for (const char* file : {"segment_spec_calls.jsonl", "segment_spec_examples.jsonl"}) {
    for_each_example(file, [&](std::string_view example) {
      if (wanted_by_the_specification(example) == "NOT_JSON") return;
      calls.append(calls.empty() ? "" : ",").append(example);
      alone.push_back(wanted_by_the_specification(example));
      // The batch says when it was sent.
      if (alone.back() == "MISSING_TIMESTAMP") alone.back() = "";
    });
  }
  const std::string record = "{\"batch\":[" + calls + "],\"sentAt\":\"2026-03-01T08:30:00Z\"}";
  SegmentBatch batch;
  ASSERT_EQ(batch.open(record), SegmentBatch::Outcome::kBatch);
  for (std::size_t i = 0; i < batch.size(); ++i) together.push_back(reason(batch.call(i)));
  EXPECT_EQ(together, alone);
}

}  // namespace
}  // namespace spur
