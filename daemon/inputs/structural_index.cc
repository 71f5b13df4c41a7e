#include "daemon/inputs/structural_index.h"

#include <simdjson.h>

#include <algorithm>

#include "state/check.h"

namespace spur {
namespace {
constexpr std::size_t kCapacityMin = 16 * 1024;
}  // namespace

struct StructuralIndex::Stage {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> parser;
};

StructuralIndex::StructuralIndex() : stage_(std::make_unique<Stage>()) {}
StructuralIndex::~StructuralIndex() = default;
StructuralIndex::StructuralIndex(StructuralIndex&&) noexcept = default;
StructuralIndex& StructuralIndex::operator=(StructuralIndex&&) noexcept = default;

bool StructuralIndex::is_utf8(std::string_view bytes) {
  return simdjson::validate_utf8(bytes.data(), bytes.size());
}

bool StructuralIndex::build(std::string_view bytes) {
  begin_ = end_ = nullptr;
  if (bytes.empty()) return false;
  if (bytes.size() > capacity_) {
    // The depth is of simdjson's second stage, which never runs.
    const std::size_t capacity = std::max({bytes.size(), capacity_ * 2, kCapacityMin});
    SPUR_CHECK(simdjson::get_active_implementation()->create_dom_parser_implementation(
                   capacity, /*max_depth=*/1, stage_->parser) == simdjson::SUCCESS);
    capacity_ = capacity;
  }
  simdjson::internal::dom_parser_implementation& parser = *stage_->parser;
  const auto* at = reinterpret_cast<const std::uint8_t*>(bytes.data());
  if (parser.stage1(at, bytes.size(), simdjson::stage1_mode::regular) != simdjson::SUCCESS)
    return false;
  begin_ = parser.structural_indexes.get();
  end_ = begin_ + parser.n_structural_indexes;
  SPUR_CHECK(*end_ == bytes.size());
  return true;
}

}  // namespace spur
