#include "ctl/terminal_text.h"

#include <string>

#include "gtest/gtest.h"

namespace autopxe::ctl {
namespace {

TEST(TerminalTextTest, PrintableAsciiStaysAsItIs) {
  EXPECT_EQ(TerminalText("debian/bookworm/latest \"x\" ${y} #"),
            "debian/bookworm/latest \"x\" ${y} #");
  EXPECT_EQ(TerminalText(""), "");
}

TEST(TerminalTextTest, WhatATerminalWouldObeyIsWrittenOut) {
  EXPECT_EQ(TerminalText("\x1b[2Jgone"), "\\x1b[2Jgone");
  EXPECT_EQ(TerminalText("a\r\nb\tc"), "a\\x0d\\x0ab\\x09c");
  EXPECT_EQ(TerminalText("\x7f"), "\\x7f");
  // A terminal takes U+009B, in UTF-8 or as the bare byte, for ESC [.
  EXPECT_EQ(TerminalText("\xc2\x9b"), "\\xc2\\x9b");
  EXPECT_EQ(TerminalText(std::string("\0", 1)), "\\x00");
}

TEST(TerminalTextTest, AWrittenOutByteIsNoTextThatSomebodyTyped) {
  EXPECT_EQ(TerminalText("\\x1b"), "\\\\x1b");
}

TEST(TerminalTextTest, AMessageKeepsTheEscapesOfWhatItQuotes) {
  EXPECT_EQ(TerminalMessage("host \"a\\n\": no\x1b[1m"), "host \"a\\n\": no\\x1b[1m");
}

TEST(TerminalTextTest, NoByteButPrintableAsciiEverComesOut) {
  for (int byte = 0; byte < 256; ++byte) {
    const std::string text(1, static_cast<char>(byte));
    for (const char c : TerminalText(text) + TerminalMessage(text)) {
      EXPECT_TRUE(c >= ' ' && c <= '~') << byte;
    }
  }
}

}  // namespace
}  // namespace autopxe::ctl
