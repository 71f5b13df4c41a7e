// The id of a deployment: a UUID, made once, when it is founded.
#pragma once

#include <string>

#include "operators/shard.h"

namespace spur {

DeploymentId make_deployment_id();  // of the system's randomness
std::string deployment_text(const DeploymentId& deployment);  // as a UUID is written

}  // namespace spur
