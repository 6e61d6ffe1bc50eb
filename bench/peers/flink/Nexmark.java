// SPDX-License-Identifier: Apache-2.0

import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.temporal.ChronoField;
import java.util.Locale;
import java.util.StringJoiner;
import java.util.TreeMap;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.api.TableDescriptor;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;

/**
 * Queries of bench/nexmark/queries in Flink SQL, as bench/nexmark.cc runs them: events made in the
 * process, results forgotten. A JSON line for each query and repetition; the first one warms the
 * JVM. With a folder for answers each query runs once, and the rows that remain of its results are
 * written to FOLDER/q0.flink, sorted, fields separated by '|'.
 *
 * <p>Nexmark QUERY-FILE[,QUERY-FILE..] EVENTS RATE PARALLELISM REPETITIONS [FOLDER]
 */
public final class Nexmark {
  // As Tidegate writes CSV: no zeros at the end of a fraction.
  private static final DateTimeFormatter TIME =
      new DateTimeFormatterBuilder()
          .appendPattern("yyyy-MM-dd HH:mm:ss")
          .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
          .toFormatter();
  // All kinds of events are one stream, as in Flink's own Nexmark: it is read once, whatever
  // number of tables a query names.
  private static final String EVENTS =
      """
      CREATE TABLE events (
        event_type INT,
        person ROW<id BIGINT, name STRING, emailAddress STRING, creditCard STRING, city STRING,
          state STRING, `dateTime` TIMESTAMP(3), extra STRING>,
        auction ROW<id BIGINT, itemName STRING, description STRING, initialBid BIGINT,
          reserve BIGINT, `dateTime` TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT,
          category BIGINT, extra STRING>,
        bid ROW<auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING,
          `dateTime` TIMESTAMP(3), extra STRING>,
        `dateTime` AS CASE event_type WHEN 0 THEN person.`dateTime` WHEN 1 THEN auction.`dateTime`
          ELSE bid.`dateTime` END,
        WATERMARK FOR `dateTime` AS `dateTime` - INTERVAL '4' SECOND
      ) WITH ('connector' = 'nexmark-events', 'events' = '%s', 'rate' = '%s')""";
  private static final String[] VIEWS = {
    "CREATE VIEW person AS SELECT person.id, person.name, person.emailAddress, person.creditCard,"
        + " person.city, person.state, `dateTime`, person.extra FROM events WHERE event_type = 0",
    "CREATE VIEW auction AS SELECT auction.id, auction.itemName, auction.description,"
        + " auction.initialBid, auction.reserve, `dateTime`, auction.expires, auction.seller,"
        + " auction.category, auction.extra FROM events WHERE event_type = 1",
    "CREATE VIEW bid AS SELECT bid.auction, bid.bidder, bid.price, bid.channel, bid.url,"
        + " `dateTime`, bid.extra FROM events WHERE event_type = 2"
  };

  public static void main(String[] args) throws Exception {
    var tables = tables(Integer.parseInt(args[3]));
    tables.executeSql(EVENTS.formatted(args[1], args[2]));
    for (String view : VIEWS) tables.executeSql(view);
    for (String file : args[0].split(",")) {
      String name = Path.of(file).getFileName().toString().replace(".sql", "");
      String query = Files.readString(Path.of(file));
      if (args.length > 5) {
        writeAnswer(tables, query, Path.of(args[5], name + ".flink"));
      } else {
        measure(tables, name, query, Long.parseLong(args[1]), Integer.parseInt(args[4]));
      }
    }
  }

  private static void measure(
      StreamTableEnvironment tables, String name, String query, long events, int repetitions)
      throws Exception {
    for (int repetition = 1; repetition <= repetitions; repetition++) {
      double cpu = cpuSeconds();
      long start = System.nanoTime();
      var sink = TableDescriptor.forConnector("blackhole").build();
      tables.sqlQuery(query).insertInto(sink).execute().await();
      double wall = (System.nanoTime() - start) / 1e9;
      cpu = cpuSeconds() - cpu;
      System.out.printf(
          Locale.ROOT,
          "{\"peer\":\"flink\",\"case\":\"%s\",\"repetition\":%d,\"events\":%d,\"cpu_s\":%.3f,"
              + "\"wall_s\":%.3f,\"events_per_cpu_s\":%.0f,\"rss_mib\":%d}%n",
          name, repetition, events, cpu, wall, events / cpu, peakMib());
    }
  }

  /** State on the heap, no checkpoints; small batches and distinct values split, which is faster. */
  private static StreamTableEnvironment tables(int parallelism) {
    var settings = new Configuration();
    settings.setString("state.backend.type", "hashmap");
    settings.setString("restart-strategy.type", "none");
    settings.setString("pipeline.object-reuse", "true");
    settings.setString("table.exec.mini-batch.enabled", "true");
    settings.setString("table.exec.mini-batch.allow-latency", "2s");
    settings.setString("table.exec.mini-batch.size", "50000");
    settings.setString("table.optimizer.distinct-agg.split.enabled", "true");
    var env = StreamExecutionEnvironment.createLocalEnvironment(parallelism, settings);
    var tables = StreamTableEnvironment.create(env);
    tables.getConfig().addConfiguration(settings);
    tables.getConfig().setLocalTimeZone(ZoneId.of("UTC"));
    return tables;
  }

  private static void writeAnswer(StreamTableEnvironment tables, String query, Path file)
      throws Exception {
    var remaining = new TreeMap<String, Integer>();
    try (var rows = tables.sqlQuery(query).execute().collect()) {
      while (rows.hasNext()) {
        Row row = rows.next();
        boolean adds = row.getKind() == RowKind.INSERT || row.getKind() == RowKind.UPDATE_AFTER;
        remaining.merge(line(row), adds ? 1 : -1, Integer::sum);
      }
    }
    try (var out = new PrintStream(file.toFile(), StandardCharsets.UTF_8)) {
      remaining.forEach((line, times) -> out.print((line + "\n").repeat(times)));
    }
  }

  private static String line(Row row) {
    var fields = new StringJoiner("|");
    for (int i = 0; i < row.getArity(); i++) {
      Object field = row.getField(i);
      if (field instanceof LocalDateTime time) {
        fields.add(TIME.format(time));
      } else if (field instanceof BigDecimal number) {
        fields.add(number.toPlainString());
      } else {
        fields.add(field == null ? "" : field.toString());
      }
    }
    return fields.toString();
  }

  private static double cpuSeconds() {
    var system = ManagementFactory.getOperatingSystemMXBean();
    return ((com.sun.management.OperatingSystemMXBean) system).getProcessCpuTime() / 1e9;
  }

  /** Of the process since its start, as the kernel counts it. */
  private static long peakMib() throws IOException {
    for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
      if (line.startsWith("VmHWM:")) return Long.parseLong(line.replaceAll("\\D", "")) / 1024;
    }
    return 0;
  }
}
