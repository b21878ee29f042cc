#include "ctl/table.h"

#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

TEST(TableTest, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({"NAME", "DISTRO"});
  table.Add({"web1", "debian/bookworm/latest/nfs"});
  table.Add({"52:54:00:12:34:56", "local"});
  EXPECT_EQ(table.Format(),
            "NAME               DISTRO\n"
            "web1               debian/bookworm/latest/nfs\n"
            "52:54:00:12:34:56  local\n");
}

TEST(TableTest, AnEmptyCellIsVisible) {
  Table table({"NAME", "DISTRO"});
  table.Add({"web1", ""});
  EXPECT_EQ(table.Format(), "NAME  DISTRO\nweb1  -\n");
}

TEST(TableTest, WithoutRowsOnlyTheHeadersStand) {
  EXPECT_EQ(Table({"NAME", "DISTRO"}).Format(), "NAME  DISTRO\n");
}

TEST(TableTest, ACellCannotAddALineOrAnEscapeSequence) {
  Table table({"NAME", "X"});
  table.Add({"a\nb\x1b[1m", "y"});
  EXPECT_EQ(table.Format(), "NAME           X\na\\x0ab\\x1b[1m  y\n");
}

TEST(TableDeathTest, ARowOfAnotherLengthIsABug) {
  Table table({"NAME", "X"});
  EXPECT_DEATH(table.Add({"a"}), "");
}

}  // namespace
}  // namespace autopxe::ctl
