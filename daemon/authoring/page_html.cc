// Pages as HTML: one file each, with its style and a drawing of the time line inside.
#include "daemon/authoring/page.h"
#include "daemon/authoring/xml_text.h"
#include "fmt/format.h"

namespace spur::authoring {
namespace {

constexpr std::string_view kStyle =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;"
    "color:#1a1a1a;background:#fff}"
    "code{font:.9em ui-monospace,monospace;background:#f0f0f0;padding:.1em .3em}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;"
    "padding:.3rem .6rem;border-bottom:1px solid #ddd}svg{max-width:100%;height:auto}"
    "svg text{fill:currentColor;font-size:13px}svg line,svg circle{stroke:currentColor}"
    "svg circle{fill:#2a6fdb}"
    "@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}"
    "code{background:#2a2a2a}th,td{border-color:#444}a{color:#8ab4f8}}";

// With what stands between the marks as code.
std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == kCodeBegin)
      out += "<code>";
    else if (c == kCodeEnd)
      out += "</code>";
    else
      append_xml(out, c);
  }
  return out;
}

// A line with a dot for each point; what happens stands above the dot, in turns higher and lower,
// and how long it takes below the line. Not to scale: hours and weeks stand on one page.
std::string drawing(const std::vector<Point>& points) {
  constexpr std::size_t kApart = 190, kMargin = 90, kLine = 80;
  constexpr std::size_t kLabelCharacters = 46, kWaitCharacters = 24;
  const std::size_t width = 2 * kMargin + kApart * (points.size() - 1);
  std::string spoken;
  for (const Point& point : points) {
    spoken += (spoken.empty()       ? ""
               : point.wait.empty() ? ", then "
                                    : ", after " + point.wait + " ") +
              point.label;
  }
  std::string svg = fmt::format(
      "<svg viewBox=\"0 0 {0} 120\" width=\"{0}\" role=\"img\" aria-label=\"{1}\">"
      "<line x1=\"{2}\" y1=\"{3}\" x2=\"{4}\" y2=\"{3}\"/>",
      width, escaped(spoken), kMargin, kLine, width - kMargin);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t x = kMargin + i * kApart;
    const std::size_t y = i % 2 == 0 ? kLine - 18 : kLine - 48;
    svg += fmt::format("<circle cx=\"{0}\" cy=\"{1}\" r=\"6\"/>", x, kLine);
    const std::string_view anchor = points.size() == 1       ? "middle"
                                    : i == 0                 ? "start"
                                    : i + 1 == points.size() ? "end"
                                                             : "middle";
    const std::size_t at = anchor == "start" ? x - 70 : anchor == "end" ? x + 80 : x;
    svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"{}\">{}<title>{}</title></text>", at,
                       y, anchor, escaped(shortened(points[i].label, kLabelCharacters)),
                       escaped(points[i].label));
    if (points[i].wait.empty()) continue;
    svg += fmt::format(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}<title>{}</title></text>", x - kApart / 2,
        kLine + 22, escaped(shortened(points[i].wait, kWaitCharacters)), escaped(points[i].wait));
  }
  return svg + "</svg>";
}

std::string page_of(std::string_view title, const std::string& body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n{}</body>\n</html>\n",
      escaped(title), kStyle, body);
}

std::string table_of(const Table& table) {
  std::string out = "<table>\n<thead><tr>";
  for (const std::string& column : table.columns) out += "<th>" + escaped(column) + "</th>";
  out += "</tr></thead>\n<tbody>\n";
  for (const std::vector<std::string>& cells : table.rows) {
    out += "<tr>";
    for (const std::string& cell : cells) out += "<td>" + escaped(cell) + "</td>";
    out += "</tr>\n";
  }
  return out + "</tbody>\n</table>\n";
}

}  // namespace

std::string to_html(const Page& page) {
  std::string body = "<p><a href=\"../index.html\">Triggers</a></p>\n<h1>" + escaped(page.name) +
                     "</h1>\n<p>Trigger, operator <code>" + escaped(page.kind) + "</code>.</p>\n";
  for (const std::string& paragraph : page.paragraphs)
    body += "<p>" + escaped(paragraph) + "</p>\n";
  body += "<figure>" + drawing(page.timeline) + "</figure>\n";
  for (const Table& table : page.tables)
    body += "<h2>" + escaped(table.heading) + "</h2>\n" + table_of(table);
  return page_of(page.name, body);
}

std::string html_index(const std::vector<Page>& pages) {
  std::string body = "<h1>Triggers</h1>\n<table>\n<tbody>\n";
  for (const Page& page : pages) {
    body += fmt::format(
        "<tr><td><a href=\"triggers/{0}.html\">{0}</a></td><td>{1}</td><td>{2}</td></tr>\n",
        escaped(page.name), escaped(page.kind),
        page.paragraphs.empty() ? "" : escaped(page.paragraphs.front()));
  }
  return page_of("Triggers", body + "</tbody>\n</table>\n");
}

}  // namespace spur::authoring
