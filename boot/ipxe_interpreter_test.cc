#include "boot/ipxe_interpreter.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace autopxe {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> Echoed(IpxeInterpreter& ipxe, const std::string& lines) {
  const auto result = ipxe.Run("#!ipxe\n" + lines);
  if (!result.ok()) return {result.status().ToString()};
  return result->echoed;
}

// Each of these was seen with Debian's iPXE 1.0.0, on BIOS and UEFI.
TEST(IpxeInterpreterTest, TextIsStoredAndShownAsIpxeDoes) {
  IpxeInterpreter ipxe;
  EXPECT_THAT(Echoed(ipxe,
                     "set x:uristring a%20b%7C%7C\n"
                     "set y:uristring a%20b%25\n"
                     "echo E ${y}\n"
                     "echo E ${x:string}\n"
                     "set h:uristring h-${none:uristring}-${x:uristring}\n"
                     "echo E ${h:string}\n"
                     "set cr:uristring a%24%7Bx:string%7Db\n"
                     "echo E ${cr:string}\n"
                     "set keep plain%20text\n"
                     "echo E   ${keep}\n"
                     "set x:uristring \n"
                     "isset ${x:string} && echo set || echo unset\n"
                     "set keep\n"
                     "isset ${keep} && echo set || echo unset\n"),
              ElementsAre("E a%20b%25", "E a b||", "E h--a b||", "E aa b||b", "E plain%20text",
                          "unset", "unset"));
}

// What a template's defaults rely on.
TEST(IpxeInterpreterTest, AValueIsHandedOnAsItIsWhateverTheTypesOfTheSettings) {
  IpxeInterpreter ipxe;
  EXPECT_THAT(Echoed(ipxe,
                     "set plain 10% %20 a/b\n"
                     "set encoded:uristring 10%25%20%7C%7C%20%2520%20a/b\n"
                     "set x:uristring d\n"
                     "isset ${plain:string} && set x:uristring ${plain:uristring} ||\n"
                     "set y:uristring d\n"
                     "isset ${encoded:string} && set y:uristring ${encoded:uristring} ||\n"
                     "set z:uristring d%20e\n"
                     "isset ${none:string} && set z:uristring ${none:uristring} ||\n"
                     "echo ${x:string} ${y:string} ${z:string}\n"
                     "set dash:uristring --n%20-x\n"
                     "isset -- ${dash:string} && set z:uristring ${dash:uristring} ||\n"
                     "echo E ${z:string}\n"
                     "isset ${none:string}${nor-this} || echo neither\n"
                     "isset ${none:string}${x} && echo one\n"),
              ElementsAre("10% %20 a/b 10% || %20 a/b d e", "E --n -x", "neither", "one"));
}

TEST(IpxeInterpreterTest, SequencesGoOnAsIpxeDoes) {
  IpxeInterpreter ipxe;
  EXPECT_THAT(Echoed(ipxe,
                     "set n:int32 0\n"
                     ":again\n"
                     "inc n\n"
                     "echo ${n}\n"
                     "iseq ${n} 3 || goto again\n"
                     "iseq a b && echo no ||\n"
                     "iseq a a && echo yes || echo no\n"
                     "iseq a b\n"
                     "echo never\n"),
              ElementsAre("1", "2", "3", "yes"));
}

TEST(IpxeInterpreterTest, AddressesAskedForAsTextAreOctets) {
  IpxeInterpreter ipxe;
  ipxe.SetOwn("mac", "52:54:00:12:34:56", false);
  EXPECT_THAT(Echoed(ipxe, "echo ${mac} ${mac:hexraw} ${mac:string}\n"),
              ElementsAre("52:54:00:12:34:56 525400123456 <octets>"));
}

// As on a BIOS, where the kernel gets all that is loaded.
TEST(IpxeInterpreterTest, AKernelGetsWhatIsLoadedAndNotWhatWasFreed) {
  IpxeInterpreter ipxe;
  const auto result = ipxe.Run(
      "#!ipxe\n"
      "initrd --name one http://x/a\n"
      "imgfetch --name begun http://x/begun\n"
      "kernel http://x/k initrd=one\n"
      "initrd http://x/dir/b\n"
      "imgfree begun\n"
      "imgfree begun || echo gone\n"
      "boot\n");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->uri, "http://x/k");
  EXPECT_THAT(result->initrds, ElementsAre("http://x/a", "http://x/dir/b"));
  EXPECT_THAT(result->initrd_names, ElementsAre("one", "b"));
  EXPECT_THAT(result->echoed, ElementsAre("gone"));
}

TEST(IpxeInterpreterTest, AnImageThatIsLoadedIsChainedByItsName) {
  IpxeInterpreter ipxe;
  const auto result =
      ipxe.Run("#!ipxe\nimgfetch --name script http://x/a\nchain --replace --autofree script\n");
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->end, IpxeInterpreter::End::kChained);
  EXPECT_EQ(result->uri, "http://x/a");
  EXPECT_THAT(result->requests, ElementsAre("http://x/a"));
}

TEST(IpxeInterpreterTest, WhatCanNotBeExecutedIsNeitherSelectedNorChainedNorAKernel) {
  IpxeInterpreter ipxe;
  ipxe.executes = [](const std::string& uri) { return uri != "http://x/page"; };
  EXPECT_THAT(Echoed(ipxe,
                     "imgfetch --name script http://x/a\n"
                     "imgselect script && echo selected\n"
                     "imgfetch --name page http://x/page\n"
                     "imgselect page || echo no script\n"
                     "chain --replace --autofree page || echo not chained\n"
                     "kernel http://x/page || echo no kernel\n"),
              ElementsAre("selected", "no script", "not chained", "no kernel"));
}

TEST(IpxeInterpreterTest, ADiskBootsOrDoesNot) {
  IpxeInterpreter ipxe;
  constexpr char kScript[] = "#!ipxe\nsanboot --no-describe --drive 0x80 ||\nexit 1\n";
  auto result = ipxe.Run(kScript);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->end, IpxeInterpreter::End::kDisk);
  EXPECT_EQ(result->drive, "0x80");
  ipxe.disk_boots = false;
  result = ipxe.Run(kScript);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->end, IpxeInterpreter::End::kExited);
}

TEST(IpxeInterpreterTest, WhatOurScriptsAreNotMadeOfIsAnError) {
  for (const char* line : {"poweroff", "echo -x", "goto nowhere", "chain http://x/", "imgselect a",
                           "set a/b c", "echo a\tb", "echo a\\", "echo a ; echo b", "echo a # b",
                           "item --what x", "iseq a", "sleep long"}) {
    IpxeInterpreter ipxe;
    EXPECT_FALSE(ipxe.Run(std::string("#!ipxe\n") + line + "\n").ok()) << line;
  }
}

}  // namespace
}  // namespace autopxe
