// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <string>
#include <utility>

namespace tidegate {

/// A model in a file, for Stream::predict. The options are those of CREATE MODEL in SQL.
class ModelSpec {
 public:
  ModelSpec(std::string provider, std::string path) {
    options_["provider"] = std::move(provider);
    options_["model-path"] = std::move(path);
  }
  /// The model's input that a member goes to, where there are several: its own name by default.
  ModelSpec input(const std::string& member, std::string name) && {
    options_["input." + member] = std::move(name);
    return std::move(*this);
  }
  /// The model's output that a member is: that of its own name, or the only one, by default.
  ModelSpec output(const std::string& member, std::string name) && {
    options_["output." + member] = std::move(name);
    return std::move(*this);
  }
  /// Nulls become NaN for the model. By default a row with a null is not scored.
  ModelSpec nulls_as_nan() && { return std::move(*this).option("nulls", "nan"); }
  /// A std::string member that gets the version of the model that scored the row.
  ModelSpec version(std::string member) && {
    version_ = std::move(member);
    return std::move(*this);
  }
  ModelSpec option(std::string name, std::string value) && {
    options_[std::move(name)] = std::move(value);
    return std::move(*this);
  }
  /// For people.
  ModelSpec named(std::string name) && {
    name_ = std::move(name);
    return std::move(*this);
  }

  const std::string& name() const { return name_.empty() ? options_.at("model-path") : name_; }
  const std::map<std::string, std::string>& options() const { return options_; }
  const std::string& version_member() const { return version_; }

 private:
  std::map<std::string, std::string> options_;
  std::string version_;
  std::string name_;
};

/// A model in the ONNX format, scored by ONNX Runtime in this process. The file may change while a
/// job runs: each epoch is scored by one version of it.
inline ModelSpec onnx(std::string path) { return ModelSpec("onnx", std::move(path)); }

}  // namespace tidegate
