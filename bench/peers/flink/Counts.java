// SPDX-License-Identifier: Apache-2.0

import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Locale;
import java.util.SplittableRandom;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.lib.NumberSequenceSource;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;

/**
 * bench/state.cc in Flink: counts per key in RocksDB, with `MIB` of managed memory for it. All keys
 * once, which also warms the JVM, then `UPDATES` more; the time is that of these. No checkpoints.
 *
 * <p>Counts KEYS UPDATES MIB skewed|uniform
 */
public final class Counts {
  // The tasks run in this JVM.
  static volatile double loadedCpu;
  static volatile long loadedNanos;

  static double cpuSeconds() {
    var system = ManagementFactory.getOperatingSystemMXBean();
    return ((com.sun.management.OperatingSystemMXBean) system).getProcessCpuTime() / 1e9;
  }

  static final class Choose extends RichMapFunction<Long, Long> {
    private final long keys;
    private final boolean skewed;
    private transient SplittableRandom random;

    Choose(long keys, boolean skewed) {
      this.keys = keys;
      this.skewed = skewed;
    }

    @Override
    public void open(OpenContext context) {
      random = new SplittableRandom(7);
    }

    @Override
    public Long map(Long i) {
      long number = i;
      if (i >= keys) {
        number = skewed ? (long) Math.pow(keys, random.nextDouble()) - 1 : random.nextLong(keys);
      }
      return number * 0x9E3779B97F4A7C15L;
    }
  }

  static final class Count extends KeyedProcessFunction<Long, Long, Long> {
    private final long keys;
    private transient ValueState<Long> count;
    private transient long seen;

    Count(long keys) {
      this.keys = keys;
    }

    @Override
    public void open(OpenContext context) {
      count = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Types.LONG));
    }

    @Override
    public void processElement(Long key, Context context, Collector<Long> out) throws Exception {
      if (seen++ == keys) {
        loadedCpu = cpuSeconds();
        loadedNanos = System.nanoTime();
      }
      Long before = count.value();
      count.update(before == null ? 1L : before + 1);
    }
  }

  public static void main(String[] args) throws Exception {
    long keys = Long.parseLong(args[0]);
    long updates = Long.parseLong(args[1]);
    var settings = new Configuration();
    settings.set(StateBackendOptions.STATE_BACKEND, "rocksdb");
    settings.set(CheckpointingOptions.INCREMENTAL_CHECKPOINTS, true);
    settings.set(TaskManagerOptions.MANAGED_MEMORY_SIZE, MemorySize.ofMebiBytes(Long.parseLong(args[2])));
    var cluster =
        new MiniClusterConfiguration.Builder()
            .setConfiguration(settings)
            .setNumTaskManagers(1)
            .setNumSlotsPerTaskManager(1)
            .withRandomPorts()
            .build();
    var env = StreamExecutionEnvironment.getExecutionEnvironment(settings);
    env.setParallelism(1);
    env.getConfig().enableObjectReuse();
    env.getConfig().setAutoWatermarkInterval(Duration.ZERO.toMillis());
    env.fromSource(
            new NumberSequenceSource(0, keys + updates - 1),
            WatermarkStrategy.noWatermarks(),
            "numbers")
        .map(new Choose(keys, args[3].equals("skewed")))
        .returns(Types.LONG)
        .keyBy(key -> key)
        .process(new Count(keys))
        .sinkTo(new DiscardingSink<>());
    try (var mini = new MiniCluster(cluster)) {
      mini.start();
      mini.executeJobBlocking(env.getStreamGraph().getJobGraph());
    }
    double cpu = cpuSeconds() - loadedCpu;
    double wall = (System.nanoTime() - loadedNanos) / 1e9;
    System.out.printf(
        Locale.ROOT,
        "{\"peer\":\"flink\",\"case\":\"counts\",\"keys\":\"%s\",\"updates\":%d,\"cpu_s\":%.2f,"
            + "\"wall_s\":%.2f,\"updates_per_cpu_s\":%.0f}%n",
        args[3], updates, cpu, wall, updates / cpu);
  }
}
