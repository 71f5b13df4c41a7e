// The 117 example calls of the Segment documentation: each is decoded, or refused for a reason that
// is right.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <string>

#include "daemon/inputs/event_file.h"
#include "daemon/inputs/json_reader.h"
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

TEST_F(SegmentSpecTest, EachExampleIsDecodedOrRefusedForAReason) {
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

}  // namespace
}  // namespace spur
