// SPDX-License-Identifier: Apache-2.0

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.atomic.LongAdder;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.api.java.tuple.Tuple3;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.file.src.FileSource;
import org.apache.flink.connector.file.src.reader.SimpleStreamFormat;
import org.apache.flink.connector.file.src.reader.StreamFormat;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.fs.Path;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.util.Collector;

/**
 * bench/clicks.cc in Flink: clicks per URL in 5-minute windows of event time, up to 1 minute out of
 * order, from JSON lines. One cluster in this JVM runs the job again and again; each repetition is
 * a JSON line on stdout. The first one warms the JVM.
 *
 * <p>Clicks FILE-OR-FOLDER PARALLELISM REPETITIONS
 */
public final class Clicks {
  /** An event; Flink knows how to send it, being a plain object with public fields. */
  public static final class Click {
    public String url;
    public long ts;
  }

  /**
   * Finds `url` and `ts` in lines of flat JSON objects with unsigned integers and strings without
   * escapes. Less than a JSON parser does, in Flink's favour.
   */
  static final class ClickScanner implements StreamFormat.Reader<Click> {
    private static final int LONGEST_LINE = 4096;
    private final FSDataInputStream in;
    private final byte[] block = new byte[1 << 18];
    private int next = 0;
    private int end = 0;
    private boolean ended = false;

    ClickScanner(FSDataInputStream in) {
      this.in = in;
    }

    @Override
    public Click read() throws IOException {
      if (end - next < LONGEST_LINE && !ended) fill();
      if (next == end) return null;
      Click click = new Click();
      int i = next;
      while (block[i] != '\n') {
        if (block[i++] != '"') continue;
        int name = i;
        while (block[i] != '"') i++;
        int nameLength = i - name;
        i += 2; // quote and colon
        if (block[i] == '"') {
          int text = ++i;
          while (block[i] != '"') i++;
          if (nameLength == 3 && block[name] == 'u' && block[name + 1] == 'r') {
            click.url = new String(block, text, i - text, StandardCharsets.UTF_8);
          }
          i++;
        } else {
          long number = 0;
          for (; block[i] >= '0' && block[i] <= '9'; i++) number = number * 10 + block[i] - '0';
          if (nameLength == 2 && block[name] == 't' && block[name + 1] == 's') click.ts = number;
        }
      }
      if (i >= end && !ended) throw new IOException("a line longer than " + LONGEST_LINE);
      next = Math.min(i + 1, end);
      return click;
    }

    private void fill() throws IOException {
      System.arraycopy(block, next, block, 0, end - next);
      end -= next;
      next = 0;
      end += in.readNBytes(block, end, block.length - 1 - end);
      ended = end < block.length - 1;
      block[end] = '\n'; // the scan stops here, also when the file lacks its last newline
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }

  static final class ClickFormat extends SimpleStreamFormat<Click> {
    @Override
    public Reader<Click> createReader(Configuration configuration, FSDataInputStream in) {
      return new ClickScanner(in);
    }

    @Override
    public TypeInformation<Click> getProducedType() {
      return TypeInformation.of(Click.class);
    }
  }

  static final class Count implements AggregateFunction<Click, Long, Long> {
    @Override
    public Long createAccumulator() {
      return 0L;
    }

    @Override
    public Long add(Click click, Long count) {
      return count + 1;
    }

    @Override
    public Long getResult(Long count) {
      return count;
    }

    @Override
    public Long merge(Long a, Long b) {
      return a + b;
    }
  }

  static final class WithWindow
      extends ProcessWindowFunction<Long, Tuple3<Long, String, Long>, String, TimeWindow> {
    @Override
    public void process(
        String url, Context c, Iterable<Long> count, Collector<Tuple3<Long, String, Long>> out) {
      out.collect(Tuple3.of(c.window().getStart(), url, count.iterator().next()));
    }
  }

  // The tasks run in this JVM, so the sink may leave its sums here.
  static final LongAdder events = new LongAdder();
  static final LongAdder answer = new LongAdder();

  /** The same number as `mix` in bench/clicks.cc. */
  static long mix(long start, String url, long count) {
    long h = start * 0x9E3779B97F4A7C15L;
    for (byte b : url.getBytes(StandardCharsets.UTF_8)) h = (h ^ (b & 0xFF)) * 0x100000001B3L;
    h ^= count * 0xC2B2AE3D27D4EB4FL;
    return h ^ (h >>> 29);
  }

  static final class Sum implements Sink<Tuple3<Long, String, Long>> {
    @Override
    public SinkWriter<Tuple3<Long, String, Long>> createWriter(WriterInitContext context) {
      return new SinkWriter<>() {
        @Override
        public void write(Tuple3<Long, String, Long> row, Context c) {
          events.add(row.f2);
          answer.add(mix(row.f0, row.f1, row.f2));
        }

        @Override
        public void flush(boolean endOfInput) {}

        @Override
        public void close() {}
      };
    }
  }

  static JobGraph job(String input, int parallelism) {
    var env = StreamExecutionEnvironment.createLocalEnvironment(parallelism);
    env.getConfig().enableObjectReuse(); // no copies between chained operators
    var files = FileSource.forRecordStreamFormat(new ClickFormat(), new Path(input)).build();
    var watermarks =
        WatermarkStrategy.<Click>forBoundedOutOfOrderness(Duration.ofMinutes(1))
            .withTimestampAssigner((click, before) -> click.ts);
    env.fromSource(files, watermarks, "clicks")
        .keyBy(click -> click.url)
        .window(TumblingEventTimeWindows.of(Duration.ofMinutes(5)))
        .aggregate(new Count(), new WithWindow())
        .sinkTo(new Sum());
    return env.getStreamGraph().getJobGraph();
  }

  static double cpuSeconds() {
    var system = ManagementFactory.getOperatingSystemMXBean();
    return ((com.sun.management.OperatingSystemMXBean) system).getProcessCpuTime() / 1e9;
  }

  /** The most memory that this process ever had, from the kernel. */
  static double peakMib() throws IOException {
    for (String line : Files.readAllLines(java.nio.file.Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM")) return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
    }
    throw new IOException("no VmHWM in /proc/self/status");
  }

  public static void main(String[] args) throws Exception {
    String input = args[0];
    int parallelism = Integer.parseInt(args[1]);
    int repetitions = Integer.parseInt(args[2]);
    var configuration =
        new MiniClusterConfiguration.Builder()
            .setNumTaskManagers(1)
            .setNumSlotsPerTaskManager(parallelism)
            .withRandomPorts()
            .build();
    try (var cluster = new MiniCluster(configuration)) {
      cluster.start();
      for (int repetition = 0; repetition < repetitions; repetition++) {
        events.reset();
        answer.reset();
        double cpu = cpuSeconds();
        long start = System.nanoTime();
        cluster.executeJobBlocking(job(input, parallelism));
        double wall = (System.nanoTime() - start) / 1e9;
        cpu = cpuSeconds() - cpu;
        System.out.printf(
            Locale.ROOT,
            "{\"bench\":\"clicks\",\"case\":\"flink-hand\",\"parallelism\":%d,\"repetition\":%d,"
                + "\"events\":%d,\"cpu_s\":%.3f,\"wall_s\":%.3f,\"events_per_cpu_s\":%.0f,"
                + "\"rss_mib\":%.1f,\"against\":\"\",\"ratio\":0,\"answer\":\"%016x\"}%n",
            parallelism, repetition, events.sum(), cpu, wall, events.sum() / cpu, peakMib(),
            answer.sum());
      }
    }
  }
}
