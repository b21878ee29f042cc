#include "agent/catalog/files_scan.h"

#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/model/boot_file.h"
#include "common/status/status_macros.h"

namespace autopxe::agent {
namespace {

constexpr char kNotAFilePath[] =
    "not a path that a file of a distro can have (up to 256 printable ASCII characters without "
    "blanks, '\\', '%', '\"', '$', '{', '}')";

std::string FolderOf(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return std::string(slash == absl::string_view::npos ? "" : path.substr(0, slash));
}

// How many folders it is below the folder of files, if it is a folder itself.
int DepthOf(absl::string_view path) {
  return 1 + static_cast<int>(std::count(path.begin(), path.end(), '/'));
}

class FilesScan {
 public:
  FilesScan(const Folder& root, const FilesLook* before, const TreeChanges& changes,
            const LookTime& now, TreeWatch* watch)
      : root_(root), before_(before), changes_(changes), now_(now), watch_(watch) {}

  absl::StatusOr<FilesLook> Run() {
    ASSIGN_OR_RETURN(const Folder::Identity identity, root_.Identify());
    way_.push_back(identity);
    RETURN_IF_ERROR(ReadFolder(root_, ""));
    AddLinks();
    return std::move(look_);
  }

 private:
  void Warn(absl::string_view path, absl::string_view reason, bool is_kept = false) {
    look_.warnings.push_back({absl::StrCat("files/", path), std::string(reason), is_kept});
  }

  const FileLook* LookBefore(const std::string& path) const {
    if (before_ == nullptr) return nullptr;
    const auto found = before_->files.find(path);
    return found == before_->files.end() ? nullptr : &found->second;
  }

  Writer WriterOf(const std::string& path) const {
    if (changes_.closed_files.contains(path)) return Writer::kDone;
    return changes_.written_files.contains(path) ? Writer::kWriting : Writer::kUnheard;
  }

  void Remember(const std::string& path, const FileLook& look) {
    look_.is_settled &= look.is_settled;
    look_.files.insert_or_assign(path, look);
  }

  // Whether one more may be looked at.
  bool Count(const std::string& path) {
    if (is_full_) return false;
    if (count_ < kMaxCatalogFiles) {
      ++count_;
      return true;
    }
    is_full_ = true;
    Warn(path,
         "more than 10,000 files, folders and links; this one and those behind it are left "
         "out");
    return false;
  }

  // Errors: the system's, if it can't be read; nothing of it has been added then.
  absl::Status ReadFolder(const Folder& folder, const std::string& path) {
    if (watch_ != nullptr) watch_->Add(folder, TreeWatch::Level::kFiles, path);
    ASSIGN_OR_RETURN(const std::vector<Folder::Entry> entries, folder.List());
    look_.folders.insert(path);
    for (const Folder::Entry& entry : entries) {
      if (IsHidden(entry.name)) continue;
      const std::string below = path.empty() ? entry.name : absl::StrCat(path, "/", entry.name);
      if (!Count(below)) break;
      if (!BootFile::Parse(below).ok()) {
        Warn(below, kNotAFilePath);
        continue;
      }
      switch (entry.kind) {
        case Folder::Kind::kFile:
          AddFile(folder, entry.name, below);
          break;
        case Folder::Kind::kFolder:
          AddFolder(folder.OpenReal(entry.name), below);
          break;
        case Folder::Kind::kLink:
          AddLink(below);
          break;
        case Folder::Kind::kOther:
          Warn(below, "neither a file nor a folder");
          break;
      }
    }
    return absl::OkStatus();
  }

  void AddFolder(const absl::StatusOr<Folder>& folder, const std::string& path) {
    if (!folder.ok()) return Keep(path, folder.status());
    if (DepthOf(path) > kMaxFilesDepth) return Warn(path, "more than 16 folders deep");
    const absl::StatusOr<Folder::Identity> identity = folder->Identify();
    if (!identity.ok()) return Keep(path, identity.status());
    if (std::find(way_.begin(), way_.end(), *identity) != way_.end()) {
      return Warn(path, "a link to a folder that it is in itself");
    }
    way_.push_back(*identity);
    const absl::Status status = ReadFolder(*folder, path);
    way_.pop_back();
    if (!status.ok()) Keep(path, status);
  }

  // What is at `path`, and below it, can't be read because of `error`: what was there before, if
  // that may be there still.
  void Keep(const std::string& path, const absl::Status& error) {
    look_.is_settled &= !MayPass(error);
    bool is_kept = false;
    if (before_ != nullptr && !IsGone(error)) {
      if (const FileLook* file = LookBefore(path); file != nullptr) {
        Remember(path, *file);
        is_kept = true;
      }
      const std::string prefix = path + "/";
      for (auto file = before_->files.lower_bound(prefix);
           file != before_->files.end() && absl::StartsWith(file->first, prefix); ++file) {
        Remember(file->first, file->second);
        is_kept = true;
      }
      for (const std::string& folder : before_->folders) {
        if (folder == path || absl::StartsWith(folder, prefix)) look_.folders.insert(folder);
      }
    }
    Warn(path, CantRead(error), is_kept);
  }

  void AddFile(const Folder& folder, const std::string& name, const std::string& path) {
    const FileLook* before = LookBefore(path);
    if (before != nullptr && before->is_settled && WriterOf(path) == Writer::kUnheard) {
      const absl::StatusOr<FileStamp> stamp = folder.StampOf(name);
      // Opened then, and the same in every respect: not opened again.
      if (stamp.ok() && *stamp == before->stamp) return Remember(path, *before);
    }
    const absl::StatusOr<FileStamp> stamp = OpenAndStamp(path);
    // It was there when the folder was listed, and is no more.
    if (absl::IsNotFound(stamp.status())) return;
    if (!stamp.ok()) return AddUnreadable(path, stamp.status());
    Remember(path, LookNow(path, *stamp));
  }

  // By the same call by which it is served: what that refuses is not offered.
  absl::StatusOr<FileStamp> OpenAndStamp(const std::string& path) const {
    ASSIGN_OR_RETURN(const int fd, root_.OpenFileInside(path));
    const absl::Cleanup closer = [fd] { close(fd); };
    return StampOf(fd);
  }

  FileLook LookNow(const std::string& path, const FileStamp& stamp) const {
    const bool is_known = before_ != nullptr && before_->folders.contains(FolderOf(path));
    return LookAgain(stamp, LookBefore(path), WriterOf(path), is_known, now_);
  }

  void AddUnreadable(const std::string& path, const absl::Status& error) {
    if (MayPass(error)) {
      // When it can be read it may have been there for long: its folder is not known whole.
      if (LookBefore(path) == nullptr) look_.folders.erase(FolderOf(path));
      return Keep(path, error);
    }
    // Its own mode forbids it, or it is something else by now.
    Warn(path, CantRead(error));
  }

  // A folder is read at once; a file when those that are no links have been.
  void AddLink(const std::string& path) {
    const absl::StatusOr<Folder> folder = root_.OpenInside(path);
    if (absl::IsFailedPrecondition(folder.status())) {
      links_.push_back(path);
    } else if (absl::IsNotFound(folder.status())) {
      Warn(path, kLeadsNowhere);
    } else {
      AddFolder(folder, path);
    }
  }

  void AddLinks() {
    if (links_.empty()) return;
    absl::flat_hash_map<Folder::Identity, const FileLook*> targets;
    for (const auto& [path, look] : look_.files) targets.emplace(look.stamp.identity, &look);
    for (const std::string& path : links_) {
      const absl::StatusOr<FileStamp> stamp = OpenAndStamp(path);
      if (IsGone(stamp.status())) {
        Warn(path, kLeadsNowhere);
      } else if (!stamp.ok()) {
        AddUnreadable(path, stamp.status());
      } else if (const auto target = targets.find(stamp->identity);
                 target != targets.end() && target->second->stamp == *stamp) {
        Remember(path, *target->second);
      } else {
        Remember(path, LookNow(path, *stamp));
      }
    }
  }

  static constexpr char kLeadsNowhere[] = "a link that leads to no file in the folder of files";

  const Folder& root_;
  const FilesLook* const before_;
  const TreeChanges& changes_;
  const LookTime& now_;
  TreeWatch* const watch_;
  size_t count_ = 0;
  bool is_full_ = false;
  std::vector<Folder::Identity> way_;  // From the root to the folder that is being read.
  std::vector<std::string> links_;     // Those that may be to files.
  FilesLook look_;
};

}  // namespace

std::vector<CatalogFile> ListFiles(const FilesLook& look) {
  std::vector<CatalogFile> files;
  for (const auto& [path, file] : look.files) {
    if (file.is_settled) files.push_back({path, file.stamp.size});
  }
  return files;
}

absl::StatusOr<FilesLook> ScanFiles(const Folder& folder, const FilesLook* before,
                                    const TreeChanges& changes, const LookTime& now,
                                    TreeWatch* watch) {
  return FilesScan(folder, before, changes, now, watch).Run();
}

FilesLook KeepFiles(const FilesLook& before, const absl::Status& error) {
  FilesLook look = before;
  look.warnings.erase(std::remove_if(look.warnings.begin(), look.warnings.end(),
                                     [](const ScanWarning& warning) { return warning.is_kept; }),
                      look.warnings.end());
  look.warnings.push_back({"files/", CantRead(error), /*is_kept=*/true});
  look.is_settled &= !MayPass(error);
  return look;
}

}  // namespace autopxe::agent
