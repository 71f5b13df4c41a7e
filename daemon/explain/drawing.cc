#include "daemon/explain/drawing.h"

#include <algorithm>

#include "daemon/explain/text.h"
#include "fmt/format.h"
#include "operators/expression/utf8.h"

namespace spur::explain {
namespace {

constexpr std::string_view kSent = "32", kSuppressed = "33", kOther = "36", kDim = "2", kBold = "1";

// Lines of at most `width` columns, broken at spaces where there are any; the later ones begin with
// `indent`.
std::string wrapped(const std::string& text, std::size_t width, const std::string& indent) {
  std::string out, line;
  std::size_t used = 0;
  const auto end_line = [&] {
    out += line + "\n";
    line = indent;
    used = expression::code_points(indent);
  };
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = text.find(' ', at + 1);
    if (end == std::string::npos) end = text.size();
    std::string word = text.substr(at, end - at);
    if (used > expression::code_points(indent) && used + expression::code_points(word) > width) {
      end_line();
      word.erase(0, word.find_first_not_of(' ') == std::string::npos ? word.size()
                                                                     : word.find_first_not_of(' '));
    }
    for (std::size_t i = 0;
         i < word.size();) {  // a word that is too long itself is cut between characters
      std::size_t next = i + 1;
      while (next < word.size() && (static_cast<unsigned char>(word[next]) & 0xc0) == 0x80) ++next;
      if (used >= width) end_line();
      line += word.substr(i, next - i);
      ++used;
      i = next;
    }
    at = end;
  }
  return out + line + "\n";
}

std::string_view colour_of(const spur::v1::Change& change) {
  if (change.kind() == "feature" || change.kind() == "session") return kDim;
  if (change.kind() != "decided") return kOther;
  return change.decision().verdict() == spur::v1::VERDICT_SENT ? kSent : kSuppressed;
}

std::string_view sign_of(const spur::v1::Change& change) {
  if (change.kind() == "wait" || change.kind() == "step")
    return change.after() == "open" ? "├─ " : "└─ ";
  if (change.kind() != "decided") return "│  ";
  return change.decision().verdict() == spur::v1::VERDICT_SENT ? "▶  " : "✕  ";
}

std::string painted(std::string text, std::string_view colour, bool paint) {
  if (!paint) return text;
  const bool line = !text.empty() && text.back() == '\n';
  if (line) text.pop_back();
  return fmt::format("\033[{}m{}\033[0m{}", colour, text, line ? "\n" : "");
}

}  // namespace

std::string draw(std::string_view customer, const std::vector<spur::v1::Moment>& moments,
                 const DrawingOptions& options) {
  const std::size_t width = std::max(options.width, kDrawingWidthMin);
  std::string out = painted(wrapped(std::string(customer), width, ""), kBold, options.colour);
  std::string day;
  for (const spur::v1::Moment& moment : moments) {
    const std::string at = time_text(moment.time_ms());
    if (at.substr(0, 10) != day) {
      day = at.substr(0, 10);
      out += "\n" + painted(day + "\n", kBold, options.colour);
    }
    std::string what = moment.event().empty() ? "○  time passes" : "●  " + moment.event();
    if (moment.late()) what += fmt::format(" (late, of {})", time_text(moment.event_time_ms()));
    out += wrapped(fmt::format("{}  {}", at.substr(11, 12), what), width, std::string(17, ' '));
    for (const spur::v1::Change& change : moment.changes()) {
      const std::string line =
          std::string(14, ' ') + std::string(sign_of(change)) + words_of(change);
      out += painted(wrapped(line, width, std::string(17, ' ')), colour_of(change), options.colour);
    }
  }
  if (moments.empty()) out += "nothing happened to this customer\n";
  return out;
}

}  // namespace spur::explain
