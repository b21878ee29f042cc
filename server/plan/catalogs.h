#pragma once

#include <map>
#include <memory>

#include "common/model/catalog.h"
#include "common/model/name.h"

namespace autopxe::server {

// What each agent last reported that it offers.
using Catalogs = std::map<AgentId, std::shared_ptr<const Catalog>>;

}  // namespace autopxe::server
