#include "ctl/import/csv.h"

#include <cstddef>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/strip.h"

namespace autopxe::ctl {
namespace {

class Reader {
 public:
  explicit Reader(absl::string_view text) : text_(text) {}

  CsvFile Read() {
    while (!AtEnd()) {
      if (!SkipLineBreak()) ReadRecord();
    }
    return std::move(file_);
  }

 private:
  bool AtEnd() const { return position_ == text_.size(); }
  absl::string_view rest() const { return text_.substr(position_); }
  bool AtLineEnd() const {
    return AtEnd() || text_[position_] == '\n' || absl::StartsWith(rest(), "\r\n");
  }
  Place place() const { return {line_, static_cast<int>(position_ - line_begin_) + 1}; }

  char Take() {
    const char c = text_[position_++];
    if (c == '\n') {
      ++line_;
      line_begin_ = position_;
    }
    return c;
  }

  bool SkipLineBreak() {
    if (AtEnd() || !AtLineEnd()) return false;
    if (Take() == '\r') Take();
    return true;
  }

  void ReadRecord() {
    CsvRecord record;
    while (true) {
      CsvField field{place(), ""};
      const char* const problem = ReadField(field.text);
      if (problem != nullptr) {
        file_.problems.push_back({field.place, problem});
        while (!AtLineEnd()) Take();
        SkipLineBreak();
        return;
      }
      record.fields.push_back(std::move(field));
      if (AtLineEnd()) break;
      Take();  // The comma.
    }
    SkipLineBreak();
    file_.records.push_back(std::move(record));
  }

  // Leaves the reader at a comma or a line's end. What is wrong, or null.
  const char* ReadField(std::string& text) {
    if (AtLineEnd() || text_[position_] != '"') {
      while (!AtLineEnd() && text_[position_] != ',') {
        if (text_[position_] == '"') return "a quote within a field: put all of it between quotes";
        text += Take();
      }
      return nullptr;
    }
    Take();
    while (true) {
      if (AtEnd()) return "a quote that is never closed";
      const char c = Take();
      if (c != '"') {
        text += c;
      } else if (!AtEnd() && text_[position_] == '"') {
        text += Take();
      } else {
        break;
      }
    }
    if (!AtLineEnd() && text_[position_] != ',') return "text behind a closing quote";
    return nullptr;
  }

  const absl::string_view text_;
  size_t position_ = 0;
  size_t line_begin_ = 0;
  int line_ = 1;
  CsvFile file_;
};

}  // namespace

CsvFile ParseCsv(absl::string_view text) {
  return Reader(absl::StripPrefix(text, "\xef\xbb\xbf")).Read();
}

}  // namespace autopxe::ctl
