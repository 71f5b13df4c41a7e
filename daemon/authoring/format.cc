#include "daemon/authoring/format.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "daemon/authoring/plain_text.h"
#include "daemon/authoring/yaml_layout.h"
#include "operators/catalog/field_names.h"
#include "operators/catalog/hash.h"
#include "operators/catalog/load.h"
#include "operators/expression/utf8.h"
#include "spur/v1/catalog.pb.h"

namespace spur::authoring {
namespace {

using catalog::SourceText;
using catalog::YamlError;
using catalog::YamlFile;
using catalog::YamlNode;
using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// What decides the order of a mapping's keys; nothing where the order is the author's.
struct Schema {
  enum class Kind { kNone, kDocument, kMessage };
  Kind kind = Kind::kNone;
  const Descriptor* message = nullptr;
};

const Descriptor* message_of_kind(std::string_view kind) {
  const Descriptor& catalog = *spur::v1::Catalog::descriptor();
  for (int i = 0; i < catalog.field_count(); ++i) {
    if (catalog.field(i)->message_type()->name() == kind) return catalog.field(i)->message_type();
  }
  return nullptr;
}

// The place of `key` in a mapping of `schema`; unknown keys last.
std::size_t place_of(const Schema& schema, const std::string& key) {
  constexpr std::string_view kHead[] = {"apiVersion", "kind", "metadata", "spec"};
  if (schema.kind == Schema::Kind::kDocument) {
    return static_cast<std::size_t>(std::find(std::begin(kHead), std::end(kHead), key) - kHead);
  }
  const auto names = catalog::field_names(*schema.message);
  const auto found = std::find_if(names.begin(), names.end(),
                                  [&](const catalog::FieldName& n) { return n.key == key; });
  return static_cast<std::size_t>(found - names.begin());
}

// The schema of what stands under `key`. A list's items have the schema of the list.
Schema below(const Schema& schema, const std::string& key, const Descriptor* spec) {
  if (schema.kind == Schema::Kind::kDocument && key == "spec" && spec != nullptr) {
    return {Schema::Kind::kMessage, spec};
  }
  if (schema.kind != Schema::Kind::kMessage) return {};
  for (const catalog::FieldName& name : catalog::field_names(*schema.message)) {
    if (name.key != key || name.field->type() != FieldDescriptor::TYPE_MESSAGE) continue;
    const Descriptor& message = *name.field->message_type();
    // Names of the author's own, in an order with meaning.
    if (message.name() == "NamedExpression" || message.name() == "Parameters" ||
        message.name() == "Ladder" || message.name() == "PlannedEvent")
      return {};
    return {Schema::Kind::kMessage, &message};
  }
  return {};
}

struct Line {
  std::string text;
  std::string comment;  // behind it
};

class Printer {
 public:
  Printer(const SourceText& source, Layout& layout) : source_(source), layout_(layout) {}

  std::string run() {
    for (std::size_t i = 0; i < layout_.documents.size(); ++i) {
      Piece& document = *layout_.documents[i];
      if (i > 0 || !document.tails.empty()) line("---", document);
      const catalog::YamlEntry* const kind = document.node->find("kind");
      spec_ = kind == nullptr ? nullptr : message_of_kind(kind->value->text);
      if (document.node->kind == YamlNode::Kind::kMap) {
        children(document, 0, {Schema::Kind::kDocument, nullptr});
      } else {
        lines_.push_back({std::string(raw(document)), ""});
        remarks(document.feet, 0, true);
      }
    }
    return aligned();
  }

 private:
  // --- blocks ---

  void children(Piece& parent, std::size_t indent, const Schema& schema) {
    bool first = true;
    for (Piece* child : ordered(parent, schema)) {
      remarks(child->leads, indent, first);
      if (child->blank_before && (!first || !child->leads.empty())) lines_.push_back({});
      one(*child, indent, std::string(indent, ' '), schema);
      first = false;
    }
    remarks(parent.feet, indent, first);
  }

  std::vector<Piece*> ordered(Piece& parent, const Schema& schema) {
    std::vector<Piece*> pieces;
    for (const auto& child : parent.children) pieces.push_back(child.get());
    if (parent.node->kind != YamlNode::Kind::kMap || schema.kind == Schema::Kind::kNone)
      return pieces;
    std::stable_sort(pieces.begin(), pieces.end(), [&](const Piece* a, const Piece* b) {
      return place_of(schema, a->entry->key) < place_of(schema, b->entry->key);
    });
    return pieces;
  }

  // An entry or item, whose text begins with `prefix`; what it holds stands one level deeper.
  void one(Piece& piece, std::size_t indent, const std::string& prefix, const Schema& schema) {
    const Schema inside = piece.entry == nullptr ? schema : below(schema, piece.entry->key, spec_);
    const std::string begin =
        prefix + (piece.entry == nullptr ? "-" : key_text(*piece.entry) + ":");
    const YamlNode& node = *piece.node;
    if (node.kind == YamlNode::Kind::kNull) return line(begin, piece);
    if (node.kind == YamlNode::Kind::kScalar) return scalar(piece, begin, indent + 2);
    if (in_one_line(piece)) {
      const std::string text = begin + " " + flow(piece, inside);
      const bool empty = piece.children.empty();
      const bool fits = expression::code_points(text) <= kFormattedCharactersMax;
      if (empty || (node.flow && fits)) return line(text, piece);
    }
    if (piece.entry == nullptr && node.kind == YamlNode::Kind::kMap) {
      return compact_item(piece, indent, begin, inside);
    }
    line(begin, piece);
    children(piece, indent + 2, inside);
  }

  // `- key: value`, the other keys below.
  void compact_item(Piece& item, std::size_t indent, const std::string& begin,
                    const Schema& schema) {
    for (const auto* comments : {&item.tails, &item.below}) {
      for (const std::string& comment : *comments) {
        lines_.push_back({std::string(indent, ' ') + comment, ""});
      }
    }
    bool first = true;
    for (Piece* child : ordered(item, schema)) {
      remarks(child->leads, first ? indent : indent + 2, first);
      if (child->blank_before && !first) lines_.push_back({});
      one(*child, indent + 2, first ? begin + " " : std::string(indent + 2, ' '), schema);
      first = false;
    }
    remarks(item.feet, indent + 2, false);
  }

  void remarks(const std::vector<Remark>& remarks, std::size_t indent, bool first) {
    for (const Remark& remark : remarks) {
      if (remark.blank_before && !first) lines_.push_back({});
      lines_.push_back({std::string(indent, ' ') + remark.text, ""});
      first = false;
    }
  }

  // A line of `piece` with its comments. One stands behind a line; what more there is stands above.
  void line(std::string text, const Piece& piece) {
    const std::size_t spaces = std::min(text.find_first_not_of(' '), text.size());
    for (std::size_t i = 0; i + 1 < piece.tails.size(); ++i) {
      lines_.push_back({std::string(spaces, ' ') + piece.tails[i], ""});
    }
    lines_.push_back({std::move(text), ""});
    comment_behind(piece);
  }

  // Behind the last line.
  void comment_behind(const Piece& piece) {
    if (piece.tails.empty()) return;
    lines_.back().comment = piece.tails.back();
    for (const std::string& more : piece.below) lines_.push_back({"", more});
  }

  // --- scalars ---

  std::string_view raw(std::size_t begin, std::size_t end) const {
    return std::string_view(source_.text()).substr(begin, end - begin);
  }
  std::string_view raw(const Piece& piece) const {
    return raw(piece.node->offset, scalar_end(source_, piece.node->offset, piece.node->text));
  }

  std::string key_text(const catalog::YamlEntry& entry) const {
    const std::string_view text =
        raw(entry.key_offset, scalar_end(source_, entry.key_offset, entry.key));
    return is_plain(entry.key) ? entry.key : std::string(text);
  }

  // As written, without quotes that change nothing.
  std::string scalar_text(const Piece& piece) const {
    const std::string_view text = raw(piece);
    if (!piece.node->quoted || text.find('\n') != std::string_view::npos) return std::string(text);
    return is_plain(piece.node->text) ? piece.node->text : std::string(text);
  }

  // Of several lines the further ones keep their places to one another.
  void scalar(const Piece& piece, const std::string& begin, std::size_t indent) {
    const std::string text = scalar_text(piece);
    const std::size_t newline = text.find('\n');
    if (newline == std::string::npos) return line(begin + " " + text, piece);
    const bool block = text[0] == '|' || text[0] == '>';
    std::string first = text.substr(0, newline);
    if (block) first = first.substr(0, first.find(" #"));
    while (first.ends_with(' ') || first.ends_with('\r')) first.pop_back();
    lines_.push_back({begin + " " + first, ""});
    if (block) comment_behind(piece);
    std::vector<std::string_view> rest = lines_of(std::string_view(text).substr(newline + 1));
    std::size_t common = std::string::npos;
    for (const std::string_view one : rest) common = std::min(common, one.find_first_not_of(' '));
    for (const std::string_view one : rest) {
      const bool blank = one.find_first_not_of(" \r") == std::string_view::npos;
      lines_.push_back(
          {blank ? "" : std::string(indent, ' ') + std::string(one.substr(common)), ""});
    }
    if (!block) comment_behind(piece);
  }

  static std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    for (;;) {
      const std::size_t newline = text.find('\n');
      std::string_view line = text.substr(0, newline);
      if (line.ends_with('\r')) line.remove_suffix(1);
      lines.push_back(line);
      if (newline == std::string_view::npos) return lines;
      text.remove_prefix(newline + 1);
    }
  }

  // --- flow ---

  // Nothing in it needs a line of its own.
  bool in_one_line(const Piece& piece) const {
    if (!piece.feet.empty()) return false;
    for (const auto& child : piece.children) {
      if (!child->leads.empty() || !child->tails.empty() || !in_one_line(*child)) return false;
      const bool scalar = child->node->kind == YamlNode::Kind::kScalar;
      if (scalar && scalar_text(*child).find('\n') != std::string::npos) return false;
    }
    return true;
  }

  std::string flow(Piece& piece, const Schema& schema) {
    if (piece.node->kind == YamlNode::Kind::kNull) return "";
    if (piece.node->kind == YamlNode::Kind::kScalar) return scalar_text(piece);
    const bool map = piece.node->kind == YamlNode::Kind::kMap;
    std::string text = map ? "{" : "[";
    bool first = true;
    for (Piece* child : ordered(piece, schema)) {
      if (!first) text += ", ";
      first = false;
      if (!map) {
        text += flow(*child, schema);
        continue;
      }
      const std::string value = flow(*child, below(schema, child->entry->key, spec_));
      text += key_text(*child->entry) + ": " + value;
    }
    return text + (map ? "}" : "]");
  }

  // --- lines ---

  // Comments behind lines that follow one another stand below one another.
  std::string aligned() const {
    std::string out;
    for (std::size_t i = 0; i < lines_.size();) {
      std::size_t end = i;
      std::size_t width = 0;
      while (end < lines_.size() && !lines_[end].comment.empty()) {
        width = std::max(width, expression::code_points(lines_[end++].text));
      }
      if (end == i) {
        out += lines_[i++].text + "\n";
        continue;
      }
      for (; i < end; ++i) {
        const std::size_t own = expression::code_points(lines_[i].text);
        out += lines_[i].text + std::string(width - own + 2, ' ') + lines_[i].comment + "\n";
      }
    }
    return out;
  }

  const SourceText& source_;
  Layout& layout_;
  const Descriptor* spec_ = nullptr;  // of the document's kind
  std::vector<Line> lines_;
};

// Values alone, mappings in the order of their keys.
void append_values(std::string* out, const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      *out += "~";
      return;
    case YamlNode::Kind::kScalar:
      *out += std::to_string(node.text.size()) + ":" + node.text;
      return;
    case YamlNode::Kind::kList:
      *out += "[";
      for (const catalog::YamlNodePtr& item : node.items) append_values(out, *item);
      *out += "]";
      return;
    case YamlNode::Kind::kMap:
      break;
  }
  std::vector<const catalog::YamlEntry*> entries;
  for (const catalog::YamlEntry& entry : node.entries) entries.push_back(&entry);
  std::sort(entries.begin(), entries.end(),
            [](const auto* a, const auto* b) { return a->key < b->key; });
  *out += "{";
  for (const catalog::YamlEntry* entry : entries) {
    *out += std::to_string(entry->key.size()) + ":" + entry->key;
    append_values(out, *entry->value);
  }
  *out += "}";
}

std::string values_of(const YamlFile& file) {
  std::string values;
  for (const catalog::YamlNodePtr& document : file.documents) append_values(&values, *document);
  return values;
}

struct Once {
  std::string text;
  std::string values;
  std::vector<std::string> comments;  // sorted
  std::vector<YamlError> errors;
};

Once format_once(const std::string& name, const std::string& text) {
  const SourceText source(name, text);
  const YamlFile file = catalog::parse_yaml(source);
  Once once;
  once.errors = file.errors;
  if (!once.errors.empty()) return once;
  LayoutResult result = lay_out(source, file);
  if (!result.layout) {
    once.errors.push_back(result.problem);
    return once;
  }
  once.comments = result.layout->comments;
  std::sort(once.comments.begin(), once.comments.end());
  once.values = values_of(file);
  once.text = file.documents.empty() ? text : Printer(source, *result.layout).run();
  return once;
}

catalog::Hash hash_of(const std::string& name, const std::string& text) {
  return catalog::hash_of(catalog::load_text(name, text).catalog);
}

}  // namespace

Formatted format_catalog_file(const std::string& name, const std::string& text) {
  Once once = format_once(name, text);
  if (!once.errors.empty()) return {"", std::move(once.errors)};
  const Once again = format_once(name, once.text);
  const bool same = again.errors.empty() && again.values == once.values &&
                    again.comments == once.comments && again.text == once.text &&
                    hash_of(name, text) == hash_of(name, once.text);
  if (same) return {std::move(once.text), {}};
  return {"",
          {{0, "formatting would change more than the layout; the file is left as it is",
            "please report it with the file"}}};
}

}  // namespace spur::authoring
