// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>

#include "dataflow/sink.h"
#include "dataflow/source.h"
#include "formats/format.h"
#include "tidegate/untyped.h"

namespace tidegate {

/// Sources, sinks and formats of the program's own as the engine's.
std::shared_ptr<Source> make_native_source(SchemaPtr schema,
                                           std::shared_ptr<untyped::NativeSource> source);
std::shared_ptr<Sink> make_native_sink(std::shared_ptr<untyped::NativeSink> sink);
/// A sink that calls a function with every batch.
std::shared_ptr<Sink> make_function_sink(std::function<void(const BatchView& rows)> take);
/// A sink that calls a function with all rows of an epoch once it has committed.
std::shared_ptr<Sink> make_epoch_sink(untyped::EpochFunction take);
Format make_native_format(std::string name, std::shared_ptr<const untyped::NativeFormat> format);

}  // namespace tidegate
