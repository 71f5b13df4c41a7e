// Pages as Markdown.
#include "daemon/authoring/page.h"

namespace spur::authoring {
namespace {

// Text of the catalog's author is shown, not read: what Markdown would take for a sign is escaped.
std::string inline_text(std::string_view text, bool in_table) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == kCodeBegin) {
      const std::size_t end = text.find(kCodeEnd, i);
      std::string inner(text.substr(i + 1, end - i - 1));
      for (char& k : inner) k = k == '\n' ? ' ' : k;
      const bool ticks = inner.find('`') != std::string::npos;
      std::string shown = ticks ? "`` " + inner + " ``" : "`" + inner + "`";
      for (std::size_t at = 0; in_table && (at = shown.find('|', at)) != std::string::npos;
           at += 2) {
        shown.insert(at, "\\");
      }
      out += shown;
      i = end;
      continue;
    }
    if (c == '\n') {
      out += ' ';
      continue;
    }
    if (std::string_view("\\`*_{}[]<>#|").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string row(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += " " + inline_text(cell, true) + " |";
  return line + "\n";
}

// "Product Added --1h--> fires: …" in a block of code.
std::string timeline_text(const std::vector<Point>& points) {
  std::string text;
  for (const Point& point : points) {
    if (!text.empty()) text += point.wait.empty() ? "\n  -> " : "\n  -- " + point.wait + " -> ";
    for (const char c : point.label) text += c == '\n' ? ' ' : c;
  }
  return text;
}

}  // namespace

std::string to_markdown(const Page& page) {
  std::string out =
      "# " + inline_text(page.name, false) + "\n\nTrigger, operator `" + page.kind + "`.\n\n";
  for (const std::string& paragraph : page.paragraphs)
    out += inline_text(paragraph, false) + "\n\n";
  out += "```text\n" + timeline_text(page.timeline) + "\n```\n";
  for (const Table& table : page.tables) {
    out += "\n## " + table.heading + "\n\n" + row(table.columns) + "|";
    for (std::size_t i = 0; i < table.columns.size(); ++i) out += "---|";
    out += "\n";
    for (const std::vector<std::string>& cells : table.rows) out += row(cells);
  }
  return out;
}

std::string markdown_index(const std::vector<Page>& pages) {
  std::string out = "# Triggers\n\n| Trigger | Operator | |\n|---|---|---|\n";
  for (const Page& page : pages) {
    out += "| [" + page.name + "](triggers/" + page.name + ".md) | " + page.kind + " | " +
           (page.paragraphs.empty() ? "" : inline_text(page.paragraphs.front(), true)) + " |\n";
  }
  return out;
}

}  // namespace spur::authoring
