// What a log line looks like.
#include "daemon/logging.h"

#include <gtest/gtest.h>

namespace spur::logging {
namespace {

constexpr const char* kTime = "2026-03-01T08:00:00.123Z";

TEST(LoggingTest, JsonLineKeepsTypesAndEscapesText) {
  EXPECT_EQ(render(LogFormat::kJson, kTime, LogLevel::kInfo, "caught up",
                   {{"shard", 3}, {"ratio", 0.5}, {"ok", true}, {"reason", "a \"b\"\n\x01"}}),
            R"({"time":"2026-03-01T08:00:00.123Z","level":"info","message":"caught up","shard":3,"ratio":0.5,)"
            R"("ok":true,"reason":"a \"b\"\n\u0001"})");
}

TEST(LoggingTest, TextLineQuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(render(LogFormat::kText, kTime, LogLevel::kWarning, "catalog refused",
                   {{"errors", 2U}, {"where", "a.yaml:1:2"}, {"first", "two words"}, {"empty", ""}}),
            R"(2026-03-01T08:00:00.123Z warning catalog refused errors=2 where=a.yaml:1:2 first="two words" empty="")");
}

TEST(LoggingTest, StatusIsAField) {
  EXPECT_EQ(render(LogFormat::kText, kTime, LogLevel::kError, "x", {{"status", absl::NotFoundError("gone")}}),
            R"(2026-03-01T08:00:00.123Z error   x status="NOT_FOUND: gone")");
}

}  // namespace
}  // namespace spur::logging
