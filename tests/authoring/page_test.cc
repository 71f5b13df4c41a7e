// A page tells of a trigger what its YAML says, in words, and shows text of its author as text.

#include "daemon/authoring/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

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
    resource("Channel", "unused", "{}") +
    resource("Feature", "orders", "{on: Order Completed, aggregate: count, window: 30d}") +
    resource("Segment", "buyers", "{when: features.orders > 0}") +
    resource("Model", "churn",
             "{bg_nbd: {on: Order Completed}, parameters: {r: 0.24, alpha: 4.4, a: 0.79, b: 2.4, "
             "unit: 1w}}") +
    resource("Reference", "products", "{topic: products, key: body.id}") +
    resource("Session", "visit", "{keeps: {on: \"*\"}, idle: 30m}");
const std::string kPolicy = resource("Policy", "all", "{caps: [{max: 5, per: 7d}]}");
const std::string kPolicyWithAll =
    resource("Policy", "all",
             "{caps: [{max: 5, per: 7d}], holdout: {percent: 2.5, salt: x}, arbitration: channel, "
             "ladders: {cart: {order: [higher, t], for: 2d}}}");

// Of the trigger `t`; with others, under a Policy that has a ladder of `higher` and it.
Page page_of(const std::string& trigger, const std::string& others = "") {
  const catalog::Loaded loaded =
      catalog::load_text("c.yaml", kCatalog + (others.empty() ? kPolicy : kPolicyWithAll + others) +
                                       resource("Trigger", "t", trigger));
  for (const catalog::Error& error : loaded.errors) ADD_FAILURE() << error.to_text();
  const catalog::CompileResult compiled = catalog::compile(loaded.catalog);
  for (const catalog::Error& error : compiled.errors) ADD_FAILURE() << error.to_text();
  if (compiled.compiled == nullptr) return {};
  return trigger_pages(loaded.catalog, *compiled.compiled).back();  // by name
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

// By the key of the operator: what it says, and a sentence of its page.
const std::map<std::string, std::pair<const char*, const char*>> kSentences = {
    {"event",
     {"{on: [A, B], where: event.properties.n > 1}",
      "Fires at A or B where `event.properties.n > 1`."}},
    {"absence", {"{opens: {on: A}, after: 1h}", "Fires if the wait is still open after `1h`."}},
    {"session",
     {"{of: visit, on: idle}", "Fires when the session `visit` ends by 30m of silence."}},
    {"threshold", {"{when: features.orders >= 3}", "Fires again only after it was false."}},
    {"novelty",
     {"{on: A, of: event.name, kth: 3}", "Fires at different value 3 of `event.name` at A."}},
    {"schedule",
     {"{cron: \"0 9 * * *\", when: features.orders > 0, edge: rising}",
      "Fires when this is true and was not the time before: `features.orders > 0`."}},
    {"prediction",
     {"{model: churn, at_least: 0.7, every: 1d}",
      "Fires when the score of the model `churn` reaches 0.7."}},
    {"rhythm",
     {"{on: A, change: drop, usual: p90, fallback: 30d}",
      "Fires when A stays away for the 90th percentile of the customer's own gaps."}},
    {"sequence",
     {"{steps: [{on: A}, {on: B, within: 30m}], then_silent: {on: C, for: 3m}}",
      "Fires if after the last of them nothing comes for `3m` of: C."}},
    {"intent",
     {"{scores: [{on: A, add: 5}], half_life: 20m, at_least: 15}", "Fires when it reaches 15."}},
    {"date",
     {"{of: traits.birthday, every: year, offset: -3d, at: \"09:00\"}",
      "Fires 3 days before the date `traits.birthday`, and so again each year, at 09:00 (the "
      "Policy's zone)."}},
    {"segment",
     {"{of: buyers, on: entered}", "Fires when the customer enters the segment `buyers`."}},
    {"business",
     {"{reference: products, interest: {on: A, key: event.properties.id, within: 30d}}",
      "Fires when a record of `products` changes, for each customer who cares about it."}},
};

TEST(PageTest, EveryOperatorHasItsSentence) {
  const auto* const operators = spur::v1::Trigger::descriptor()->FindOneofByName("operator");
  for (int i = 0; i < operators->field_count(); ++i) {
    const std::string& name = operators->field(i)->name();
    if (name == "unsupported") continue;
    const auto known = kSentences.find(name);
    ASSERT_NE(known, kSentences.end()) << name;
    const auto& [says, sentence] = known->second;
    EXPECT_THAT(to_markdown(page_of("{" + name + ": " + says +
                                    ", actions: [{channel: email, template: a}]}")),
                HasSubstr(sentence));
  }
}

TEST(PageTest, ARhythmThatRisesIsToldFromItsOwnSide) {
  const std::string text = to_markdown(
      page_of("{rhythm: {on: A, change: rise}, actions: [{channel: email, template: a}]}"));
  EXPECT_THAT(text, HasSubstr("Fires at A when it comes early: 2 times its gap is at most the mean "
                              "of the customer's own gaps before it."));
  EXPECT_THAT(text, HasSubstr("Needs 3 gaps."));
}

TEST(PageTest, ASequenceIsATimeLineOfItsSteps) {
  const Page page = page_of(
      "{sequence: {steps: [{on: A}, {on: B, within: 30m}], then_silent: {on: C, for: 3m}}, "
      "actions: [{channel: email, template: a}]}");
  std::vector<std::string> points;
  for (const Point& point : page.timeline) points.push_back(point.wait + "|" + point.label);
  EXPECT_THAT(points, ElementsAre("|A", "|B", "3m|fires: a (email)"));
  EXPECT_THAT(to_markdown(page), HasSubstr("Then B, within `30m`."));
}

TEST(PageTest, WhatThePolicySilencesIsListed) {
  const std::string other =
      resource("Trigger", "higher", "{event: {on: B}, actions: [{channel: email, template: b}]}");
  const auto silent = [&](const std::string& trigger_class) {
    return to_markdown(page_of(
        "{event: {on: A}, class: " + trigger_class + ", actions: [{channel: email, template: a}]}",
        other));
  };
  const std::string marketing = silent("marketing");
  EXPECT_THAT(marketing, HasSubstr("| ladder cart | higher open, or sent less than 2d ago |"));
  EXPECT_THAT(marketing, HasSubstr("| holdout | 2.5 % of the customers |"));
  EXPECT_THAT(marketing,
              HasSubstr("| arbitration | of what is due together only the first goes, on each "
                        "channel |"));
  const std::string service = silent("service");
  EXPECT_THAT(service, HasSubstr("| ladder cart |"));
  EXPECT_THAT(service, Not(HasSubstr("| holdout |")));
  EXPECT_THAT(service, Not(HasSubstr("| arbitration |")));
  EXPECT_THAT(service, Not(HasSubstr("| caps of the Policy |")));
}

TEST(PageTest, ATriggerThatIsOffSaysSo) {
  EXPECT_THAT(to_markdown(page_of(
                  "{event: {on: A}, enabled: false, actions: [{channel: email, template: a}]}")),
              HasSubstr("It is off: `enabled: false`."));
  EXPECT_THAT(to_markdown(page_of(
                  "{event: {on: A}, shadow: true, actions: [{channel: email, template: a}]}")),
              HasSubstr("It is tried out, and sends nothing: `shadow: true`."));
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
