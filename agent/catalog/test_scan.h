#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/time/time.h"
#include "agent/catalog/file_look.h"
#include "agent/catalog/scan.h"
#include "agent/catalog/test_tree.h"
#include "agent/catalog/tree_changes.h"
#include "common/model/catalog.h"

namespace autopxe::agent {

// What tests of scans share.

TreeChanges Everything();

// So much later than the wall clock says.
LookTime Now(absl::Duration later = absl::ZeroDuration());

// The first scan of a tree, which can be made.
Scan ScanOf(const TestTree& tree);

// One line for each kernel: "debian/stable->bookworm/latest=6.1 boot/vmlinuz-6.1
// boot/initrd.img-6.1".
std::vector<std::string> Listed(const Catalog& catalog);

// One line for each warning, in their order: "debian/a: no kernel", with " (kept)" where what was
// there before is.
std::vector<std::string> Warned(const Scan& scan);

// An x86 kernel that is `size` bytes by its header.
std::string BzImage(size_t size);

// Calls it while only so many more descriptors can be opened.
void WithDescriptors(int count, absl::FunctionRef<void()> call);

// Calls it on a thread that has none of root's privileges: it reads as anybody would.
void WithoutPrivileges(absl::FunctionRef<void()> call);

}  // namespace autopxe::agent
