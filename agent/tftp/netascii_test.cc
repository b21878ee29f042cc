#include "agent/tftp/netascii.h"

#include <random>
#include <string>

#include "gmock/gmock.h"

namespace autopxe::agent::tftp {
namespace {

template <size_t size>
std::string Literal(const char (&text)[size]) {
  return std::string(text, size - 1);
}

// Encodes in pieces of `piece` bytes of output.
std::string Encode(const std::string& source, size_t piece) {
  std::string encoded;
  NetasciiPosition position;
  for (;;) {
    std::string out(piece, '\0');
    const size_t written = EncodeNetascii(absl::string_view(source).substr(position.offset),
                                          absl::MakeSpan(&out[0], out.size()), position);
    encoded += out.substr(0, written);
    if (written < piece) break;
  }
  EXPECT_EQ(position.offset, source.size());
  EXPECT_FALSE(position.pending.has_value());
  return encoded;
}

// RFC 764's reading, as a client does it.
std::string Decode(const std::string& encoded) {
  std::string source;
  for (size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] == '\r' && i + 1 < encoded.size()) {
      ++i;
      source += encoded[i] == '\0' ? '\r' : encoded[i];
    } else {
      source += encoded[i];
    }
  }
  return source;
}

// faults.md case 18.
TEST(NetasciiTest, LineEndsAreThoseOfTheWire) {
  const std::pair<std::string, std::string> cases[] = {
      {"", ""},
      {"abc", "abc"},
      {"#!ipxe\necho\n", "#!ipxe\r\necho\r\n"},
      {"\n", "\r\n"},
      {"\n\n", "\r\n\r\n"},
      {"\r", Literal("\r\0")},
      {"a\rb", Literal("a\r\0b")},
      {"a\r\nb", Literal("a\r\0\r\nb")},
      {Literal("\0"), Literal("\0")},
      {"\xff\xfe", "\xff\xfe"},
  };
  for (const auto& [source, encoded] : cases) EXPECT_EQ(Encode(source, 512), encoded);
}

TEST(NetasciiTest, APairThatABlocksEndCutsIsWhole) {
  for (size_t piece = 1; piece < 12; ++piece) {
    EXPECT_EQ(Encode("a\nb\rc\n\n\r\r\nd", piece), Literal("a\r\nb\r\0c\r\n\r\n\r\0\r\0\r\nd"))
        << piece;
  }
}

TEST(NetasciiTest, WhateverIsEncodedIsDecodedToTheSame) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string source(random() % 300, '\0');
    for (char& c : source) c = "\r\n\0ab"[random() % 5];
    EXPECT_EQ(Decode(Encode(source, 1 + random() % 64)), source);
  }
}

}  // namespace
}  // namespace autopxe::agent::tftp
