#include "daemon/log/deployment_id.h"

#include <random>

namespace spur {

DeploymentId make_deployment_id() {
  std::random_device random;
  DeploymentId id;
  for (std::uint8_t& byte : id) byte = static_cast<std::uint8_t>(random());
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x40);  // version 4: random
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80);
  return id;
}

std::string deployment_text(const DeploymentId& deployment) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  for (std::size_t i = 0; i < deployment.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    text.push_back(kHex[deployment[i] >> 4]);
    text.push_back(kHex[deployment[i] & 15]);
  }
  return text;
}

}  // namespace spur
