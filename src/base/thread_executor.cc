// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/executor.h"

namespace tidegate {
namespace {

using Work = std::function<void()>;

// How long a worker without work looks for some before it sleeps. Waking a sleeping thread costs
// some 5 to 50 us; longer spinning would cost more CPU than that is worth.
constexpr std::int64_t kSpinNs = 20'000;

void cpu_relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Starts a thread with a name that shows in debuggers and top; not joinable when the system has no
// more threads.
template <typename Body>
std::thread start_thread(const std::string& name, Body body) {
  constexpr std::size_t kMaxNameLength = 15;
  try {
    std::thread thread(std::move(body));
    ::pthread_setname_np(thread.native_handle(), name.substr(0, kMaxNameLength).c_str());
    return thread;
  } catch (const std::system_error&) {
    return {};
  }
}

// Threads for work that blocks, started one by one while all that are there are busy.
class BlockingPool {
 public:
  explicit BlockingPool(int max_threads) : max_threads_(max_threads) {}

  // False when stopped: the work is dropped, by the caller and without a lock.
  bool submit(Work& work) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    queue_.push_back(std::move(work));
    if (queue_.size() > static_cast<std::size_t>(idle_) &&
        threads_.size() < static_cast<std::size_t>(max_threads_)) {
      start_one();
    } else {
      ready_.notify_one();
    }
    return true;
  }

  // Lets running work finish. What is queued stays until clear().
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    ready_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  std::deque<Work> take_queue() {
    const std::lock_guard lock(mutex_);
    return std::exchange(queue_, {});
  }

 private:
  void start_one() {
    std::thread thread =
        start_thread(fmt::format("tg-blocking-{}", threads_.size()), [this] { run(); });
    if (thread.joinable()) threads_.push_back(std::move(thread));
    // With one thread at least the work only waits longer.
    TG_CHECK(!threads_.empty(), "the system starts no more threads");
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      --idle_;
      if (stopping_) return;
      Work work = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      work();
      work = nullptr;  // destroyed without the lock: it may submit
      lock.lock();
    }
  }

  const int max_threads_;
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Work> queue_;
  std::vector<std::thread> threads_;
  int idle_ = 0;
  bool stopping_ = false;
};

// One thread that hands work over when its time has come; started when first needed.
class Timer {
 public:
  explicit Timer(std::function<void(Work)> hand_over) : hand_over_(std::move(hand_over)) {}

  bool submit(std::int64_t deadline_ns, Work& work) {
    const std::lock_guard lock(mutex_);
    if (stopping_) return false;
    const auto place = queue_.emplace(deadline_ns, std::move(work));
    if (!thread_.joinable()) {
      thread_ = start_thread("tg-timer", [this] { run(); });
      TG_CHECK(thread_.joinable(), "the system starts no more threads");
    } else if (place == queue_.begin()) {
      changed_.notify_one();
    }
    return true;
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
  }

  std::multimap<std::int64_t, Work> take_queue() {
    const std::lock_guard lock(mutex_);
    return std::exchange(queue_, {});
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (queue_.empty()) {
        changed_.wait(lock);
        continue;
      }
      const std::int64_t deadline_ns = queue_.begin()->first;
      if (deadline_ns > system_clock().monotonic_ns()) {
        const std::chrono::nanoseconds since_start(deadline_ns);
        changed_.wait_until(lock, std::chrono::steady_clock::time_point(since_start));
        continue;
      }
      Work work = std::move(queue_.extract(queue_.begin()).mapped());
      lock.unlock();
      hand_over_(std::move(work));
      lock.lock();
    }
  }

  const std::function<void(Work)> hand_over_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<std::int64_t, Work> queue_;  // by deadline, then by order of arrival
  std::thread thread_;
  bool stopping_ = false;
};

// Every worker has a queue of its own: work that a worker submits stays with it (its data is in
// that core's cache) unless another one is idle and takes it.
//
// Who wakes whom: at most one worker at a time is `searching_`: it spins over the queues, or has
// just been woken to do so. submit() wakes a sleeper only when nobody searches; a searcher that
// finds something wakes the next one if there is more. No wake-up is lost because both sides write
// before they read, in one total order: submit() raises `pending_` and then reads `searching_` and
// `parked_count_`; a worker raises `parked_count_`, stops searching and then reads `pending_`.
class ThreadExecutor final : public Executor {
 public:
  ThreadExecutor(int workers, int blocking_threads)
      : spins_(std::thread::hardware_concurrency() > 1),
        blocking_(blocking_threads),
        timer_([this](Work work) { submit(std::move(work)); }) {
    for (int i = 0; i < workers; ++i) workers_.push_back(std::make_unique<Worker>());
    for (int i = 0; i < workers; ++i) {
      workers_[i]->thread = start_thread(fmt::format("tg-worker-{}", i), [this, i] { run(i); });
      TG_CHECK(workers_[i]->thread.joinable(), "the system starts no more than {} workers", i);
    }
  }

  ~ThreadExecutor() override {
    stopping_.store(true);
    timer_.stop();
    blocking_.stop();
    {
      const std::lock_guard lock(park_mutex_);
      for (const std::unique_ptr<Worker>& worker : workers_) worker->wake.notify_one();
    }
    for (const std::unique_ptr<Worker>& worker : workers_) worker->thread.join();
    // Dropping work runs destructors, which may submit again; submit() refuses by now.
    timer_.take_queue();
    blocking_.take_queue();
    for (const std::unique_ptr<Worker>& worker : workers_) {
      std::deque<Work> dropped;
      const std::lock_guard lock(worker->mutex);
      dropped.swap(worker->queue);
    }
  }

  int parallelism() const override { return static_cast<int>(workers_.size()); }

  void submit(Work work) override {
    if (stopping_.load(std::memory_order_relaxed)) return;
    pending_.fetch_add(1);
    Worker& target = *workers_[home()];
    {
      const std::lock_guard lock(target.mutex);
      target.queue.push_back(std::move(work));
    }
    wake_one();
  }

  void submit_blocking(Work work) override { blocking_.submit(work); }

  void submit_at(std::int64_t deadline_ns, Work work) override { timer_.submit(deadline_ns, work); }

 private:
  struct alignas(64) Worker {
    std::mutex mutex;
    std::deque<Work> queue;
    std::condition_variable wake;  // with park_mutex_
    bool parked = false;           // under park_mutex_
    std::thread thread;
  };

  // Where work of the calling thread goes: a worker's to itself, others' in turn.
  std::size_t home() {
    if (current_.executor == this) return current_.index;
    return next_home_.fetch_add(1, std::memory_order_relaxed) % workers_.size();
  }

  void run(int index) {
    current_ = {this, static_cast<std::size_t>(index)};
    bool searching = false;
    while (!stopping_.load()) {
      Work work = take(index);
      if (!work && !searching && spins_ && try_start_searching()) searching = true;
      if (!work && searching) work = spin(index);
      if (work) {
        if (std::exchange(searching, false)) {
          searching_.store(false);
          wake_one();
        }
        work();
      } else {
        searching = park(*workers_[index], searching);
      }
    }
  }

  // From the own queue first, then from the others.
  Work take(int index) {
    if (pending_.load(std::memory_order_relaxed) == 0) return nullptr;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
      Worker& worker = *workers_[(index + i) % workers_.size()];
      const std::lock_guard lock(worker.mutex);
      if (worker.queue.empty()) continue;
      Work work = std::move(worker.queue.front());
      worker.queue.pop_front();
      pending_.fetch_sub(1);
      return work;
    }
    return nullptr;
  }

  Work spin(int index) {
    const std::int64_t until_ns = system_clock().monotonic_ns() + kSpinNs;
    while (!stopping_.load(std::memory_order_relaxed)) {
      if (Work work = take(index)) return work;
      for (int i = 0; i < 16; ++i) cpu_relax();
      if (system_clock().monotonic_ns() >= until_ns) break;
    }
    return nullptr;
  }

  bool try_start_searching() {
    bool expected = false;
    return searching_.compare_exchange_strong(expected, true);
  }

  // Wakes a sleeping worker if there is work that nobody looks for.
  void wake_one() {
    while (pending_.load() > 0 && parked_count_.load() > 0 && try_start_searching()) {
      const std::lock_guard lock(park_mutex_);
      for (const std::unique_ptr<Worker>& worker : workers_) {
        if (!worker->parked) continue;
        worker->parked = false;  // from here on it is the one that searches
        parked_count_.fetch_sub(1);
        worker->wake.notify_one();
        return;
      }
      // Nobody slept after all. Others that saw us searching left waking to us: look again.
      searching_.store(false);
    }
  }

  // Sleeps until woken; true when woken as the one that searches.
  bool park(Worker& self, bool searching) {
    std::unique_lock lock(park_mutex_);
    self.parked = true;
    parked_count_.fetch_add(1);
    if (searching) searching_.store(false);
    if (pending_.load() > 0 && !stopping_.load()) {
      self.parked = false;
      parked_count_.fetch_sub(1);
      return false;
    }
    self.wake.wait(lock, [&] { return !self.parked || stopping_.load(); });
    return !self.parked;
  }

  struct Current {
    const ThreadExecutor* executor = nullptr;
    std::size_t index = 0;
  };
  static thread_local constinit Current current_;

  const bool spins_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::atomic<bool> stopping_{false};
  std::atomic<std::size_t> next_home_{0};
  alignas(64) std::atomic<std::int64_t> pending_{0};  // queued pieces
  alignas(64) std::atomic<bool> searching_{false};
  std::atomic<int> parked_count_{0};
  std::mutex park_mutex_;
  BlockingPool blocking_;
  Timer timer_;
};

thread_local constinit ThreadExecutor::Current ThreadExecutor::current_;

}  // namespace

std::unique_ptr<Executor> make_thread_executor(int workers, int blocking_threads) {
  TG_CHECK(workers > 0, "workers={}", workers);
  TG_CHECK(blocking_threads > 0, "blocking_threads={}", blocking_threads);
  return std::make_unique<ThreadExecutor>(workers, blocking_threads);
}

int machine_cores() { return std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

}  // namespace tidegate
