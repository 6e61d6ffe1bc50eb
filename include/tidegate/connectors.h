// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tidegate::untyped {
struct NativeFormat;  // untyped.h
}

namespace tidegate {

/// A format by name with its options, e.g. json().option("ignore-parse-errors", "true").
class FormatSpec {
 public:
  explicit FormatSpec(std::string name,
                      std::shared_ptr<const untyped::NativeFormat> native = nullptr)
      : name_(std::move(name)), native_(std::move(native)) {}
  /// `name` without the format's prefix.
  FormatSpec option(std::string_view name, std::string value) && {
    options_[name_ + "." + std::string(name)] = std::move(value);
    return std::move(*this);
  }
  const std::string& name() const { return name_; }
  const std::map<std::string, std::string>& options() const { return options_; }
  /// A format of the program's own; else null.
  const std::shared_ptr<const untyped::NativeFormat>& native() const { return native_; }

 private:
  std::string name_;
  std::map<std::string, std::string> options_;
  std::shared_ptr<const untyped::NativeFormat> native_;
};

inline FormatSpec json() { return FormatSpec("json"); }
inline FormatSpec csv() { return FormatSpec("csv"); }
inline FormatSpec parquet() { return FormatSpec("parquet"); }

/// A connector by name with its options: the same names as in SQL's WITH list. What it means is
/// checked when the job is built.
class ConnectorSpec {
 public:
  explicit ConnectorSpec(std::string connector) : connector_(std::move(connector)) {}
  ConnectorSpec option(std::string name, std::string value) && {
    options_[std::move(name)] = std::move(value);
    return std::move(*this);
  }
  ConnectorSpec format(const FormatSpec& format) && {
    options_["format"] = format.name();
    for (const auto& [name, value] : format.options()) options_[name] = value;
    native_format_ = format.native();
    return std::move(*this);
  }
  /// The column is filled, or written, by what a message carries beside its key and value: of Kafka
  /// "headers" (a member of type Headers), "timestamp", "partition", and to read "offset", "topic",
  /// "timestamp-type". A partition that is written is the one the row goes to; -1: as without.
  ConnectorSpec metadata(std::string column, std::string key) && {
    metadata_.emplace_back(std::move(column), std::move(key));
    return std::move(*this);
  }
  ConnectorSpec metadata(const std::string& column) && {
    return std::move(*this).metadata(column, column);
  }
  /// For people, in metrics and messages; also the input's or output's name in the test driver.
  ConnectorSpec named(std::string name) && {
    name_ = std::move(name);
    return std::move(*this);
  }
  const std::string& connector() const { return connector_; }
  const std::string& name() const { return name_.empty() ? connector_ : name_; }
  const std::map<std::string, std::string>& options() const { return options_; }
  /// Columns and what they are of.
  const std::vector<std::pair<std::string, std::string>>& metadata() const { return metadata_; }
  const std::shared_ptr<const untyped::NativeFormat>& native_format() const {
    return native_format_;
  }

 private:
  std::string connector_;
  std::string name_;
  std::map<std::string, std::string> options_;
  std::vector<std::pair<std::string, std::string>> metadata_;
  std::shared_ptr<const untyped::NativeFormat> native_format_;
};

/// Any connector: connector("datagen").option("number-of-rows", "100").
inline ConnectorSpec connector(std::string name) { return ConnectorSpec(std::move(name)); }
/// A Kafka topic. The brokers come from `.option("properties.bootstrap.servers", "HOST:PORT")` or
/// from the command line: --set kafka.properties.bootstrap.servers=HOST:PORT (any setting
/// CONNECTOR.OPTION is the default of that option).
inline ConnectorSpec kafka(std::string topic) {
  return ConnectorSpec("kafka").named(topic).option("topic", topic);
}
/// A file, a folder or a glob.
inline ConnectorSpec files(std::string path) {
  return ConnectorSpec("filesystem").named(path).option("path", path);
}
/// One line per row on stdout, as Flink's print connector: +I[a, 1].
inline ConnectorSpec print() { return ConnectorSpec("print"); }
/// Takes rows and forgets them.
inline ConnectorSpec blackhole() { return ConnectorSpec("blackhole"); }

}  // namespace tidegate
