#include "daemon/authoring/yaml_layout.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace spur::authoring {
namespace {

using catalog::SourceText;
using catalog::YamlEntry;
using catalog::YamlError;
using catalog::YamlNode;

using Range = std::pair<std::size_t, std::size_t>;

std::size_t line_begin(std::string_view text, std::size_t at) {
  const std::size_t newline = at == 0 ? std::string_view::npos : text.rfind('\n', at - 1);
  return newline == std::string_view::npos ? 0 : newline + 1;
}
std::size_t line_end(std::string_view text, std::size_t at) {
  return std::min(text.find('\n', at), text.size());
}
std::size_t column(std::string_view text, std::size_t at) { return at - line_begin(text, at); }
bool same_line(std::string_view text, std::size_t a, std::size_t b) {
  return line_begin(text, a) == line_begin(text, b);
}
bool is_empty(std::string_view line) {
  return line.find_first_not_of(" \t\r") == std::string_view::npos;
}

// Whether the line above the one at `at` is empty.
bool blank_above(std::string_view text, std::size_t at) {
  const std::size_t begin = line_begin(text, at);
  if (begin == 0) return false;
  const std::size_t above = line_begin(text, begin - 1);
  return is_empty(text.substr(above, begin - 1 - above));
}

bool is_block_scalar(std::string_view text, std::size_t at) {
  return at < text.size() && (text[at] == '|' || text[at] == '>');
}

// The lines below the header that are indented as the first of them.
std::size_t block_scalar_end(std::string_view text, std::size_t at) {
  std::size_t end = line_end(text, at);
  const bool keeps = text.substr(at, end - at).find('+') != std::string_view::npos;
  std::size_t indent = 0;
  for (std::size_t line = end + 1; line < text.size(); line = line_end(text, line) + 1) {
    const std::string_view content = text.substr(line, line_end(text, line) - line);
    if (is_empty(content)) {
      if (keeps) end = line_end(text, line);
      continue;
    }
    const std::size_t spaces = content.find_first_not_of(' ');
    if (indent == 0) indent = spaces;
    if (spaces < indent || indent == 0) break;
    end = line_end(text, line);
  }
  return end;
}

class LayoutMaker {
 public:
  LayoutMaker(const SourceText& source, const catalog::YamlFile& file)
      : source_(source), text_(source.text()) {
    for (const catalog::YamlNodePtr& document : file.documents) {
      auto piece = std::make_unique<Piece>();
      piece->node = document.get();
      piece->document = true;
      piece->begin = document->offset;
      fill(*piece);
      layout_.documents.push_back(std::move(piece));
    }
    std::sort(scalars_.begin(), scalars_.end());
  }

  LayoutResult run() {
    find_comments();
    if (!problem_.message.empty()) return {std::nullopt, std::move(problem_)};
    for (const auto& document : layout_.documents) flatten(*document);
    for (Piece* piece : pieces_) piece->end = end_of(*piece);
    for (const std::size_t comment : comments_) attach(comment);
    return {std::move(layout_), {}};
  }

 private:
  // --- values ---

  void fill(Piece& piece) {
    const YamlNode& node = *piece.node;
    if (node.kind == YamlNode::Kind::kScalar) add_scalar(node.offset, node.text);
    for (const YamlEntry& entry : node.entries) {
      auto child = std::make_unique<Piece>();
      child->node = entry.value.get();
      child->entry = &entry;
      child->begin = entry.key_offset;
      add_scalar(entry.key_offset, entry.key);
      adopt(piece, std::move(child));
    }
    for (const catalog::YamlNodePtr& item : node.items) {
      auto child = std::make_unique<Piece>();
      child->node = item.get();
      child->begin = node.flow ? item->offset : dash_before(item->offset);
      adopt(piece, std::move(child));
    }
  }

  void adopt(Piece& parent, std::unique_ptr<Piece> child) {
    child->blank_before = blank_above(text_, child->begin);
    fill(*child);
    parent.children.push_back(std::move(child));
  }

  void add_scalar(std::size_t begin, const std::string& value) {
    if (is_block_scalar(text_, begin)) {
      const std::string_view header = text_.substr(begin, line_end(text_, begin) - begin);
      if (header.substr(0, header.find('#')).find_first_of("123456789") != std::string_view::npos) {
        fail(begin, "a block of text that gives its own indentation",
             "leave out the number behind | or >");
      }
    }
    scalars_.emplace_back(begin, scalar_end(source_, begin, value));
  }

  // The `-` of a list's item.
  std::size_t dash_before(std::size_t item) const {
    std::size_t at = item;
    while (at > 0 && (text_[at - 1] == ' ' || text_[at - 1] == '\n' || text_[at - 1] == '\r')) --at;
    return at > 0 && text_[at - 1] == '-' ? at - 1 : item;
  }

  // In the order of the source; parents before their children.
  void flatten(Piece& piece) {
    pieces_.push_back(&piece);
    for (const auto& child : piece.children) flatten(*child);
  }

  std::size_t end_of(const Piece& piece) const {
    const YamlNode& node = *piece.node;
    if (node.kind == YamlNode::Kind::kScalar) return scalar_end(source_, node.offset, node.text);
    std::size_t end = node.offset + 1;
    if (!piece.children.empty()) end = end_of(*piece.children.back());
    if (node.kind == YamlNode::Kind::kNull) {
      return piece.entry == nullptr
                 ? piece.begin
                 : scalar_end(source_, piece.entry->key_offset, piece.entry->key);
    }
    const char open = node.offset < text_.size() ? text_[node.offset] : ' ';
    if (open != '{' && open != '[') return end;
    const char close = open == '{' ? '}' : ']';
    while (end < text_.size() && text_[end] != close) {
      end = std::binary_search(comments_.begin(), comments_.end(), end) ? line_end(text_, end)
                                                                        : end + 1;
    }
    return std::min(end + 1, text_.size());
  }

  // --- comments ---

  void fail(std::size_t offset, std::string what, std::string hint) {
    if (problem_.message.empty()) problem_ = {offset, std::move(what), std::move(hint)};
  }

  // What is neither scalar nor comment is the punctuation of maps and lists, or beyond a layout.
  void find_comments() {
    auto scalar = scalars_.begin();
    for (std::size_t at = 0; at < text_.size();) {
      while (scalar != scalars_.end() && scalar->second <= at) ++scalar;
      if (scalar != scalars_.end() && scalar->first <= at) {
        find_header_comment(*scalar);
        at = scalar->second;
        continue;
      }
      const char c = text_[at];
      const bool apart =
          at == 0 || text_[at - 1] == ' ' || text_[at - 1] == '\t' || text_[at - 1] == '\n';
      if (c == '#' && apart) {
        comments_.push_back(at);
        layout_.comments.push_back(comment_at(at));
        at = line_end(text_, at);
        continue;
      }
      if (std::string_view(" \t\r\n-:,{}[]").find(c) == std::string_view::npos) {
        return fail(at, "what stands here can be read and not be laid out",
                    "anchors, aliases, tags, `~`, `? key` and directives: write them out");
      }
      ++at;
    }
  }

  // `|  # comment`
  void find_header_comment(const Range& scalar) {
    if (!is_block_scalar(text_, scalar.first)) return;
    const std::size_t mark = text_.find(" #", scalar.first);
    if (mark == std::string_view::npos || mark > line_end(text_, scalar.first)) return;
    comments_.push_back(mark + 1);
    layout_.comments.push_back(comment_at(mark + 1));
  }

  std::string comment_at(std::size_t at) const {
    std::string text(text_.substr(at, line_end(text_, at) - at));
    while (text.back() == ' ' || text.back() == '\t' || text.back() == '\r') text.pop_back();
    return text;
  }

  void attach(std::size_t at) {
    const std::size_t begin = line_begin(text_, at);
    const bool own_line = is_empty(text_.substr(begin, at - begin));
    if (own_line && continues(at)) {
      behind_->below.push_back(comment_at(at));
    } else if (own_line) {
      behind_ = nullptr;
      attach_own_line(at, {comment_at(at), blank_above(text_, at)});
    } else if ((behind_ = piece_before(at)) != nullptr) {
      behind_->tails.push_back(comment_at(at));
    }
    last_ = at;
  }

  // The comment on the line above stands behind something, and in this column.
  bool continues(std::size_t at) const {
    return behind_ != nullptr && line_end(text_, last_) + 1 == line_begin(text_, at) &&
           column(text_, last_) == column(text_, at);
  }

  Piece* piece_before(std::size_t at) {
    Piece* innermost = nullptr;
    for (Piece* piece : pieces_) {
      if (piece->begin >= at) break;
      if (!same_line(text_, piece->begin, at) || piece->document) continue;
      if (piece->end <= at) return piece;
      innermost = piece;
    }
    if (innermost != nullptr) return innermost;
    for (Piece* piece : pieces_) {
      if (piece->begin >= at) break;
      const bool ends_here = piece->end <= at && same_line(text_, piece->end - 1, at);
      if (ends_here && !piece->document) return piece;
    }
    // Behind a `---`.
    for (const auto& document : layout_.documents) {
      if (document->begin > at) return document.get();
    }
    if (!layout_.documents.empty()) {
      layout_.documents.back()->feet.push_back({comment_at(at), false});
    }
    return nullptr;
  }

  void attach_own_line(std::size_t at, Remark remark) {
    Piece* next = nullptr;
    Piece* flow = nullptr;     // the innermost that the comment stands in
    std::vector<Piece*> open;  // what has begun before it, outermost first
    Piece* document = nullptr;
    for (Piece* piece : pieces_) {
      if (piece->document) {
        if (piece->begin > at) {
          if (next == nullptr && !separated(at, piece->begin)) next = first_of(*piece);
          if (next == nullptr && document == nullptr) next = first_of(*piece);
          break;
        }
        document = piece;
        open.clear();
      } else if (piece->begin > at) {
        next = piece;
        break;
      }
      if (piece->node->flow && piece->begin < at && piece->end > at) flow = piece;
      while (!open.empty() && !contains(*open.back(), *piece)) open.pop_back();
      open.push_back(piece);
    }
    if (flow != nullptr && (next == nullptr || next->begin >= flow->end)) {
      return flow->feet.push_back(std::move(remark));
    }
    if (flow == nullptr) {
      if (Piece* const end = container_at(open, column(text_, at), next)) {
        return end->feet.push_back(std::move(remark));
      }
    }
    if (next != nullptr) return next->leads.push_back(std::move(remark));
    if (document != nullptr) document->feet.push_back(std::move(remark));
  }

  // Whether a `---` stands between.
  bool separated(std::size_t from, std::size_t to) const {
    for (std::size_t line = line_end(text_, from) + 1; line < to;
         line = line_end(text_, line) + 1) {
      if (text_.substr(line, 3) == "---") return true;
    }
    return false;
  }

  static Piece* first_of(Piece& document) {
    return document.children.empty() ? &document : document.children.front().get();
  }

  static bool contains(const Piece& outer, const Piece& inner) {
    return outer.begin <= inner.begin && inner.end <= outer.end;
  }

  // The innermost mapping or list that is over and whose children stand no further right than the
  // comment, yet further right than what follows.
  Piece* container_at(const std::vector<Piece*>& open, std::size_t at, const Piece* next) const {
    for (auto piece = open.rbegin(); piece != open.rend(); ++piece) {
      if ((*piece)->children.empty() || (*piece)->node->flow) continue;
      const std::size_t indent = column(text_, (*piece)->children.front()->begin);
      if (indent > at) continue;
      return next == nullptr || indent > column(text_, next->begin) ? *piece : nullptr;
    }
    return nullptr;
  }

  const SourceText& source_;
  std::string_view text_;
  Layout layout_;
  std::vector<Range> scalars_;
  std::vector<std::size_t> comments_;
  std::vector<Piece*> pieces_;
  Piece* behind_ = nullptr;  // what the last comment stands behind
  std::size_t last_ = 0;     // the comment before
  YamlError problem_;
};

}  // namespace

std::size_t scalar_end(const SourceText& source, std::size_t offset, const std::string& value) {
  const std::string_view text = source.text();
  if (is_block_scalar(text, offset)) return block_scalar_end(text, offset);
  const char quote = offset < text.size() ? text[offset] : ' ';
  if (quote != '"' && quote != '\'') return source.offset_in_scalar(offset, value, value.size());
  for (std::size_t at = offset + 1; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      if (quote == '"' || at + 1 >= text.size() || text[at + 1] != quote) return at + 1;
      ++at;  // two are one
    }
  }
  return text.size();
}

LayoutResult lay_out(const SourceText& source, const catalog::YamlFile& file) {
  return LayoutMaker(source, file).run();
}

}  // namespace spur::authoring
