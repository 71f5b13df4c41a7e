#include "daemon/authoring/proto_comments.h"

#include <google/protobuf/descriptor.pb.h>

#include <cstddef>

#include "state/check.h"

extern const unsigned char kCatalogDescriptor[];
extern const std::size_t kCatalogDescriptorBytes;

namespace spur::authoring {
namespace {

// Lines to one line.
void append_words(std::string* out, const std::string& comment) {
  bool space = !out->empty();
  for (const char c : comment) {
    if (c == ' ' || c == '\n') {
      space = !out->empty();
      continue;
    }
    if (space) *out += ' ';
    space = false;
    *out += c;
  }
}

template <typename Described>
std::string comment(const Described& described) {
  google::protobuf::SourceLocation location;
  if (!described.GetSourceLocation(&location)) return "";
  std::string text;
  append_words(&text, location.leading_comments);
  append_words(&text, location.trailing_comments);
  return text;
}

}  // namespace

const google::protobuf::Descriptor& catalog_with_comments() {
  static const google::protobuf::Descriptor* const kCatalog = [] {
    google::protobuf::FileDescriptorSet files;
    SPUR_CHECK(files.ParseFromArray(kCatalogDescriptor, static_cast<int>(kCatalogDescriptorBytes)));
    auto* const pool = new google::protobuf::DescriptorPool();
    const google::protobuf::FileDescriptor* file = nullptr;
    for (const google::protobuf::FileDescriptorProto& proto : files.file())
      file = pool->BuildFile(proto);
    SPUR_CHECK(file != nullptr);
    return file->FindMessageTypeByName("Catalog");
  }();
  return *kCatalog;
}

std::string comment_of(const google::protobuf::FieldDescriptor& field) { return comment(field); }
std::string comment_of(const google::protobuf::Descriptor& message) { return comment(message); }

}  // namespace spur::authoring
