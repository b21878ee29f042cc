#pragma once

#include <ostream>
#include <string>
#include <type_traits>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"

// gMock matchers for absl::Status and absl::StatusOr<T>.
namespace autopxe {
namespace status_matchers {

inline const absl::Status& StatusOf(const absl::Status& status) { return status; }
template <typename T>
const absl::Status& StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

class IsOkMatcher {
 public:
  using is_gtest_matcher = void;

  template <typename StatusOrStatusOr>
  bool MatchAndExplain(const StatusOrStatusOr& actual, std::ostream* os) const {
    const absl::Status& status = StatusOf(actual);
    if (!status.ok() && os != nullptr) *os << "which is " << status;
    return status.ok();
  }
  void DescribeTo(std::ostream* os) const { *os << "is OK"; }
  void DescribeNegationTo(std::ostream* os) const { *os << "is not OK"; }
};

class StatusIsMatcher {
 public:
  using is_gtest_matcher = void;

  StatusIsMatcher(absl::StatusCode code, testing::Matcher<const std::string&> message)
      : code_(code), message_(std::move(message)) {}

  template <typename StatusOrStatusOr>
  bool MatchAndExplain(const StatusOrStatusOr& actual, std::ostream* os) const {
    const absl::Status& status = StatusOf(actual);
    if (os != nullptr) *os << "which is " << status;
    return status.code() == code_ && message_.Matches(std::string(status.message()));
  }
  void DescribeTo(std::ostream* os) const {
    *os << "is " << absl::StatusCodeToString(code_) << " with a message that ";
    message_.DescribeTo(os);
  }
  void DescribeNegationTo(std::ostream* os) const {
    *os << "is not (";
    DescribeTo(os);
    *os << ")";
  }

 private:
  absl::StatusCode code_;
  testing::Matcher<const std::string&> message_;
};

template <typename StatusOrType>
class IsOkAndHoldsMatcherFor : public testing::MatcherInterface<const StatusOrType&> {
 public:
  using Value = typename StatusOrType::value_type;

  template <typename Inner>
  explicit IsOkAndHoldsMatcherFor(const Inner& inner)
      : inner_(testing::SafeMatcherCast<const Value&>(inner)) {}

  bool MatchAndExplain(const StatusOrType& actual,
                       testing::MatchResultListener* listener) const override {
    if (!actual.ok()) {
      *listener << "which is " << actual.status();
      return false;
    }
    return testing::ExplainMatchResult(inner_, *actual, listener);
  }
  void DescribeTo(std::ostream* os) const override {
    *os << "is OK and holds a value that ";
    inner_.DescribeTo(os);
  }
  void DescribeNegationTo(std::ostream* os) const override {
    *os << "is not OK, or holds a value that ";
    inner_.DescribeNegationTo(os);
  }

 private:
  testing::Matcher<const Value&> inner_;
};

template <typename Inner>
class IsOkAndHoldsMatcher {
 public:
  explicit IsOkAndHoldsMatcher(Inner inner) : inner_(std::move(inner)) {}

  template <typename StatusOrType>
  operator testing::Matcher<StatusOrType>() const {  // NOLINT: implicit by gMock's protocol.
    return testing::Matcher<StatusOrType>(
        new IsOkAndHoldsMatcherFor<std::decay_t<StatusOrType>>(inner_));
  }

 private:
  Inner inner_;
};

}  // namespace status_matchers

// Matches an OK status, or a StatusOr with a value.
inline status_matchers::IsOkMatcher IsOk() { return {}; }

// Matches a StatusOr whose value matches `inner` (a matcher or a value).
template <typename Inner>
status_matchers::IsOkAndHoldsMatcher<std::decay_t<Inner>> IsOkAndHolds(Inner&& inner) {
  return status_matchers::IsOkAndHoldsMatcher<std::decay_t<Inner>>(std::forward<Inner>(inner));
}

// Matches a Status, or a StatusOr, by its code and message (a matcher or a text).
template <typename Message>
status_matchers::StatusIsMatcher StatusIs(absl::StatusCode code, Message&& message) {
  return {code, testing::MatcherCast<const std::string&>(std::forward<Message>(message))};
}

inline status_matchers::StatusIsMatcher StatusIs(absl::StatusCode code) {
  return {code, testing::_};
}

}  // namespace autopxe
