// SPDX-License-Identifier: Apache-2.0

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Suppressed;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.WindowStore;

/**
 * bench/library.cc in Kafka Streams: exactly once, a commit every 100 ms, two threads, state in
 * RocksDB, and its defaults otherwise. Prints a JSON line.
 *
 * <p>Clicks BROKERS IN OUT regroup|keyed|delay [SECONDS]
 */
public final class Clicks {
  private static final int THREADS = 2;

  /** A click; public fields, as Jackson likes them. */
  public static final class Click {
    public long user_id;
    public String url;
    public long ts;
  }

  /** JSON both ways: groupBy writes the whole click again into its repartition topic. */
  static final class ClickSerde implements Serde<Click> {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @Override
    public Serializer<Click> serializer() {
      return (topic, click) -> {
        try {
          return click == null ? null : MAPPER.writeValueAsBytes(click);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      };
    }

    @Override
    public Deserializer<Click> deserializer() {
      return (topic, bytes) -> {
        if (bytes == null) return null;
        if (firstAt == 0) firstAt = System.nanoTime();
        try {
          return MAPPER.readValue(bytes, Click.class);
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      };
    }
  }

  private static volatile long firstAt = 0;

  private static double cpuSeconds() {
    return ((com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean())
            .getProcessCpuTime()
        / 1e9;
  }

  /** The peak, as the kernel counts it. */
  private static double peakMib() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status")))
      if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
    return -1;
  }

  private static double metric(KafkaStreams streams, String name) {
    return streams.metrics().entrySet().stream()
        .filter(each -> each.getKey().name().equals(name))
        .map(each -> each.getValue().metricValue())
        .filter(value -> value instanceof Double && !((Double) value).isNaN())
        .mapToDouble(value -> (Double) value)
        .sum();
  }

  private static StreamsBuilder windows(String in, String out, boolean keyed) {
    StreamsBuilder builder = new StreamsBuilder();
    Serde<Click> clicks = new ClickSerde();
    KStream<String, Click> stream =
        builder.stream(
            in,
            Consumed.with(Serdes.String(), clicks)
                .withTimestampExtractor((record, before) -> ((Click) record.value()).ts));
    Grouped<String, Click> grouped = Grouped.with(Serdes.String(), clicks);
    KGroupedStream<String, Click> groups =
        keyed ? stream.groupByKey(grouped) : stream.groupBy((key, click) -> click.url, grouped);
    groups
        .windowedBy(TimeWindows.ofSizeAndGrace(Duration.ofMinutes(5), Duration.ofMinutes(1)))
        .count(
            Materialized.<String, Long, WindowStore<Bytes, byte[]>>as("counts")
                .withKeySerde(Serdes.String())
                .withValueSerde(Serdes.Long()))
        .suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()))
        .toStream(
            (window, n) ->
                String.format(
                    "{\"url\":\"%s\",\"starts\":%d", window.key(), window.window().start()))
        .map((key, n) -> new org.apache.kafka.streams.KeyValue<>(key, key + ",\"n\":" + n + "}"))
        .to(out, Produced.with(Serdes.String(), Serdes.String()));
    return builder;
  }

  /** Every update goes out, with the time of its click. */
  private static StreamsBuilder updates(String in, String out) {
    StreamsBuilder builder = new StreamsBuilder();
    Serde<Click> clicks = new ClickSerde();
    builder.stream(in, Consumed.with(Serdes.String(), clicks))
        .groupByKey(Grouped.with(Serdes.String(), clicks))
        .aggregate(
            () -> "0 0",
            (user, click, sum) ->
                (Long.parseLong(sum.substring(0, sum.indexOf(' '))) + 1) + " " + click.ts,
            Materialized.with(Serdes.String(), Serdes.String()))
        .toStream()
        .mapValues(
            sum -> {
              int blank = sum.indexOf(' ');
              return "{\"n\":" + sum.substring(0, blank) + ",\"ts\":" + sum.substring(blank + 1) + "}";
            })
        .to(out, Produced.with(Serdes.String(), Serdes.String()));
    return builder;
  }

  /** Where the partitions of a topic end. */
  private static Map<TopicPartition, Long> ends(Admin admin, String topic) throws Exception {
    Map<TopicPartition, OffsetSpec> asked = new HashMap<>();
    admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions()
        .forEach(each -> asked.put(new TopicPartition(topic, each.partition()), OffsetSpec.latest()));
    Map<TopicPartition, Long> ends = new HashMap<>();
    admin.listOffsets(asked).all().get().forEach((at, end) -> ends.put(at, end.offset()));
    return ends;
  }

  private static long sum(Map<TopicPartition, Long> offsets) {
    return offsets.values().stream().mapToLong(Long::longValue).sum();
  }

  /**
   * Waits until the committed offsets reach the end of the input and of the repartition topic, which
   * must stand still. Each partition ends with a marker of the last transaction, which nobody reads.
   */
  private static void await(KafkaStreams streams, Admin admin, String app, String in, boolean keyed)
      throws Exception {
    long total = sum(ends(admin, in)), endBefore = -1;
    String repartition = app + "-counts-repartition";
    while (true) {
      Thread.sleep(50);
      if (streams.state() == KafkaStreams.State.ERROR) throw new IllegalStateException("it failed");
      long read = 0, readBehind = 0;
      Map<TopicPartition, OffsetAndMetadata> committed =
          admin.listConsumerGroupOffsets(app).partitionsToOffsetAndMetadata().get();
      for (Map.Entry<TopicPartition, OffsetAndMetadata> each : committed.entrySet()) {
        if (each.getValue() == null) continue;
        if (each.getKey().topic().equals(in)) read += each.getValue().offset();
        else readBehind += each.getValue().offset();
      }
      if (read < total) continue;
      if (keyed) return;
      Map<TopicPartition, Long> end = ends(admin, repartition);
      if (readBehind >= sum(end) - end.size() && sum(end) == endBefore) return;
      endBefore = sum(end);
    }
  }

  public static void main(String[] args) throws Exception {
    String brokers = args[0], in = args[1], out = args[2], work = args[3];
    String app = "streams-" + work + "-" + Long.toHexString(System.nanoTime());
    Path state = Files.createTempDirectory(app);
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, app);
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
    settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, THREADS);
    settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 100);
    settings.put(StreamsConfig.STATE_DIR_CONFIG, state.toString());
    settings.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, 1);
    settings.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    settings.put(StreamsConfig.producerPrefix("compression.type"), "lz4");
    boolean counts = work.equals("delay");
    // Else updates of one key would be put together.
    if (counts) settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
    StreamsBuilder builder = counts ? updates(in, out) : windows(in, out, work.equals("keyed"));
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", brokers))) {
      long events = sum(ends(admin, in));
      KafkaStreams streams = new KafkaStreams(builder.build(), settings);
      streams.setUncaughtExceptionHandler(
          failure -> {
            failure.printStackTrace();
            return StreamThreadExceptionResponse.SHUTDOWN_CLIENT;
          });
      long start = System.nanoTime();
      double cpuBefore = cpuSeconds();
      streams.start();
      if (counts) Thread.sleep(Long.parseLong(args[4]) * 1000);
      else await(streams, admin, app, in, work.equals("keyed"));
      double wall = (System.nanoTime() - start) / 1e9, cpu = cpuSeconds() - cpuBefore;
      double dropped = metric(streams, "dropped-records-total");
      streams.close(Duration.ofSeconds(30));
      if (counts) events = sum(ends(admin, in));
      System.out.printf(
          Locale.ROOT,
          "{\"bench\":\"library\",\"case\":\"kafka-streams-%s\",\"events\":%d,\"cpu_s\":%.3f,"
              + "\"wall_s\":%.3f,\"events_per_cpu_s\":%.0f,\"rss_mib\":%.1f,\"dropped\":%.0f,"
              + "\"first_record_s\":%.2f}%n",
          work, events, cpu, wall, events / cpu, peakMib(), dropped, (firstAt - start) / 1e9);
    }
    try (Stream<Path> files = Files.walk(state)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    }
    System.exit(0);
  }
}
