// SPDX-License-Identifier: Apache-2.0
#include "epoch/record_codec.h"

#include <vector>

#include "base/check.h"
#include "epoch/frame.h"
#include "state/binary_codec.h"

namespace tidegate {
namespace {

constexpr FrameKind kFrame{"TGER", 3, "epoch record"};

/// Writes and reads the same fields by one description each, so that they cannot drift apart.
class Writer {
 public:
  void value(const std::string& text) { write_bytes(out_, text); }
  void value(bool flag) { out_.push_back(flag ? 1 : 0); }
  void value(int number) { write_fixed(out_, static_cast<std::int32_t>(number)); }
  void value(std::int64_t number) { write_fixed(out_, number); }
  void value(std::uint64_t number) { write_fixed(out_, number); }
  template <typename T>
  void value(const std::optional<T>& optional) {
    value(optional.has_value());
    if (optional) value(*optional);
  }
  template <typename T>
  void value(const std::vector<T>& list);
  std::string take() { return std::move(out_); }

 private:
  std::string out_;
};

class Reader {
 public:
  explicit Reader(std::string_view in) : in_(in) {}
  void value(std::string& text) {
    std::string_view bytes;
    ok_ = ok_ && read_bytes(in_, bytes);
    if (ok_) text = bytes;
  }
  void value(bool& flag) {
    std::uint8_t byte = 0;
    ok_ = ok_ && read_fixed(in_, byte) && byte <= 1;
    flag = byte == 1;
  }
  void value(int& number) {
    std::int32_t fixed = 0;
    ok_ = ok_ && read_fixed(in_, fixed);
    number = fixed;
  }
  void value(std::int64_t& number) { ok_ = ok_ && read_fixed(in_, number); }
  void value(std::uint64_t& number) { ok_ = ok_ && read_fixed(in_, number); }
  template <typename T>
  void value(std::optional<T>& optional) {
    bool has = false;
    value(has);
    if (!ok_ || !has) return;
    optional.emplace();
    value(*optional);
  }
  template <typename T>
  void value(std::vector<T>& list);
  bool at_end() const { return ok_ && in_.empty(); }

 private:
  std::string_view in_;
  bool ok_ = true;
};

template <typename Codec, typename T>
void fields(Codec& codec, T& state);

template <typename Codec>
void fields_of(Codec& codec, auto& s, const Split*) {
  codec.value(s.id);
  codec.value(s.payload);
}
template <typename Codec>
void fields_of(Codec& codec, auto& s, const SplitState*) {
  fields(codec, s.split);
  codec.value(s.order);
  codec.value(s.subtask);
  codec.value(s.position);
  codec.value(s.watermark);
  codec.value(s.max_time);
  codec.value(s.idle);
  codec.value(s.rows);
}
template <typename Codec>
void fields_of(Codec& codec, auto& s, const SourceState*) {
  codec.value(s.uid);
  codec.value(s.parallelism);
  codec.value(s.open);
  codec.value(s.unassigned);
  codec.value(s.known);
  codec.value(s.complete);
}
template <typename Codec>
void fields_of(Codec& codec, auto& s, const OperatorState::Subtask*) {
  codec.value(s.watermark);
  codec.value(s.finished);
}
template <typename Codec>
void fields_of(Codec& codec, auto& s, const StateDelta*) {
  codec.value(s.epoch);
  codec.value(s.table);
  codec.value(s.bytes);
}
template <typename Codec>
void fields_of(Codec& codec, auto& s, const OperatorState*) {
  codec.value(s.uid);
  codec.value(s.subtasks);
  codec.value(s.deltas);
}
template <typename Codec>
void fields_of(Codec& codec, auto& s, const Committable*) {
  codec.value(s.uid);
  codec.value(s.subtask);
  codec.value(s.bytes);
}
template <typename Codec>
void fields_of(Codec& codec, auto& s, const EpochRecord*) {
  codec.value(s.epoch);
  codec.value(s.finished);
  codec.value(s.key_groups);
  codec.value(s.clock_ms);
  codec.value(s.sources);
  codec.value(s.operators);
  codec.value(s.committables);
  codec.value(s.mode_state);
}

template <typename Codec, typename T>
void fields(Codec& codec, T& state) {
  fields_of(codec, state, static_cast<const std::remove_const_t<T>*>(nullptr));
}

template <typename T>
void Writer::value(const std::vector<T>& list) {
  write_varint(out_, list.size());
  for (const T& each : list) {
    if constexpr (std::is_same_v<T, std::string>) {
      value(each);
    } else {
      fields(*this, each);
    }
  }
}

template <typename T>
void Reader::value(std::vector<T>& list) {
  std::uint64_t size = 0;
  // Every entry takes a byte at least, which bounds what a broken length can ask for.
  ok_ = ok_ && read_varint(in_, size) && size <= in_.size();
  for (std::uint64_t i = 0; ok_ && i < size; ++i) {
    T& each = list.emplace_back();
    if constexpr (std::is_same_v<T, std::string>) {
      value(each);
    } else {
      fields(*this, each);
    }
  }
}

}  // namespace

std::string encode_record(const EpochRecord& record) {
  Writer writer;
  fields(writer, record);
  return frame(kFrame, writer.take());
}

Result<EpochRecord> decode_record(std::string_view bytes) {
  TG_ASSIGN_OR_RETURN(const std::string_view payload, unframe(kFrame, bytes));
  Reader reader(payload);
  EpochRecord record;
  fields(reader, record);
  if (!reader.at_end()) return does_not_fit(kFrame);
  return record;
}

}  // namespace tidegate
