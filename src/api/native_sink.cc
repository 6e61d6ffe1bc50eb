// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include "api/columns.h"
#include "api/guard_rows.h"
#include "api/native_connectors.h"
#include "base/check.h"
#include "operators/user_function.h"

namespace tidegate {
namespace {

class NativeSinkWriter final : public SinkWriter {
 public:
  explicit NativeSinkWriter(std::unique_ptr<untyped::NativeWriter> writer)
      : writer_(std::move(writer)) {}

  Result<Progress> write(Batch batch) override {
    TG_RETURN_IF_ERROR(
        call_user_function("write()", [&] { return writer_->write(view_of(batch)); }));
    return Progress::kDone;
  }
  Result<std::string> prepare(EpochId epoch) override {
    std::string committable;
    TG_RETURN_IF_ERROR(call_user_function("prepare()", [&]() -> Status {
      TG_ASSIGN_OR_RETURN(committable, writer_->prepare(epoch));
      return Status::ok();
    }));
    return committable;
  }

 private:
  std::unique_ptr<untyped::NativeWriter> writer_;
};

class NativeSink final : public Sink {
 public:
  explicit NativeSink(std::shared_ptr<untyped::NativeSink> sink) : sink_(std::move(sink)) {}

  SinkGuarantee guarantee() const override {
    return sink_->is_transactional() ? SinkGuarantee::kTransactional : SinkGuarantee::kAtLeastOnce;
  }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext& context) override {
    std::unique_ptr<untyped::NativeWriter> writer;
    TG_RETURN_IF_ERROR(call_user_function("open_writer()", [&]() -> Status {
      TG_ASSIGN_OR_RETURN(writer, sink_->open_writer(context.subtask()));
      return Status::ok();
    }));
    return std::unique_ptr<SinkWriter>(std::make_unique<NativeSinkWriter>(std::move(writer)));
  }
  Status commit(EpochId epoch, const std::string& committable) override {
    return call_user_function("commit()", [&] { return sink_->commit(epoch, committable); });
  }
  Status abort(EpochId epoch, const std::string& committable) override {
    return call_user_function("abort()", [&] { return sink_->abort(epoch, committable); });
  }

 private:
  std::shared_ptr<untyped::NativeSink> sink_;
};

class FunctionSink final : public Sink {
 public:
  explicit FunctionSink(std::function<void(const BatchView&)> take) : take_(std::move(take)) {}
  SinkGuarantee guarantee() const override { return SinkGuarantee::kAtLeastOnce; }
  int parallelism() const override { return 1; }
  Result<std::unique_ptr<SinkWriter>> open_writer(OperatorContext&) override {
    return std::unique_ptr<SinkWriter>(std::make_unique<Writer>(take_));
  }

 private:
  class Writer final : public SinkWriter {
   public:
    explicit Writer(std::function<void(const BatchView&)>& take) : take_(take) {}
    Result<Progress> write(Batch batch) override {
      TG_RETURN_IF_ERROR(guard_rows(batch, [&] { take_(view_of(batch)); }));
      return Progress::kDone;
    }
    Result<std::string> prepare(EpochId) override { return std::string(); }

   private:
    std::function<void(const BatchView&)>& take_;
  };

  std::function<void(const BatchView&)> take_;
};

}  // namespace

std::shared_ptr<Sink> make_native_sink(std::shared_ptr<untyped::NativeSink> sink) {
  return std::make_shared<NativeSink>(std::move(sink));
}

std::shared_ptr<Sink> make_function_sink(std::function<void(const BatchView& rows)> take) {
  return std::make_shared<FunctionSink>(std::move(take));
}

}  // namespace tidegate
