// SPDX-License-Identifier: Apache-2.0
//
// State of a key: the sessions that are open. State of a window of a key: what it holds, and its
// trigger with the timers that this has set. The contents of a session stay where they began when
// it grows; they move only when two that have begun meet.

#include "api/window_process.h"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "tidegate/process.h"
#include "windows/window_time.h"

namespace tidegate::untyped {
namespace {

/// An open window: its time, and whose state holds its contents.
struct LiveWindow {
  TimeSpan span;
  TimeSpan home;
};

/// A trigger in state: its bytes and the timers that it waits for.
struct TriggerRecord {
  std::string state;
  std::vector<std::pair<bool, std::int64_t>> timers;  // (of event time, time), rising
};

bool fires(TriggerResult result) {
  return result == TriggerResult::kFire || result == TriggerResult::kFireAndPurge;
}
bool purges(TriggerResult result) {
  return result == TriggerResult::kPurge || result == TriggerResult::kFireAndPurge;
}

class WindowProcess final : public NativeProcess, private WindowTimers {
 public:
  WindowProcess(WindowSpec spec, std::unique_ptr<NativeWindow> window)
      : spec_(std::move(spec)),
        trigger_(*spec_.trigger),
        window_(std::move(window)),
        is_session_(spec_.window.kind == Window::Kind::kSession) {}

  void open(ProcessServices& services) override {
    services_ = &services;
    contents_ = services.value_state("contents", Ttl());
    triggers_ = services.value_state("triggers", Ttl());
    if (is_session_) sessions_ = services.value_state("sessions", Ttl());
    initial_state_ = trigger_.initial_state();
    window_->open(services);
  }

  void process(int, const BatchView& batch, ProcessServices& services) override {
    if (batch.event_times == nullptr && !spec_.processing_time && !is_row_window(spec_.window) &&
        batch.num_rows > 0) {
      throw std::invalid_argument(
          "windows of event time need event_time() after the source, or by_processing_time()");
    }
    for (std::int64_t row = 0; row < batch.num_rows; ++row) {
      services.select(row);
      add_row(batch, row);
    }
  }

  void on_timer(EventTime time, ProcessServices& services) override {
    const WindowSpan timer_window = services.timer_window();
    TimeSpan span{timer_window.start.ms, timer_window.end.ms};
    const std::optional<LiveWindow> live = find(span);
    if (!live) return;
    begin_window(*live);
    const std::pair<bool, std::int64_t> timer{services.is_event_timer(), time};
    const auto found = std::find(record_.timers.begin(), record_.timers.end(), timer);
    if (found != record_.timers.end()) {
      record_.timers.erase(found);
      settle(trigger_.on_timer(record_.state, timer.first, time, span_, *this));
    }
    if (closes() && timer == std::pair{!spec_.processing_time, close_time()}) {
      close();
    } else {
      end_window();
    }
  }

 private:
  // WindowTimers, for the trigger.
  EventTime event_time() const override { return services_->event_time(); }
  EventTime watermark() const override { return services_->watermark(); }
  std::int64_t processing_time() const override { return services_->processing_time(); }
  void add_timer(bool event_time, std::int64_t time) override {
    const std::pair<bool, std::int64_t> timer{event_time, time};
    const auto place = std::lower_bound(record_.timers.begin(), record_.timers.end(), timer);
    if (place != record_.timers.end() && *place == timer) return;
    record_.timers.insert(place, timer);
    check_state(services_->add_timer(event_time, time));
  }
  void remove_timer(bool event_time, std::int64_t time) override {
    if (std::erase(record_.timers, std::pair{event_time, time}) > 0) drop_timer(event_time, time);
  }
  /// The timer that closes the window stays.
  void drop_timer(bool event_time, std::int64_t time) {
    const bool closing = closes() && event_time != spec_.processing_time && time == close_time();
    if (!closing) services_->remove_timer(event_time, time);
  }

  void add_row(const BatchView& batch, std::int64_t row) {
    const EventTime time =
        spec_.processing_time ? services_->processing_time() : services_->event_time();
    spans_.clear();
    if (is_row_window(spec_.window)) {
      spans_.push_back({kMinWatermark, kMaxWatermark});
    } else {
      check_state(assign_windows(spec_.window, time, spans_));
    }
    bool late = true;
    for (const TimeSpan span : spans_) {
      const std::optional<LiveWindow> live = is_session_ ? join_session(span) : open_window(span);
      if (!live) continue;
      late = false;
      begin_window(*live);
      add_to_contents(batch, row, time);
      services_->select_window(live_.span.start, live_.span.end);
      if (closes()) check_state(services_->add_timer(!spec_.processing_time, close_time()));
      settle(trigger_.on_row(record_.state, batch, row, span_, *this));
      end_window();
    }
    if (late) take_late(batch, row);
  }

  void take_late(const BatchView& batch, std::int64_t row) {
    services_->count_late_row();
    if (spec_.late_output.empty()) return;
    window_->write_row(batch, row, services_->side_output(spec_.late_output));
  }

  void add_to_contents(const BatchView& batch, std::int64_t row, EventTime time) {
    services_->select_window(live_.home.start, live_.home.end);
    bytes_.clear();
    if (window_->keeps_rows()) {
      window_->add(batch, row, time, bytes_);
      check_state(contents_->append(bytes_));
      return;
    }
    if (const auto before = contents_->get()) bytes_.assign(*before);
    window_->add(batch, row, time, bytes_);
    check_state(contents_->set(bytes_));
  }

  // The window that is worked on.
  void begin_window(const LiveWindow& live) {
    live_ = live;
    span_ = span_of(live.span);
    services_->select_window(live.span.start, live.span.end);
    record_ = read_record();
  }
  void end_window() {
    services_->select_window(live_.span.start, live_.span.end);
    write_record();
  }
  void settle(TriggerResult result) {
    if (fires(result)) fire();
    if (!purges(result)) return;
    services_->select_window(live_.home.start, live_.home.end);
    contents_->clear();
  }
  void fire() {
    services_->select_window(live_.home.start, live_.home.end);
    const std::optional<std::string_view> contents = contents_->get();
    if (!contents) return;
    std::string held(*contents);
    const EventTime now = services_->event_time();
    services_->select_key();
    if (!is_row_window(spec_.window)) services_->set_event_time(live_.span.end - 1);
    const bool changed = window_->fire(span_, held, *services_);
    services_->set_event_time(now);
    services_->select_window(live_.home.start, live_.home.end);
    if (!changed) return;
    if (held.empty()) {
      contents_->clear();
    } else {
      check_state(contents_->set(held));
    }
  }
  void close() {
    services_->select_window(live_.home.start, live_.home.end);
    contents_->clear();
    services_->select_window(live_.span.start, live_.span.end);
    forget_trigger();
    if (!is_session_) return;
    std::vector<LiveWindow> sessions = read_sessions();
    std::erase_if(sessions, [&](const LiveWindow& s) { return s.span == live_.span; });
    write_sessions(sessions);
  }

  // Time of windows.
  WindowSpan span_of(TimeSpan span) const {
    const bool ends_before = !is_row_window(spec_.window) && !is_session_ && !spec_.processing_time;
    return {Timestamp(span.start), Timestamp(span.end),
            Timestamp(ends_before ? span.end - 1 : span.end)};
  }
  bool closes() const { return !is_row_window(spec_.window); }
  std::int64_t close_time(EventTime last) const {
    const std::int64_t grace = spec_.processing_time ? 0 : spec_.grace.duration.count();
    return last > kMaxWatermark - grace ? kMaxWatermark : last + grace;
  }
  std::int64_t close_time() const { return close_time(span_.last.ms); }
  bool is_closed(TimeSpan span) const {
    if (!closes() || spec_.processing_time) return false;
    return close_time(span_of(span).last.ms) < services_->watermark();
  }

  /// The window of a row, unless the row is late for it.
  std::optional<LiveWindow> open_window(TimeSpan span) const {
    if (is_closed(span)) return std::nullopt;
    return LiveWindow{span, span};
  }
  /// The window of a timer, unless it is closed or has become part of another one.
  std::optional<LiveWindow> find(TimeSpan span) {
    if (!is_session_) return LiveWindow{span, span};
    for (const LiveWindow& session : read_sessions()) {
      if (session.span == span) return session;
    }
    return std::nullopt;
  }

  // Sessions, by start.
  std::vector<LiveWindow> read_sessions() {
    services_->select_key();
    std::vector<LiveWindow> sessions;
    const std::optional<std::string_view> bytes = sessions_->get();
    if (!bytes) return sessions;
    for (const auto& [start, end, home_start, home_end] : decode_state<StoredSessions>(*bytes)) {
      sessions.push_back({{start, end}, {home_start, home_end}});
    }
    return sessions;
  }
  void write_sessions(const std::vector<LiveWindow>& sessions) {
    services_->select_key();
    if (sessions.empty()) return sessions_->clear();
    StoredSessions stored;
    for (const LiveWindow& s : sessions) {
      stored.emplace_back(s.span.start, s.span.end, s.home.start, s.home.end);
    }
    check_state(sessions_->set(encode_state(stored)));
  }

  /// The session that a row of this time belongs to, made of all that it touches; none when the
  /// row is late.
  std::optional<LiveWindow> join_session(TimeSpan span) {
    std::vector<LiveWindow> sessions = read_sessions();
    const auto touches = [&](const LiveWindow& s) { return sessions_merge(s.span, span); };
    const auto begin = std::find_if(sessions.begin(), sessions.end(), touches);
    auto end = begin;
    TimeSpan whole = span;
    for (; end != sessions.end() && touches(*end); ++end) {
      whole.start = std::min(whole.start, end->span.start);
      whole.end = std::max(whole.end, end->span.end);
    }
    if (begin == end) {
      if (is_closed(span)) return std::nullopt;
      const auto place = std::find_if(sessions.begin(), sessions.end(), [&](const LiveWindow& s) {
        return s.span.start > span.start;
      });
      sessions.insert(place, {span, span});
      write_sessions(sessions);
      return LiveWindow{span, span};
    }
    LiveWindow joined{whole, begin->home};
    if (begin->span == whole) return joined;
    merge_contents(joined.home, std::vector<LiveWindow>(begin + 1, end));
    merge_triggers(joined, std::vector<LiveWindow>(begin, end));
    *begin = joined;
    sessions.erase(begin + 1, end);
    write_sessions(sessions);
    return joined;
  }
  void merge_contents(TimeSpan home, const std::vector<LiveWindow>& others) {
    for (const LiveWindow& other : others) {
      services_->select_window(other.home.start, other.home.end);
      const std::optional<std::string_view> bytes = contents_->get();
      if (!bytes) continue;  // purged
      const std::string from(*bytes);
      contents_->clear();
      services_->select_window(home.start, home.end);
      std::string into;
      if (const auto before = contents_->get()) {
        into.assign(*before);
        window_->merge(into, from);
      } else {
        into = from;
      }
      check_state(contents_->set(into));
    }
  }
  void merge_triggers(const LiveWindow& joined, const std::vector<LiveWindow>& parts) {
    std::string state;
    for (std::size_t i = 0; i < parts.size(); ++i) {
      begin_window(parts[i]);
      if (i == 0) {
        state = record_.state;
      } else {
        trigger_.merge(state, record_.state);
      }
      forget_trigger();
      services_->remove_timer(!spec_.processing_time, close_time());
    }
    begin_window(joined);
    record_.state = std::move(state);
    trigger_.on_merge(record_.state, span_, *this);
    end_window();
  }

  // Triggers; the window is selected. What is as at the beginning is not stored.
  TriggerRecord read_record() {
    TriggerRecord record{initial_state_, {}};
    if (const auto bytes = triggers_->get()) {
      std::tie(record.state, record.timers) = decode_state<StoredTrigger>(*bytes);
    }
    return record;
  }
  void write_record() {
    if (record_.timers.empty() && record_.state == initial_state_) return triggers_->clear();
    check_state(triggers_->set(encode_state(StoredTrigger{record_.state, record_.timers})));
  }
  void forget_trigger() {
    for (const auto& [event_time, time] : record_.timers) drop_timer(event_time, time);
    triggers_->clear();
  }

  using StoredSessions =
      std::vector<std::tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t>>;
  using StoredTrigger = std::tuple<std::string, std::vector<std::pair<bool, std::int64_t>>>;

  const WindowSpec spec_;
  const NativeTrigger& trigger_;
  const std::unique_ptr<NativeWindow> window_;
  const bool is_session_;
  ProcessServices* services_ = nullptr;
  std::shared_ptr<BytesValue> contents_;
  std::shared_ptr<BytesValue> triggers_;
  std::shared_ptr<BytesValue> sessions_;
  std::string initial_state_;

  // The window that is worked on.
  LiveWindow live_;
  WindowSpan span_;
  TriggerRecord record_;
  std::vector<TimeSpan> spans_;
  std::string bytes_;
};

}  // namespace

std::unique_ptr<NativeProcess> make_window_process(WindowSpec spec,
                                                   std::unique_ptr<NativeWindow> window) {
  return std::make_unique<WindowProcess>(std::move(spec), std::move(window));
}

}  // namespace tidegate::untyped
