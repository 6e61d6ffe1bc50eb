// SPDX-License-Identifier: Apache-2.0
#include "tidegate/status.h"

#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/check.h"

namespace tidegate {
namespace {

TEST(StatusTest, OkHasNoError) {
  const Status status = Status::ok();
  EXPECT_TRUE(status.is_ok());
  EXPECT_EQ(status.to_string(), "ok");
  EXPECT_EQ(sizeof(Status), sizeof(void*));
}

TEST(StatusTest, ErrorSaysWhatAndRemedy) {
  const Status status = error(ErrorCode::kFileNotFound, "cannot open '{}'", "a.json");
  EXPECT_FALSE(status.is_ok());
  EXPECT_EQ(status.code(), ErrorCode::kFileNotFound);
  EXPECT_EQ(status.kind(), ErrorKind::kInvalidInput);
  EXPECT_EQ(status.to_string(),
            "TG2000 file-not-found: cannot open 'a.json'\n"
            "  remedy: Check the path; paths are relative to the working directory.");
}

TEST(StatusTest, OwnRemedyReplacesTheGeneralOne) {
  const Status status(ErrorCode::kDiskFull, "full", "Empty the bin.");
  EXPECT_EQ(status.remedy(), "Empty the bin.");
}

TEST(StatusTest, CopyIsIndependentAndMoveLeavesOk) {
  Status original = error(ErrorCode::kFileIo, "broken");
  Status copy = original;
  copy = std::move(copy).with_context("disk 1");
  EXPECT_EQ(original.message(), "broken");
  EXPECT_EQ(copy.message(), "disk 1: broken");
  EXPECT_EQ(copy.code(), ErrorCode::kFileIo);

  const Status moved = std::move(original);
  EXPECT_TRUE(original.is_ok());  // NOLINT: that is what is tested
  EXPECT_EQ(moved.message(), "broken");

  copy = Status();
  EXPECT_TRUE(copy.is_ok());
}

TEST(StatusTest, ContextLeavesOkAlone) {
  EXPECT_TRUE(Status().with_context("operator 'count'").is_ok());
}

TEST(StatusDeathTest, OkHasNoCode) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(static_cast<void>(Status().code()), "check failed.*code\\(\\) of an ok status");
}

TEST(ResultTest, HoldsValueOrError) {
  Result<std::string> value("yes");
  ASSERT_TRUE(value.is_ok());
  EXPECT_EQ(*value, "yes");
  EXPECT_EQ(value->size(), 3);
  EXPECT_TRUE(value.status().is_ok());

  const Result<std::string> failed = error(ErrorCode::kCastFailed, "no");
  EXPECT_FALSE(failed.is_ok());
  EXPECT_EQ(failed.status().message(), "no");
}

struct Shape {
  virtual ~Shape() = default;
};
struct Circle final : Shape {};

TEST(ResultTest, ConvertsFromWhatConvertsToTheValue) {
  const Result<std::unique_ptr<Shape>> derived = std::make_unique<Circle>();
  EXPECT_NE(*derived, nullptr);
  const Result<std::int64_t> widened = 7;
  EXPECT_EQ(*widened, 7);
}

TEST(ResultTest, CarriesMoveOnlyValues) {
  const auto make = []() -> Result<std::unique_ptr<int>> { return std::make_unique<int>(3); };
  const auto use = [&]() -> Result<int> {
    TG_ASSIGN_OR_RETURN(const std::unique_ptr<int> number, make());
    TG_ASSIGN_OR_RETURN(const std::unique_ptr<int> again, make());
    return *number + *again;
  };
  EXPECT_EQ(*use(), 6);
}

TEST(CheckTest, MacrosPassErrorsOn) {
  const auto fail = []() -> Result<int> { return error(ErrorCode::kInternal, "inner"); };
  const auto assign = [&]() -> Status {
    TG_ASSIGN_OR_RETURN(const int number, fail());
    return error(ErrorCode::kInternal, "reached with {}", number);
  };
  EXPECT_EQ(assign().message(), "inner");
  const auto check = [&]() -> Status {
    TG_RETURN_IF_ERROR(fail().status());
    return error(ErrorCode::kInternal, "reached");
  };
  EXPECT_EQ(check().message(), "inner");
}

TEST(CheckDeathTest, PrintsPlaceConditionAndValues) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const int a = 1;
  const int b = 2;
  TG_CHECK(a + 1 == b, "never seen");
  EXPECT_DEATH(TG_CHECK(a == b, "a={} b={}", a, b),
               "status_test.cc:[0-9]+: check failed: a == b: a=1 b=2");
}

std::vector<ErrorInfo> catalogue() {
  return {
#define TIDEGATE_ERROR(name, number, kind, label, remedy) \
  {ErrorCode::name, ErrorKind::kind, label, remedy},
#include "tidegate/error_codes.inc"
#undef TIDEGATE_ERROR
  };
}

TEST(ErrorCatalogueTest, NumbersAndLabelsAreUnique) {
  std::set<ErrorCode> codes;
  std::set<std::string_view> labels;
  for (const ErrorInfo& info : catalogue()) {
    EXPECT_TRUE(codes.insert(info.code).second) << info.label;
    EXPECT_TRUE(labels.insert(info.label).second) << info.label;
  }
  EXPECT_GT(codes.size(), 30);
}

TEST(ErrorCatalogueTest, LabelsAreKebabCaseAndRemediesAreSentences) {
  for (const ErrorInfo& info : catalogue()) {
    EXPECT_EQ(info.label.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"),
              std::string_view::npos)
        << info.label;
    EXPECT_TRUE(info.remedy.ends_with('.')) << info.label;
    EXPECT_GE(static_cast<int>(info.code), 1000) << info.label;
    EXPECT_LT(static_cast<int>(info.code), 10000) << info.label;
  }
}

TEST(ErrorCatalogueTest, LooksUpByCode) {
  EXPECT_EQ(error_info(ErrorCode::kDiskFull).label, "disk-full");
  EXPECT_EQ(error_info(static_cast<ErrorCode>(1)).code, ErrorCode::kInternal);
}

}  // namespace
}  // namespace tidegate
