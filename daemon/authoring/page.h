// A page about one trigger, before it is Markdown or HTML: what it waits for, when it acts, what
// can silence it, and what it reads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "operators/catalog/compiled.h"
#include "spur/v1/catalog.pb.h"

namespace spur::authoring {

// Text with code in it: what stands between these two is shown as code. No catalog holds them.
inline constexpr char kCodeBegin = '\x01';
inline constexpr char kCodeEnd = '\x02';
std::string code(std::string_view text);

struct Table {
  std::string heading;
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;
};

// Of a time line: what happens there, and how long after the point before.
struct Point {
  std::string label;
  std::string wait;  // "1h"; empty for the first, and where nothing says how long
};

struct Page {
  std::string name;
  std::string kind;  // "absence"
  std::vector<std::string> paragraphs;
  std::vector<Point> timeline;
  std::vector<Table> tables;  // without those that would be empty
};

// A page for each trigger, by name. `compiled` is what `catalog` compiles to.
std::vector<Page> trigger_pages(const spur::v1::Catalog& catalog,
                                const catalog::Compiled& compiled);

// As files; each ends with a line end. The index links to "triggers/<name>.md" (or .html): a
// trigger may be called `index`.
std::string to_markdown(const Page& page);
std::string markdown_index(const std::vector<Page>& pages);
std::string to_html(const Page& page);
std::string html_index(const std::vector<Page>& pages);

}  // namespace spur::authoring
