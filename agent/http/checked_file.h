#pragma once

#include <cstdint>
#include <memory>

#include "agent/content/content.h"

namespace autopxe::agent {

// While it lives, libmicrohttpd's sendfile() from a descriptor sends nothing more of a file that
// somebody has written into: the call fails as one with a bad descriptor does, and libmicrohttpd
// cuts the connection before its answer could look complete.
//
// libmicrohttpd offers no look at a file between its blocks (128 KiB) but by giving sendfile() up.
// So checked_file.cc defines sendfile64(), by the rules of ELF for the whole program, libraries
// included: it looks, and then asks the kernel. Where libmicrohttpd falls back to read() and send()
// (a file system without splice) nothing is checked until the end, when the log says "changed".
class CheckedFile {
 public:
  // `fd` is open on `content` and sent from, but need not be closed after this object.
  CheckedFile(int fd, std::shared_ptr<const Content> content);
  ~CheckedFile();
  CheckedFile(const CheckedFile&) = delete;
  CheckedFile& operator=(const CheckedFile&) = delete;

 private:
  const int fd_;
  const uint64_t id_;  // Its number may be another file's by the time it ends.
};

}  // namespace autopxe::agent
