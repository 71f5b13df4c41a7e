#include "daemon/explain/drawing.h"

#include <algorithm>

#include "daemon/explain/text.h"
#include "fmt/format.h"
#include "operators/effects.h"

namespace spur::explain {
namespace {

constexpr std::string_view kSent = "32", kSuppressed = "33", kOther = "36", kDim = "2", kBold = "1";

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// Lines of at most `width` columns, broken at spaces where there are any; the later ones begin with
// `indent`.
std::string wrapped(const std::string& text, std::size_t width, const std::string& indent) {
  std::string out, line;
  std::size_t used = 0;
  const auto end_line = [&] {
    out += line + "\n";
    line = indent;
    used = columns_of(indent);
  };
  std::size_t at = 0;
  while (at < text.size()) {
    std::size_t end = text.find(' ', at + 1);
    if (end == std::string::npos) end = text.size();
    std::string word = text.substr(at, end - at);
    if (used > columns_of(indent) && used + columns_of(word) > width) {
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

std::string short_json(const std::string& json) { return json.empty() ? "-" : json; }

}  // namespace

std::string words_of(const spur::v1::Change& change) {
  const std::string of = change.name() + (change.key().empty() ? "" : " [" + change.key() + "]");
  const std::string until = change.due_ms() == 0 ? "" : " until " + time_text(change.due_ms());
  const std::string& kind = change.kind();
  if (kind == "feature")
    return fmt::format("{} {} → {}", of, short_json(change.before()), short_json(change.after()));
  if (kind == "session")
    return fmt::format("session {} {}", of, change.after() == "open" ? "opens" : "ends");
  if (kind == "wait" && change.after() != "open") return fmt::format("{}: its wait is over", of);
  if (kind == "wait")
    return fmt::format("{} {}{}", of, change.before().empty() ? "waits" : "goes on waiting", until);
  if (kind == "step" && change.after() != "open")
    return fmt::format("{} {}: over", change.name(), change.key());
  if (kind == "step")
    return fmt::format("{} {} is due at {}", change.name(), change.key(),
                       time_text(change.due_ms()));
  if (kind == "level")
    return fmt::format("{} {}", of, change.after() == "true" ? "crosses" : "re-arms");
  if (kind == "decided") return decision_text(change.decision());
  const spur::v1::ConditionValue& condition = change.condition();
  if (condition.deciding().empty())
    return fmt::format("{}: `{}` {} = {}", of, condition.name(), condition.expression(),
                       condition.value_json());
  return fmt::format("{}: `{}` says no: {}", of, condition.name(), condition.deciding());
}

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
