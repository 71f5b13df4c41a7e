#include "operators/catalog/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <exception>
#include <map>
#include <sstream>
#include <string_view>
#include <utility>

namespace spur::catalog {
namespace {

// Each attempt after a syntax error reads the rest of the file anew.
constexpr int kSyntaxErrorsMax = 100;

using MutableNode = std::shared_ptr<YamlNode>;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Past `&anchor` and `!tag`: yaml-cpp's mark of a node is where these begin.
std::size_t skip_properties(std::string_view source, std::size_t at) {
  while (at < source.size() && (source[at] == '&' || source[at] == '!')) {
    std::size_t next = at;
    while (next < source.size() && !is_blank(source[next])) ++next;
    while (next < source.size() && is_blank(source[next])) ++next;
    if (next >= source.size()) return at;
    at = next;
  }
  return at;
}

// How many bytes from the start are UTF-8: all of them if it is.
std::size_t valid_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto byte = [&](std::size_t k) {
      return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U;
    };
    const unsigned lead = byte(0);
    const std::size_t size = lead < 0x80                    ? 1
                             : lead >= 0xc2 && lead < 0xe0  ? 2
                             : lead >= 0xe0 && lead < 0xf0  ? 3
                             : lead >= 0xf0 && lead <= 0xf4 ? 4
                                                            : 0;
    if (size == 0) return i;
    for (std::size_t k = 1; k < size; ++k) {
      if ((byte(k) & 0xc0) != 0x80) return i;
    }
    // Too long for what they say, surrogates, and beyond the last code point.
    if ((lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) >= 0xa0)) return i;
    if ((lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) >= 0x90)) return i;
    i += size;
  }
  return i;
}

bool quote_is_closed(std::string_view source, std::size_t begin) {
  const char quote = source[begin];
  for (std::size_t i = begin + 1; i < source.size(); ++i) {
    if (quote == '"' && source[i] == '\\') {
      ++i;
    } else if (source[i] == quote) {
      if (quote == '"' || i + 1 >= source.size() || source[i + 1] != '\'') return true;
      ++i;
    }
  }
  return false;
}

// Builds one document from yaml-cpp's events.
class Composer final : public YAML::EventHandler {
 public:
  Composer(const SourceText& source, std::size_t base, std::vector<YamlError>& errors)
      : source_(source), base_(base), errors_(errors), document_begin_(base) {}

  YamlNodePtr root() const { return root_; }
  // Where the last document began, in bytes of the file.
  std::size_t document_begin() const { return document_begin_; }

  void OnDocumentStart(const YAML::Mark& mark) override {
    root_.reset();
    open_.clear();
    anchors_.clear();
    document_begin_ = offset_of(mark);
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    finish(make(YamlNode::Kind::kNull, mark, "", anchor));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const MutableNode node = make(YamlNode::Kind::kScalar, mark, tag, anchor);
    if (!value.empty()) node->text = value;
    if (valid_utf8(value) < value.size()) {  // yaml-cpp makes single bytes of \_ and \N
      errors_.push_back({node->offset, "an escape that is not UTF-8",
                         "write \\u00a0 for \\_ and \\u0085 for \\N"});
      node->text = "?";
    }
    const std::string& text = source_.text();
    const char first = node->offset < text.size() ? text[node->offset] : ' ';
    node->quoted = tag != "?" && (first == '"' || first == '\'' || first == '|' || first == '>');
    if ((first == '"' || first == '\'') && tag != "?" && !quote_is_closed(text, node->offset)) {
      errors_.push_back({node->offset, std::string("the quote ") + first + " is never closed", ""});
    }
    finish(node);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(make(YamlNode::Kind::kList, mark, tag, anchor), style);
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(make(YamlNode::Kind::kMap, mark, tag, anchor), style);
  }
  void OnMapEnd() override { close(); }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto target = anchors_.find(anchor);
    const bool inside_itself = target != anchors_.end() &&
                               std::any_of(open_.begin(), open_.end(), [&](const Open& collection) {
                                 return collection.node == target->second;
                               });
    if (target == anchors_.end() || inside_itself) {
      errors_.push_back(
          {offset_of(mark), "an alias stands inside its own anchor", "write the value out"});
      finish(make(YamlNode::Kind::kNull, mark, "", YAML::NullAnchor));
      return;
    }
    finish(target->second, offset_of(mark));
  }

 private:
  // A collection whose end has not come. In a map, keys and values come in turn.
  struct Open {
    MutableNode node;
    std::map<std::string, std::size_t> key_offsets;
    bool has_key = false;
    bool key_usable = false;
    std::string key;
    std::size_t key_offset = 0;
  };

  std::size_t offset_of(const YAML::Mark& mark) const {
    return std::min(base_ + static_cast<std::size_t>(std::max(mark.pos, 0)), source_.text().size());
  }

  MutableNode make(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
                   YAML::anchor_t anchor) {
    auto node = std::make_shared<YamlNode>();
    node->kind = kind;
    node->offset = offset_of(mark);
    if (!check_tag(tag, node->offset)) node->text = tag;  // not empty as well
    if (kind != YamlNode::Kind::kNull) node->offset = skip_properties(source_.text(), node->offset);
    if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
    return node;
  }

  bool check_tag(const std::string& tag, std::size_t offset) {
    constexpr std::string_view kStandard = "tag:yaml.org,2002:";
    if (tag.empty() || tag == "?" || tag == "!") return true;
    if (tag.starts_with(kStandard)) {
      const std::string_view name = std::string_view(tag).substr(kStandard.size());
      for (const std::string_view known : {"str", "int", "float", "bool", "null", "seq", "map"}) {
        if (name == known) return true;
      }
    }
    errors_.push_back({offset, "`" + tag + "` is a YAML tag and means nothing here",
                       "put quotes around text that begins with `!`"});
    return false;
  }

  void open(MutableNode node, YAML::EmitterStyle::value style) {
    if (open_.size() >= kYamlDepthMax) {
      const YAML::Mark mark = mark_at(node->offset);
      throw YAML::ParserException(
          mark, "nested deeper than " + std::to_string(kYamlDepthMax) + " levels");
    }
    node->flow = style == YAML::EmitterStyle::Flow;
    open_.push_back({.node = std::move(node)});
  }

  void close() {
    const MutableNode node = open_.back().node;
    open_.pop_back();
    finish(node);
  }

  YAML::Mark mark_at(std::size_t offset) const {
    YAML::Mark mark;
    mark.pos = static_cast<int>(offset - base_);
    return mark;
  }

  void finish(const MutableNode& node) { finish(node, node->offset); }

  // Hands a complete node to what it stands in.
  void finish(const MutableNode& node, std::size_t offset) {
    if (open_.empty()) {
      root_ = node;
      return;
    }
    Open& parent = open_.back();
    if (parent.node->kind == YamlNode::Kind::kMap && !parent.has_key) {
      take_key(parent, *node, offset);
      return;
    }
    parent.node->weight += node->weight;
    if (parent.node->weight > kYamlNodesMax) {
      throw YAML::ParserException(mark_at(offset), "the document has more than " +
                                                       std::to_string(kYamlNodesMax) + " values");
    }
    if (parent.node->kind == YamlNode::Kind::kList) {
      parent.node->items.push_back(node);
      return;
    }
    parent.has_key = false;
    if (parent.key_usable) parent.node->entries.push_back({parent.key, parent.key_offset, node});
  }

  void take_key(Open& parent, const YamlNode& node, std::size_t offset) {
    parent.has_key = true;
    parent.key_usable = false;
    if (node.kind != YamlNode::Kind::kScalar) {
      errors_.push_back(
          {offset,
           node.kind == YamlNode::Kind::kNull ? "a key is missing" : "a key must be plain text",
           ""});
      return;
    }
    const auto [earlier, is_new] = parent.key_offsets.emplace(node.text, offset);
    if (!is_new) {
      const Position first = source_.position(earlier->second);
      errors_.push_back({offset, "`" + node.text + "` stands here twice",
                         "it is already at line " + std::to_string(first.line) + ", column " +
                             std::to_string(first.column)});
      return;
    }
    parent.key_usable = true;
    parent.key = node.text;
    parent.key_offset = offset;
  }

  const SourceText& source_;
  std::size_t base_;
  std::vector<YamlError>& errors_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, MutableNode> anchors_;
  YamlNodePtr root_;
  std::size_t document_begin_;
};

// What usually lies behind yaml-cpp's words when somebody writes a catalog.
std::string hint_for(std::string_view message, std::string_view source, std::size_t offset) {
  const std::size_t line = source.substr(0, offset).rfind('\n') + 1;
  const std::size_t text = std::min(source.find_first_not_of(" \t", line), source.size());
  if (source.substr(line, text - line).find('\t') != std::string_view::npos)
    return "indent with spaces, not with tabs";
  const auto says = [message](std::string_view part) {
    return message.find(part) != std::string_view::npos;
  };
  if (says("illegal map value")) return "put quotes around text that holds `: `";
  if (says("end of map flow") || says("end of sequence flow") || says("illegal flow end")) {
    return "close the bracket, or put quotes around text that holds any of : , ? [ ] { }";
  }
  if (says("unknown token")) return "put quotes around text that begins with ` or @ or %";
  if (says("end of map not found") || says("end of sequence not found")) {
    return "check the indentation, and put quotes around text that begins with a quote or bracket";
  }
  if (says("after *") || says("referenced anchor"))
    return "put quotes around text that begins with `*`: \"*\"";
  if (says("after &")) return "put quotes around text that begins with `&`";
  if (says("unknown escape character"))
    return "inside \" a backslash is written \\\\; inside ' it is itself";
  return "";
}

// YAML is UTF-8 here. yaml-cpp would guess at other encodings and replace what does not fit.
bool check_encoding(const SourceText& source, std::vector<YamlError>& errors) {
  const std::string& text = source.text();
  const std::size_t valid = valid_utf8(text);
  if (valid < text.size()) {
    errors.push_back({valid, "not UTF-8", "save the file as UTF-8"});
    return false;
  }
  const auto control = std::find_if(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 && c != '\t' && c != '\n' && c != '\r';
  });
  if (control != text.end()) {
    const auto offset = static_cast<std::size_t>(control - text.begin());
    errors.push_back({offset, "a control character", "YAML is plain UTF-8 text"});
    return false;
  }
  return true;
}

// The character there, for people.
std::string shown(const SourceText& source, std::size_t offset) {
  const std::string& text = source.text();
  return offset < text.size() && text[offset] > ' ' ? "`" + text.substr(offset, 1) + "`"
                                                    : "end of the document";
}

// The first line after `offset` that begins a document, or npos.
std::size_t next_document(const std::string& text, std::size_t offset) {
  for (std::size_t at = text.find("\n---", offset); at != std::string::npos;
       at = text.find("\n---", at + 1)) {
    const std::size_t after = at + 4;
    if (after >= text.size() || is_blank(text[after])) return at + 1;
  }
  return std::string::npos;
}

// Reads documents from `begin` on. Answers where to go on after a syntax error, or npos.
std::size_t parse_from(const SourceText& source, std::size_t begin, YamlFile& file) {
  std::istringstream stream(source.text().substr(begin));
  Composer composer(source, begin, file.errors);
  const auto fail = [&](std::size_t offset, const std::string& message) {
    file.complete = false;
    file.errors.push_back({std::min(offset, source.text().size()), message,
                           hint_for(message, source.text(), offset)});
    return next_document(source.text(), composer.document_begin());
  };
  try {
    YAML::Parser parser(stream);
    std::size_t last_begin = std::string::npos;
    while (parser.HandleNextDocument(composer)) {
      // yaml-cpp does not get past what cannot begin a document, such as a stray `}`: it makes
      // empty documents of it, for ever.
      const std::size_t document = composer.document_begin();
      if (document == last_begin)
        return fail(document, "YAML: unexpected " + shown(source, document));
      last_begin = document;
      const YamlNodePtr root = composer.root();
      if (root != nullptr && root->kind != YamlNode::Kind::kNull) file.documents.push_back(root);
    }
  } catch (const YAML::Exception& error) {
    return fail(begin + static_cast<std::size_t>(std::max(error.mark.pos, 0)),
                "YAML: " + error.msg);
  } catch (const std::exception& error) {
    return fail(composer.document_begin(), std::string("YAML: ") + error.what());
  }
  return std::string::npos;
}

}  // namespace

const YamlEntry* YamlNode::find(const std::string& key) const {
  const auto entry = std::find_if(entries.begin(), entries.end(),
                                  [&](const YamlEntry& e) { return e.key == key; });
  return entry == entries.end() ? nullptr : &*entry;
}

YamlFile parse_yaml(const SourceText& source) {
  YamlFile file;
  file.complete = check_encoding(source, file.errors);
  if (!file.complete) return file;
  int attempts = 0;
  for (std::size_t begin = 0; begin != std::string::npos && attempts < kSyntaxErrorsMax;
       ++attempts) {
    begin = parse_from(source, begin, file);
  }
  return file;
}

}  // namespace spur::catalog
