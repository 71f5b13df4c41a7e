// What does not parse, where the error points, and what it says.

#include "expression_fixture.h"

namespace spur::expression {
namespace {

class ParserTest : public ExpressionTest {};

TEST_F(ParserTest, AnErrorPointsAtWhatIsWrong) {
  EXPECT_EQ(blamed("1 + + 2"), "+");
  EXPECT_EQ(blamed("(1 + 2"), "");
  EXPECT_EQ(blamed("[1, 2"), "");
  EXPECT_EQ(blamed("1 2"), "2");
  EXPECT_EQ(blamed("'a\\q'"), "\\q");
  EXPECT_EQ(blamed("a ~ b"), "~");
  EXPECT_EQ(blamed("1 + 'abc\\"), "'abc\\");
  EXPECT_EQ(blamed("\xC3\xA9 == 1"), "\xC3\xA9");
}

TEST_F(ParserTest, AnErrorSaysWhatWouldBeRight) {
  EXPECT_EQ(result("1 = 2"), "refused: `=` is no operator; write `==` to compare");
  EXPECT_EQ(result("true and false"),
            "refused: unexpected `and`, expected an operator or the end; write `&&`");
  EXPECT_EQ(result("true & false"),
            "refused: `&` is no operator; write `&&`, or math.bitAnd(a, b)");
  EXPECT_EQ(result("'abc"),
            "refused: a string is not closed; close it with the quote it began with");
  EXPECT_EQ(result(""), "refused: the expression ends here, expected a value");
  EXPECT_EQ(result("let + 1"), "refused: `let` is a reserved word of CEL; choose another name");
  EXPECT_TRUE(result("7d").starts_with(
      "refused: a number runs into a word; durations are written duration(\"7d\")"));
  EXPECT_TRUE(result("has(1)").starts_with("refused: has() takes a field"));
  EXPECT_TRUE(result("[1].map(1, 2)").starts_with("refused: `map` needs a plain name"));
}

TEST_F(ParserTest, LiteralsMeanWhatTheyAre) {
  EXPECT_EQ(result("-9223372036854775808"), "-9223372036854775808");
  EXPECT_TRUE(
      result("9223372036854775808").starts_with("refused: the number is out of range for an int"));
  EXPECT_EQ(result("0xFFu"), "255");
  EXPECT_EQ(result("1e3"), "1000");
  EXPECT_EQ(result("'\\u00e5\\n'"), "\"\xC3\xA5\\n\"");
  EXPECT_EQ(result("r'\\n'"), "\"\\\\n\"");
  EXPECT_EQ(result("\"\"\"a\"b\"\"\""), "\"a\\\"b\"");
  EXPECT_TRUE(result("'\\ud800'").starts_with("refused: no such character"));
}

TEST_F(ParserTest, OperatorsBindAsInCel) {
  EXPECT_EQ(result("1 + 2 * 3 - 4"), "3");
  EXPECT_EQ(result("true || false && false"), "true");
  EXPECT_EQ(result("!false && 1 < 2 ? 'a' : 'b'"), "\"a\"");
  EXPECT_EQ(result("10 - 2 - 3"), "5");
  EXPECT_EQ(result("-2 + 5 // a comment"), "3");
}

}  // namespace
}  // namespace spur::expression
