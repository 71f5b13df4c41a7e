#include "daemon/authoring/proto_comments.h"

#include <google/protobuf/descriptor.pb.h>

#include <cstddef>

#include "absl/strings/ascii.h"
#include "state/check.h"

extern const unsigned char kCatalogDescriptor[];
extern const std::size_t kCatalogDescriptorBytes;

namespace spur::authoring {
namespace {

template <typename Described>
std::string comment(const Described& described) {
  google::protobuf::SourceLocation location;
  if (!described.GetSourceLocation(&location)) return "";
  std::string text = location.leading_comments + " " + location.trailing_comments;
  absl::RemoveExtraAsciiWhitespace(&text);  // lines to one line
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
