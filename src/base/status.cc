// SPDX-License-Identifier: Apache-2.0
#include "tidegate/status.h"

#include <fmt/format.h>

#include "base/check.h"

namespace tidegate {
namespace {

constexpr ErrorInfo kCatalogue[] = {
#define TIDEGATE_ERROR(name, number, kind, label, remedy) \
  {ErrorCode::name, ErrorKind::kind, label, remedy},
#include "tidegate/error_codes.inc"
#undef TIDEGATE_ERROR
};

}  // namespace

const ErrorInfo& error_info(ErrorCode code) {
  const ErrorInfo* internal = nullptr;
  for (const ErrorInfo& info : kCatalogue) {
    if (info.code == code) return info;
    if (info.code == ErrorCode::kInternal) internal = &info;
  }
  return *internal;
}

Status::Status(ErrorCode code, std::string message, std::string remedy)
    : error_(std::make_unique<Error>(Error{code, std::move(message), std::move(remedy)})) {}

Status::Status(const Status& other)
    : error_(other.error_ ? std::make_unique<Error>(*other.error_) : nullptr) {}

Status& Status::operator=(const Status& other) {
  if (this != &other) error_ = other.error_ ? std::make_unique<Error>(*other.error_) : nullptr;
  return *this;
}

ErrorCode Status::code() const {
  TG_CHECK(error_ != nullptr, "code() of an ok status");
  return error_->code;
}

ErrorKind Status::kind() const { return error_info(code()).kind; }

const std::string& Status::message() const {
  TG_CHECK(error_ != nullptr, "message() of an ok status");
  return error_->message;
}

std::string_view Status::remedy() const {
  TG_CHECK(error_ != nullptr, "remedy() of an ok status");
  return error_->remedy.empty() ? error_info(error_->code).remedy
                                : std::string_view(error_->remedy);
}

Status Status::with_context(std::string_view where) && {
  if (error_) error_->message = fmt::format("{}: {}", where, error_->message);
  return std::move(*this);
}

std::string Status::to_string() const {
  if (is_ok()) return "ok";
  const ErrorInfo& info = error_info(error_->code);
  return fmt::format("TG{} {}: {}\n  remedy: {}", static_cast<int>(info.code), info.label,
                     error_->message, remedy());
}

}  // namespace tidegate
