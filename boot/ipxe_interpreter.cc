#include "boot/ipxe_interpreter.h"

#include <cctype>
#include <cstdlib>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "boot/ipxe_uri.h"

namespace autopxe {
namespace {

using Words = std::vector<std::string>;

Words Split(absl::string_view line) { return absl::StrSplit(line, ' ', absl::SkipEmpty()); }

}  // namespace

// One run of one script.
class IpxeRun {
 public:
  IpxeRun(IpxeInterpreter& host, absl::string_view script) : host_(host) {
    lines_ = absl::StrSplit(absl::StripSuffix(script, "\n"), '\n');
  }

  absl::StatusOr<IpxeInterpreter::Result> Run() {
    if (lines_.front() != "#!ipxe") return absl::InvalidArgumentError("not an iPXE script");
    for (const std::string& line : lines_) {
      for (const char c : line) {
        if (!absl::ascii_isprint(static_cast<unsigned char>(c))) return Wrong(line, "a character");
      }
      if (absl::EndsWith(line, "\\")) return Wrong(line, "continued");
    }
    size_t steps = 0;
    while (next_ < lines_.size() && !over_) {
      if (++steps > host_.max_steps) {
        result_.end = IpxeInterpreter::End::kRunning;
        return result_;
      }
      const std::string& line = lines_[next_++];
      bool ok = true;
      if (absl::Status status = Execute(line, ok); !status.ok()) return status;
      if (!ok && !over_) break;  // A script ends with the first line that fails.
    }
    return result_;
  }

 private:
  static absl::Status Wrong(absl::string_view line, absl::string_view what) {
    return absl::InvalidArgumentError(
        absl::StrCat("line \"", absl::CHexEscape(line), "\": ", what));
  }

  // Replaces the innermost first ${...}, again and again.
  std::string Expand(std::string text) const {
    for (int rounds = 0; rounds < 1000; ++rounds) {
      size_t start = std::string::npos;
      size_t end = std::string::npos;
      for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '$' && i + 1 < text.size() && text[i + 1] == '{') start = i;
        if (start != std::string::npos && text[i] == '}') {
          end = i;
          break;
        }
      }
      if (end == std::string::npos) break;
      const std::string value = host_.Show(text.substr(start + 2, end - start - 2));
      text = absl::StrCat(text.substr(0, start), value, text.substr(end + 1));
    }
    return text;
  }

  absl::Status Execute(const std::string& line, bool& ok) {
    if (absl::StartsWith(line, ":") || absl::StartsWith(line, "#")) return absl::OkStatus();
    bool run = true;
    Words command;
    Words words = Split(line);
    words.push_back("\n");
    for (const std::string& word : words) {
      if (word == ";" || absl::StartsWith(word, "#")) return Wrong(line, "a word of iPXE's own");
      if (word != "||" && word != "&&" && word != "\n") {
        command.push_back(word);
        continue;
      }
      if (run) {
        Words expanded;
        for (const std::string& part : command) expanded.push_back(Expand(part));
        jumped_ = false;
        ok = true;
        if (!expanded.empty()) {
          if (absl::Status status = Command(line, expanded, ok); !status.ok()) return status;
        }
        if (jumped_ || over_) return absl::OkStatus();
      }
      command.clear();
      run = word == "||" ? !ok : ok;
    }
    return absl::OkStatus();
  }

  // Takes leading options off `words`. `allowed` are those without and, with a '=' behind, those
  // with a value.
  absl::Status Options(const std::string& line, Words& words, const Words& allowed,
                       std::map<std::string, std::string>& options) {
    size_t i = 1;
    for (; i < words.size() && absl::StartsWith(words[i], "-"); ++i) {
      if (words[i] == "--") {
        ++i;
        break;
      }
      bool known = false;
      for (const std::string& option : allowed) {
        if (option == words[i]) {
          options[words[i]] = "";
          known = true;
        } else if (option == words[i] + "=" && i + 1 < words.size()) {
          options[words[i]] = words[i + 1];
          ++i;
          known = true;
        }
        if (known) break;
      }
      if (!known) return Wrong(line, "an option that is none");
    }
    words.erase(words.begin() + 1, words.begin() + static_cast<ptrdiff_t>(i));
    return absl::OkStatus();
  }

  static std::string Rest(const Words& words, size_t from) {
    return absl::StrJoin(words.begin() + static_cast<ptrdiff_t>(std::min(from, words.size())),
                         words.end(), " ");
  }

  struct Image {
    std::string name;
    std::string uri;
    bool is_kernel;
  };

  // The image of that name, or null.
  const Image* FindImage(absl::string_view name) const {
    for (const Image& image : images_) {
      if (image.name == name) return &image;
    }
    return nullptr;
  }

  bool Request(const std::string& uri) {
    result_.requests.push_back(uri);
    return host_.serves(uri);
  }

  // Loads an image; without a name it has that of its file.
  bool Load(const std::string& uri, const std::map<std::string, std::string>& options,
            bool is_kernel) {
    if (!Request(uri)) return false;
    const auto name = options.find("--name");
    images_.push_back(
        {name == options.end() ? uri.substr(uri.rfind('/') + 1) : name->second, uri, is_kernel});
    return true;
  }

  void Boot() {
    for (const Image& image : images_) {
      if (image.is_kernel) continue;
      result_.initrds.push_back(image.uri);
      result_.initrd_names.push_back(image.name);
    }
    Finish(IpxeInterpreter::End::kBooted, kernel_);
  }

  absl::Status Command(const std::string& line, Words words, bool& ok) {
    const std::string name = words[0];
    std::map<std::string, std::string> options;
    static const auto& kOptions = *new std::map<std::string, Words>{
        {"item", {"--key=", "--gap"}},
        {"choose", {"--default=", "--timeout="}},
        {"prompt", {"--key=", "--timeout="}},
        {"chain", {"--timeout=", "--replace", "--autofree"}},
        {"initrd", {"--timeout=", "--name="}},
        {"kernel", {"--timeout="}},
        {"imgfetch", {"--timeout=", "--name="}},
        {"sanboot", {"--no-describe", "--drive="}},
    };
    const auto allowed = kOptions.find(name);
    if (absl::Status status =
            Options(line, words, allowed == kOptions.end() ? Words() : allowed->second, options);
        !status.ok()) {
      return status;
    }
    const size_t count = words.size() - 1;
    if (name == "set") {
      if (count < 1) return Wrong(line, "nothing to set");
      return Set(line, words[1], Rest(words, 2));
    }
    if (name == "echo") {
      result_.echoed.push_back(Rest(words, 1));
    } else if (name == "isset" && count == 1) {
      ok = !words[1].empty();
    } else if (name == "iseq" && count == 2) {
      ok = words[1] == words[2];
    } else if (name == "inc" && count == 1) {
      auto found = host_.settings_.find(words[1]);
      int64_t value;
      if (found == host_.settings_.end() || !absl::SimpleAtoi(found->second.value, &value)) {
        return Wrong(line, "nothing to count");
      }
      found->second.value = absl::StrCat(value + 1);
    } else if (name == "goto" && count == 1) {
      return Goto(line, words[1]);
    } else if (name == "menu") {
      screen_ = {.title = Rest(words, 1), .items = {}, .default_label = "", .timeout_ms = 0};
    } else if (name == "item") {
      return AddItem(line, words, options);
    } else if (name == "choose" && count == 1) {
      return Choose(line, words[1], options, ok);
    } else if (name == "prompt") {
      if (options["--key"].size() != 1) return Wrong(line, "a key");
      ok = host_.presses(options["--key"][0]);
      if (!ok) return Sleep(line, options["--timeout"], 1);
    } else if (name == "sleep" && count == 1) {
      return Sleep(line, words[1], 1000);
    } else if (name == "dhcp" && count == 0) {
      ++result_.dhcp_requests;
      ok = host_.dhcp_answers;
    } else if (name == "shell" && count == 0) {
      ++result_.shells;
    } else if (name == "config" && count == 0) {
    } else if (name == "imgfree" && count == 0) {
      kernel_.clear();
      images_.clear();
    } else if (name == "imgfree" && count == 1) {
      const Image* const image = FindImage(words[1]);
      ok = image != nullptr;
      if (ok) images_.erase(images_.begin() + (image - images_.data()));
    } else if (name == "imgselect" && count == 1) {
      const Image* const image = FindImage(words[1]);
      if (image == nullptr) return Wrong(line, "an image that is not loaded");
      ok = host_.executes(image->uri);
    } else if ((name == "imgfetch" || name == "initrd") && count == 1) {
      ok = Load(words[1], options, false);
    } else if (name == "kernel" && count >= 1) {
      ok = Load(words[1], options, true) && host_.executes(words[1]);
      if (ok) {
        kernel_ = words[1];
        result_.arguments = Rest(words, 2);
      }
    } else if (name == "boot" && count == 0) {
      ok = !kernel_.empty();
      if (ok) Boot();
    } else if (name == "chain" && count == 1) {
      // The name of an image that is loaded, or else a URI (src/usr/imgmgmt.c, imgacquire).
      const Image* const image = FindImage(words[1]);
      const std::string uri = image == nullptr ? words[1] : image->uri;
      ok = (image != nullptr || Request(uri)) && host_.executes(uri);
      if (ok && options.count("--replace") == 0) return Wrong(line, "chain without --replace");
      if (ok) Finish(IpxeInterpreter::End::kChained, uri);
    } else if (name == "sanboot" && count == 0) {
      ok = host_.disk_boots;
      if (ok) {
        result_.drive = options["--drive"];
        Finish(IpxeInterpreter::End::kDisk, "");
      }
    } else if (name == "exit" && count <= 1) {
      result_.exit_code = count == 0 ? 0 : std::atoi(words[1].c_str());
      Finish(IpxeInterpreter::End::kExited, "");
    } else if (name == "reboot" && count == 0) {
      Finish(IpxeInterpreter::End::kRebooted, "");
    } else {
      return Wrong(line, "a command that is none of ours");
    }
    return absl::OkStatus();
  }

  void Finish(IpxeInterpreter::End end, const std::string& uri) {
    over_ = true;
    result_.end = end;
    result_.uri = uri;
  }

  absl::Status Set(const std::string& line, const std::string& word, const std::string& value) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(word, absl::MaxSplits(':', 1));
    if (absl::StrContains(parts.first, "/")) return Wrong(line, "a setting of a block");
    auto type = IpxeInterpreter::Type::kString;
    if (parts.second == "uristring") {
      type = IpxeInterpreter::Type::kUriString;
    } else if (parts.second == "int32") {
      type = IpxeInterpreter::Type::kInt32;
    } else if (!parts.second.empty()) {
      return Wrong(line, "a type");
    }
    if (value.empty()) {
      host_.settings_.erase(parts.first);
    } else {
      host_.settings_[parts.first] = {
          type == IpxeInterpreter::Type::kUriString ? DecodeUri(value) : value, type};
    }
    return absl::OkStatus();
  }

  absl::Status Goto(const std::string& line, const std::string& label) {
    for (size_t i = 0; i < lines_.size(); ++i) {
      if (lines_[i] == ":" + label) {
        next_ = i;
        jumped_ = true;
        return absl::OkStatus();
      }
    }
    return Wrong(line, absl::StrCat("no label \"", absl::CHexEscape(label), "\""));
  }

  absl::Status AddItem(const std::string& line, const Words& words,
                       std::map<std::string, std::string>& options) {
    IpxeInterpreter::Item item;
    const bool gap = options.count("--gap") > 0;
    if (!gap) {
      if (words.size() < 2) return Wrong(line, "an entry without a label");
      item.label = words[1];
    }
    item.text = Rest(words, gap ? 1 : 2);
    if (options.count("--key") > 0) {
      if (options["--key"].size() != 1) return Wrong(line, "a key");
      item.key = options["--key"][0];
    }
    screen_.items.push_back(item);
    return absl::OkStatus();
  }

  absl::Status Choose(const std::string& line, const std::string& variable,
                      std::map<std::string, std::string>& options, bool& ok) {
    screen_.default_label = options["--default"];
    if (options.count("--timeout") > 0 &&
        !absl::SimpleAtoi(options["--timeout"], &screen_.timeout_ms)) {
      return Wrong(line, "a time-out");
    }
    result_.screens.push_back(screen_);
    const absl::optional<std::string> chosen = host_.choose(screen_);
    ok = chosen.has_value();
    if (!ok) return absl::OkStatus();
    for (const IpxeInterpreter::Item& item : screen_.items) {
      if (!item.label.empty() && item.label == *chosen) return Set(line, variable, *chosen);
    }
    return Wrong(line, absl::StrCat("no entry ", *chosen));
  }

  absl::Status Sleep(const std::string& line, const std::string& number, int64_t unit) {
    int64_t value;
    if (!absl::SimpleAtoi(number, &value)) return Wrong(line, "a number");
    result_.milliseconds += value * unit;
    return absl::OkStatus();
  }

  IpxeInterpreter& host_;
  std::vector<std::string> lines_;
  size_t next_ = 0;
  bool jumped_ = false;
  bool over_ = false;
  std::string kernel_;  // Its URI.
  std::vector<Image> images_;
  IpxeInterpreter::Screen screen_;
  IpxeInterpreter::Result result_;
};

void IpxeInterpreter::SetOwn(const std::string& name, const std::string& text, bool is_text) {
  settings_[name] = {text, is_text ? Type::kString : Type::kOther};
}

std::string IpxeInterpreter::Show(absl::string_view name) const {
  const std::pair<std::string, std::string> parts = absl::StrSplit(name, absl::MaxSplits(':', 1));
  const auto found = settings_.find(parts.first);
  if (found == settings_.end()) return "";
  const Setting& setting = found->second;
  if (parts.second.empty()) {
    return setting.type == Type::kUriString ? EncodeUri(setting.value) : setting.value;
  }
  if (setting.type == Type::kOther) {
    if (parts.second == "hexraw") return absl::StrReplaceAll(setting.value, {{":", ""}});
    return "<octets>";  // A type of text shows an address's octets.
  }
  return parts.second == "uristring" ? EncodeUri(setting.value) : setting.value;
}

absl::StatusOr<IpxeInterpreter::Result> IpxeInterpreter::Run(absl::string_view script) {
  return IpxeRun(*this, script).Run();
}

}  // namespace autopxe
