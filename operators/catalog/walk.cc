#include "operators/catalog/walk.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <set>
#include <string_view>

#include "operators/catalog/known.h"
#include "operators/catalog/nearest.h"
#include "operators/catalog/reader.h"

namespace spur::catalog {
namespace {

constexpr std::string_view kApiVersion = "spur/v1";

const std::map<std::string, std::string>& fields_by_kind() {
  static const auto* fields = new std::map<std::string, std::string>{
      {"Source", "sources"},   {"Feature", "features"}, {"Session", "sessions"},
      {"Segment", "segments"}, {"Trigger", "triggers"}, {"Channel", "channels"},
      {"Policy", "policies"},  {"Model", "models"},     {"Reference", "references"},
      {"TrackingPlan", "tracking_plans"}};
  return *fields;
}

// The text of an entry; empty if it is not there or is no text.
std::string text_of(const YamlEntry* entry) {
  return entry != nullptr && entry->value->kind == YamlNode::Kind::kScalar ? entry->value->text
                                                                           : std::string();
}

// One document's head: what is said before `spec`, and what is wrong with it.
class Head {
 public:
  Head(Reader& reader, const YamlNode& document) : reader_(reader), document_(document) {}

  void check_keys() {
    static const std::set<std::string> keys = {"apiVersion", "kind", "metadata", "spec"};
    for (const YamlEntry& entry : document_.entries) {
      if (!keys.contains(entry.key))
        meant_.insert(reader_.unknown_key(entry, document_, keys, "the document"));
    }
  }

  void check_version() {
    const YamlEntry* version = document_.find("apiVersion");
    if (text_of(version) == kApiVersion || meant("apiVersion")) return;
    reader_.fail(
        offset(version),
        version == nullptr ? "apiVersion is missing" : "apiVersion is " + quoted(text_of(version)),
        "write `apiVersion: spur/v1`");
  }

  // One of the kinds that can be read, or nothing.
  std::string read_kind() {
    const YamlEntry* kind = document_.find("kind");
    const std::string name = text_of(kind);
    if (fields_by_kind().contains(name)) return name;
    std::set<std::string> kinds;
    for (const auto& [known, unused] : fields_by_kind()) kinds.insert(known);
    if (const KnownName* known = find_name(unsupported_kinds(), name)) {
      reader_.fail(offset(kind), not_in_this_version("kind " + quoted(name)),
                   std::string(known->hint));
    } else if (!name.empty()) {
      const std::string near = did_you_mean(name, kinds);
      reader_.fail(offset(kind), "unknown kind " + quoted(name),
                   near.empty() ? "one of " + joined(kinds) : near);
    } else if (!meant("kind")) {
      reader_.fail(offset(kind), "kind is missing", "one of " + joined(kinds));
    }
    return "";
  }

  // `metadata.name`; nullptr if there is none, which validation says unless `metadata` is
  // unreadable.
  const YamlEntry* read_name() {
    const YamlEntry* metadata = document_.find("metadata");
    if (metadata == nullptr || metadata->value->kind != YamlNode::Kind::kMap) return nullptr;
    for (const YamlEntry& entry : metadata->value->entries) {
      if (entry.key != "name")
        meant_.insert(reader_.unknown_key(entry, *metadata->value, {"name"}, "metadata"));
    }
    const YamlEntry* name = metadata->value->find("name");
    if (name != nullptr && name->value->kind != YamlNode::Kind::kScalar) {
      reader_.fail(offset(name), "`name` is " + kind_of(*name->value), "write one text");
      meant_.insert("name");
    }
    return name;
  }

  // A key is not missing but mistyped.
  bool meant(const std::string& key) const { return meant_.contains(key); }

  std::size_t offset(const YamlEntry* entry) const {
    return entry == nullptr ? document_.offset : offset_of(*entry);
  }

 private:
  Reader& reader_;
  const YamlNode& document_;
  std::set<std::string> meant_;
};

}  // namespace

void Walk::read(const std::shared_ptr<const SourceText>& file, const YamlNode& document) {
  Reader reader(file, positions_, errors_);
  if (document.kind != YamlNode::Kind::kMap) {
    return reader.fail(document.offset, "the document is " + kind_of(document),
                       "a document is a mapping of apiVersion, kind, metadata and spec");
  }
  Head head(reader, document);
  head.check_keys();
  head.check_version();
  const std::string kind = head.read_kind();
  if (kind.empty()) return;
  const YamlEntry* name = head.read_name();
  const YamlEntry* metadata = document.find("metadata");
  const YamlEntry* spec = document.find("spec");

  const std::string path =
      resource_path(kind, text_of(name), ++occurrences_[{kind, text_of(name)}]);
  reader.note(path, document.offset, document);
  if (metadata != nullptr) reader.note(path + "/metadata", metadata->key_offset, *metadata->value);
  if (name != nullptr) reader.note(path + "/metadata.name", name->key_offset, *name->value);
  if (head.meant("metadata") || head.meant("name")) reader.unreadable(path + "/metadata");
  if (spec != nullptr) reader.note(path + "/spec", spec->key_offset, *spec->value);

  google::protobuf::Message& resource = *catalog_.GetReflection()->AddMessage(
      &catalog_, catalog_.GetDescriptor()->FindFieldByName(fields_by_kind().at(kind)));
  resource.GetReflection()->SetString(&resource, resource.GetDescriptor()->FindFieldByName("name"),
                                      text_of(name));
  if (spec != nullptr && spec->value->kind == YamlNode::Kind::kMap) {
    return read_fields(reader, *spec->value, resource, path + "/spec", "spec of " + kind);
  }
  reader.unreadable(path + "/spec");
  if (head.meant("spec")) return;
  reader.fail(head.offset(spec),
              spec == nullptr ? "spec is missing" : "spec is " + kind_of(*spec->value),
              "write a mapping; `spec: {}` if there is nothing to say");
}

}  // namespace spur::catalog
