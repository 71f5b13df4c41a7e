// A page tells of a trigger what its YAML says, in words, and shows text of its author as text.

#include "daemon/authoring/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "operators/catalog/compile.h"
#include "operators/catalog/load.h"

namespace spur::authoring {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string resource(const std::string& kind, const std::string& name, const std::string& spec) {
  return "apiVersion: spur/v1\nkind: " + kind + "\nmetadata: {name: " + name + "}\nspec: " + spec +
         "\n---\n";
}
const std::string kCatalog =
    resource("Channel", "email", "{reach: has(traits.email)}") +
    resource("Channel", "unused", "{}") + resource("Policy", "all", "{caps: [{max: 5, per: 7d}]}") +
    resource("Feature", "orders", "{on: Order Completed, aggregate: count, window: 30d}") +
    resource("Session", "visit", "{keeps: {on: \"*\"}, idle: 30m}");

Page page_of(const std::string& trigger) {
  const catalog::Loaded loaded =
      catalog::load_text("c.yaml", kCatalog + resource("Trigger", "t", trigger));
  for (const catalog::Error& error : loaded.errors) ADD_FAILURE() << error.to_text();
  const catalog::CompileResult compiled = catalog::compile(loaded.catalog);
  for (const catalog::Error& error : compiled.errors) ADD_FAILURE() << error.to_text();
  if (compiled.compiled == nullptr) return {};
  return trigger_pages(loaded.catalog, *compiled.compiled).at(0);
}

const std::string kCart =
    "{absence: {key: event.properties.cart_id, opens: {on: Product Added}, closes: {on: Order "
    "Completed}, after: 1h}, "
    "while: features.orders == 0, cooldown: 7d, actions: [{channel: email, template: first, data: "
    "{c: instance.key}}, "
    "{channel: email, template: second, after: 2d}, {channel: email, template: third, after: 3d}]}";

TEST(PageTest, AnAbsenceIsToldInSentences) {
  const std::string text = to_markdown(page_of(kCart));
  EXPECT_THAT(text,
              HasSubstr("Waits from Product Added, one wait for each `event.properties.cart_id`."));
  EXPECT_THAT(text, HasSubstr("The wait is over, and nothing happens, at Order Completed."));
  EXPECT_THAT(text, HasSubstr("Fires if the wait is still open after `1h`."));
}

TEST(PageTest, TheTimeLineGoesFromTheOpeningToTheLastStep) {
  const Page page = page_of(kCart);
  std::vector<std::string> points;
  for (const Point& point : page.timeline) points.push_back(point.wait + "|" + point.label);
  EXPECT_THAT(points, ElementsAre("|Product Added", "1h|fires: first (email)", "2d|second (email)",
                                  "1d|third (email)"));
}

TEST(PageTest, WhatSilencesItAndWhatItReadsIsListed) {
  const std::string text = to_markdown(page_of(kCart));
  EXPECT_THAT(text, HasSubstr("| while | `features.orders == 0` |"));
  EXPECT_THAT(text, HasSubstr("| cooldown | `7d` |"));
  EXPECT_THAT(text, HasSubstr("| caps of the Policy | at most 5 in 7d |"));
  EXPECT_THAT(
      text,
      HasSubstr("| `features.orders` | `on: Order Completed; aggregate: count; window: 30d` |"));
  EXPECT_THAT(text, HasSubstr("| email | `topic: actions.email; reach: has(traits.email)` |"));
  EXPECT_THAT(text, Not(HasSubstr("unused")));
}

TEST(PageTest, EveryOperatorHasItsSentence) {
  const std::string actions = ", actions: [{channel: email, template: a}]}";
  const auto first = [&](const std::string& spec) {
    return to_markdown(page_of("{" + spec + actions));
  };
  EXPECT_THAT(first("event: {on: [A, B], where: event.properties.n > 1}"),
              HasSubstr("Fires at A or B where `event.properties.n > 1`."));
  EXPECT_THAT(first("session: {of: visit, on: idle}"),
              HasSubstr("Fires when the session `visit` ends by 30m of silence."));
  EXPECT_THAT(first("threshold: {when: features.orders >= 3}"),
              HasSubstr("Fires again only after it was false."));
  EXPECT_THAT(first("novelty: {on: A, of: event.name, kth: 3}"),
              HasSubstr("Fires at different value 3 of `event.name` at A."));
  EXPECT_THAT(
      first("schedule: {cron: \"0 9 * * *\", when: features.orders > 0, edge: rising}"),
      HasSubstr("Fires when this is true and was not the time before: `features.orders > 0`."));
}

TEST(PageTest, ATriggerThatIsOffSaysSo) {
  EXPECT_THAT(to_markdown(page_of(
                  "{event: {on: A}, enabled: false, actions: [{channel: email, template: a}]}")),
              HasSubstr("It is off: `enabled: false`."));
}

TEST(PageTest, TextOfTheAuthorIsShownAndNotRead) {
  const Page page = page_of(
      "{event: {on: \"<b>|*x*\"}, if: \"'<i>' == '|`'\", actions: [{channel: email, template: "
      "a}]}");
  const std::string html = to_html(page);
  EXPECT_THAT(html, HasSubstr("Fires at &lt;b&gt;|*x*."));
  EXPECT_THAT(html, HasSubstr("<code>'&lt;i&gt;' == '|`'</code>"));
  EXPECT_THAT(html, Not(HasSubstr("<b>")));
  const std::string markdown = to_markdown(page);
  EXPECT_THAT(markdown, HasSubstr("Fires at \\<b\\>\\|\\*x\\*."));
  EXPECT_THAT(markdown, HasSubstr("| if | `` '<i>' == '\\|`' `` |"));
}

TEST(PageTest, TheDrawingHasADotForEachPoint) {
  const std::string html = to_html(page_of(kCart));
  std::size_t dots = 0;
  for (std::size_t at = html.find("<circle"); at != std::string::npos;
       at = html.find("<circle", at + 1))
    ++dots;
  EXPECT_EQ(dots, 4u);
  EXPECT_THAT(
      html,
      HasSubstr(
          "aria-label=\"Product Added, after 1h fires: first (email), after 2d second (email), "
          "after 1d third (email)\""));
}

TEST(PageTest, TheIndexLinksEachPage) {
  const std::vector<Page> pages = {page_of(kCart)};
  EXPECT_THAT(markdown_index(pages), HasSubstr("[t](triggers/t.md)"));
  EXPECT_THAT(html_index(pages), HasSubstr("href=\"triggers/t.html\""));
}

}  // namespace
}  // namespace spur::authoring
