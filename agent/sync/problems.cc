#include "agent/sync/problems.h"

#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "common/model/agent_status.h"

namespace autopxe::agent {
namespace {

constexpr absl::string_view kCut = "...";

std::string AsReported(absl::string_view sentence) {
  std::string text;
  for (const char c : sentence) {
    if (absl::ascii_isprint(static_cast<unsigned char>(c))) {
      text += c;
    } else {
      absl::StrAppendFormat(&text, "\\x%02x", static_cast<unsigned char>(c));
    }
    if (text.size() > AgentStatus::kMaxProblemLength) {
      text.resize(AgentStatus::kMaxProblemLength - kCut.size());
      return absl::StrCat(text, kCut);
    }
  }
  return text;
}

}  // namespace

void Problems::Set(Kind kind, absl::string_view sentence) {
  std::string text = AsReported(sentence);
  {
    absl::MutexLock lock(&mutex_);
    std::string& current = sentences_[kind];
    if (current == text) return;
    current = std::move(text);
  }
  Tell();
}

void Problems::Clear(Kind kind) {
  {
    absl::MutexLock lock(&mutex_);
    if (sentences_.erase(kind) == 0) return;
  }
  Tell();
}

std::vector<std::string> Problems::Current() const {
  std::vector<std::string> sentences;
  absl::MutexLock lock(&mutex_);
  for (const auto& [kind, sentence] : sentences_) sentences.push_back(sentence);
  return sentences;
}

void Problems::OnChange(std::function<void()> on_change) {
  absl::MutexLock lock(&listener_mutex_);
  on_change_ = std::move(on_change);
}

void Problems::Tell() {
  absl::MutexLock lock(&listener_mutex_);
  if (on_change_ != nullptr) on_change_();
}

}  // namespace autopxe::agent
