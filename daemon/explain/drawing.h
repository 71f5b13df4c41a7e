// A customer's time line, drawn: for a terminal, and as an SVG that stands alone. Of a recording:
// events, what they changed, waits, firings and verdicts.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "spur/v1/service.pb.h"

namespace spur::explain {

inline constexpr std::size_t kDrawingWidthMin = 40;

struct DrawingOptions {
  std::size_t width = 100;  // columns; lines are broken there
  bool colour = false;
};

std::string draw(std::string_view customer, const std::vector<spur::v1::Moment>& moments,
                 const DrawingOptions& options);

// With titles for whoever points at something, and for readers that read aloud.
std::string draw_svg(std::string_view customer, const std::vector<spur::v1::Moment>& moments);

}  // namespace spur::explain
