#include "daemon/eval/report.h"

#include <gtest/gtest.h>

namespace spur::eval {
namespace {

TEST(ReportTest, CaretsStandUnderWhatIsMeant) {
  EXPECT_EQ(marked("1 + ordres", {4, 6, "`ordres` is not declared", "did you mean `orders`?"}),
            "1:5: `ordres` is not declared; did you mean `orders`?\n"
            "  1 + ordres\n"
            "      ^^^^^^");
}

TEST(ReportTest, ColumnsCountCharactersNotBytes) {
  EXPECT_EQ(marked("'åäö' + x", {11, 1, "wrong", ""}), "1:9: wrong\n  'åäö' + x\n          ^");
}

TEST(ReportTest, ATabStaysATab) {
  EXPECT_EQ(marked("\tx", {1, 1, "wrong", ""}), "1:2: wrong\n  \tx\n  \t^");
}

TEST(ReportTest, OnlyTheLineThatIsMeantIsShown) {
  EXPECT_EQ(marked("a &&\nb ||\nc", {5, 6, "wrong", ""}), "2:1: wrong\n  b ||\n  ^^^^");
}

TEST(ReportTest, TheEndOfTheSourceHasACaretToo) {
  EXPECT_EQ(marked("1 +", {3, 0, "wrong", ""}), "1:4: wrong\n  1 +\n     ^");
  EXPECT_EQ(marked("", {0, 0, "wrong", ""}), "1:1: wrong\n  \n  ^");
}

TEST(ReportTest, OptionalsAndTypesAreShownAsCelSaysThem) {
  const Value one = Value::integer(1);
  EXPECT_EQ(shown(Value::optional(&one)), "optional.of(1)");
  EXPECT_EQ(shown(Value::optional(nullptr)), "optional.none()");
  EXPECT_EQ(shown(Value::type("int")), "int");
  EXPECT_EQ(shown(Value::string("a")), "\"a\"");
}

}  // namespace
}  // namespace spur::eval
