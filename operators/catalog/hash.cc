#include "operators/catalog/hash.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <algorithm>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace spur::catalog {
namespace {

template <typename Resources>
void sort_by_name(Resources& resources) {
  std::stable_sort(resources.pointer_begin(), resources.pointer_end(),
                   [](const auto* a, const auto* b) { return a->name() < b->name(); });
}

}  // namespace

void canonicalize(spur::v1::Catalog& catalog) {
  sort_by_name(*catalog.mutable_sources());
  sort_by_name(*catalog.mutable_references());
  sort_by_name(*catalog.mutable_features());
  sort_by_name(*catalog.mutable_sessions());
  sort_by_name(*catalog.mutable_segments());
  sort_by_name(*catalog.mutable_triggers());
  sort_by_name(*catalog.mutable_channels());
  sort_by_name(*catalog.mutable_policies());
  sort_by_name(*catalog.mutable_models());
  sort_by_name(*catalog.mutable_tracking_plans());
}

std::string canonical_bytes(const spur::v1::Catalog& catalog) {
  spur::v1::Catalog ordered = catalog;
  ordered.clear_retired();  // what it replaced does not make it another catalog
  canonicalize(ordered);
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  ordered.SerializeWithCachedSizes(&coded);
  coded.Trim();
  return bytes;
}

Hash hash_of(const spur::v1::Catalog& catalog) {
  const std::string bytes = canonical_bytes(catalog);
  XXH128_canonical_t canonical;
  XXH128_canonicalFromHash(&canonical, XXH3_128bits(bytes.data(), bytes.size()));
  Hash hash;
  std::copy(std::begin(canonical.digest), std::end(canonical.digest), hash.begin());
  return hash;
}

std::string to_text(const Hash& hash) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const std::uint8_t byte : hash) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace spur::catalog
