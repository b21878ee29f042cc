#pragma once

#include <string>

namespace autopxe::agent {

// Where an agent looks for what it offers.
struct CatalogFolders {
  std::string rootfs;
  std::string loaders;
  std::string files;  // Of declared distros; empty: there is none.
};

}  // namespace autopxe::agent
