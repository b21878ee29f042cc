#include "agent/catalog/loader_name.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe::agent {
namespace {

TEST(LoaderNameTest, WhatFirmwareLoadsIsALoader) {
  for (const char* name : {"undionly.kpxe", "undionly.kkpxe", "undionly.kkkpxe", "ipxe.efi",
                           "IPXE.EFI", "snponly.efi", "ipxe.pxe", "ipxe.lkrn", "grubx64.efi"}) {
    EXPECT_TRUE(IsLoaderName(name)) << name;
  }
}

TEST(LoaderNameTest, NothingElseIs) {
  for (const std::string name :
       {"", "efi", ".efi", "ipxe.efi.bak", "ipxe.iso", "ipxe.usb", "autoexec.ipxe", "README",
        "ip xe.efi", "../ipxe.efi", "a/ipxe.efi", "ipxe\n.efi", "undionly.0"}) {
    EXPECT_FALSE(IsLoaderName(name)) << name;
  }
  EXPECT_FALSE(IsLoaderName(std::string(200, 'a') + ".efi"));
}

}  // namespace
}  // namespace autopxe::agent
