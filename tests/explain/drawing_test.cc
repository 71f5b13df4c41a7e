// The time line as drawn.
#include "daemon/explain/drawing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>

namespace spur::explain {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<spur::v1::Moment> cart_moments(const std::string& key = "k1") {
  std::vector<spur::v1::Moment> moments(2);
  moments[0].set_time_ms(1'772'359'200'000);  // 2026-03-01T10:00:00Z
  moments[0].set_event("Product Added");
  spur::v1::Change& wait = *moments[0].add_changes();
  wait.set_kind("wait");
  wait.set_name("cart-abandoned");
  wait.set_key(key);
  wait.set_after("open");
  wait.set_due_ms(1'772'362'800'000);
  moments[1].set_time_ms(1'772'362'800'000);
  spur::v1::Change& over = *moments[1].add_changes();
  over = wait;
  over.set_before("open");
  over.set_after("closed");
  spur::v1::Change& decided = *moments[1].add_changes();
  decided.set_kind("decided");
  decided.set_name("cart-abandoned");
  decided.mutable_decision()->set_trigger("cart-abandoned");
  decided.mutable_decision()->set_channel("email");
  decided.mutable_decision()->set_verdict(spur::v1::VERDICT_SUPPRESSED);
  decided.mutable_decision()->set_reason("cap");
  decided.mutable_decision()->set_detail("1 sent within 86400 s, channel cap 1");
  return moments;
}

std::size_t widest(const std::string& text) {
  std::istringstream lines(text);
  std::size_t most = 0;
  for (std::string line; std::getline(lines, line);) {
    const auto columns = std::count_if(line.begin(), line.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
    });
    most = std::max(most, static_cast<std::size_t>(columns));
  }
  return most;
}

// Every tag that opens closes, and nothing but markup has the signs of markup.
bool balanced(const std::string& xml) {
  std::vector<std::string> open;
  for (std::size_t at = xml.find('<'); at != std::string::npos; at = xml.find('<', at + 1)) {
    const std::size_t end = xml.find('>', at);
    if (end == std::string::npos) return false;
    const std::string tag = xml.substr(at + 1, end - at - 1);
    if (tag[0] == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(tag.substr(0, tag.find(' ')));
    }
  }
  return open.empty();
}

TEST(DrawingTest, DaysInstantsChangesAndVerdictsAreThere) {
  const std::string text = draw("user_id:ann", cart_moments(), {100, false});
  EXPECT_THAT(text, HasSubstr("2026-03-01\n10:00:00.000  ●  Product Added\n"));
  EXPECT_THAT(text, HasSubstr("├─ cart-abandoned [k1] waits until 2026-03-01T11:00:00.000Z\n"));
  EXPECT_THAT(text, HasSubstr("11:00:00.000  ○  time passes\n"));
  EXPECT_THAT(
      text,
      HasSubstr(
          "✕  cart-abandoned  email  suppressed: cap (1 sent within 86400 s, channel cap 1)\n"));
}

TEST(DrawingTest, NoLineIsWiderThanAsked) {
  for (const std::size_t width : {40U, 41U, 57U, 80U, 200U}) {
    EXPECT_LE(widest(draw("user_id:ann", cart_moments(std::string(300, 'x')), {width, false})),
              width);
  }
}

TEST(DrawingTest, WithoutColourThereIsNoEscape) {
  EXPECT_THAT(draw("user_id:ann", cart_moments(), {100, false}), Not(HasSubstr("\033")));
  EXPECT_THAT(draw("user_id:ann", cart_moments(), {100, true}), HasSubstr("\033[33m"));
}

TEST(DrawingTest, NothingIsSaidToBeNothing) {
  EXPECT_THAT(draw("user_id:ann", {}, {}), HasSubstr("nothing happened to this customer"));
  EXPECT_TRUE(balanced(draw_svg("user_id:ann", {})));
}

TEST(DrawingTest, TheSvgIsWellFormedWhateverTheTexts) {
  const std::string svg = draw_svg("user_id:<&\">", cart_moments("</svg>&\x01'\""));
  EXPECT_TRUE(balanced(svg)) << svg;
  EXPECT_THAT(svg, HasSubstr("user_id:&lt;&amp;&quot;&gt;"));
  EXPECT_THAT(svg, Not(HasSubstr("\x01")));
}

TEST(DrawingTest, EverythingInTheSvgHasATitle) {
  const std::string svg = draw_svg("user_id:ann", cart_moments());
  EXPECT_THAT(svg, HasSubstr("aria-labelledby=\"title description\""));
  EXPECT_THAT(
      svg,
      HasSubstr("<title>2026-03-01T10:00:00.000Z  Product Added\ncart-abandoned [k1] waits until"));
  EXPECT_THAT(svg,
              HasSubstr("<title>2026-03-01T11:00:00.000Z  cart-abandoned  email  suppressed: cap"));
  EXPECT_THAT(svg, HasSubstr("class=\"bar\""));
}

TEST(DrawingTest, EveryShapeInTheSvgHasATitleOfItsOwn) {
  std::vector<spur::v1::Moment> moments = cart_moments();
  spur::v1::Change& sent = *moments[1].add_changes();
  sent = moments[1].changes(1);
  sent.mutable_decision()->set_verdict(spur::v1::VERDICT_SENT);
  spur::v1::Change& asked = *moments[1].add_changes();
  asked.set_kind("asked");
  asked.set_name("cart-abandoned");
  asked.mutable_condition()->set_name("if");
  const std::string svg = draw_svg("user_id:ann", moments);
  for (const char* shape : {"circle class=\"event\"", "rect class=\"bar\"", "path class=\"sent\"",
                            "path class=\"not\"", "path class=\"asked\""}) {
    const std::size_t at = svg.find(std::string("<") + shape);
    ASSERT_NE(at, std::string::npos) << shape;
    EXPECT_EQ(svg.compare(svg.find('>', at) + 1, 7, "<title>"), 0) << shape;
  }
  // An event tells of all that it changed, a verdict of itself alone.
  EXPECT_THAT(svg, HasSubstr(">2026-03-01T11:00:00.000Z  cart-abandoned  email  sent"));
}

TEST(DrawingTest, AWaitThatIsStillOpenIsDrawnToTheEnd) {
  std::vector<spur::v1::Moment> moments = cart_moments();
  moments[1].mutable_changes()->DeleteSubrange(0, 1);
  EXPECT_THAT(draw_svg("user_id:ann", moments), HasSubstr("class=\"bar open\""));
}

}  // namespace
}  // namespace spur::explain
