// SPDX-License-Identifier: Apache-2.0
//
// Records what Kafka Streams answers: one file per topology in the folder OUT, each with a script
// of input records and, behind each, what came out.
//   mvn -q compile dependency:copy-dependencies -DoutputDirectory=target/lib
//   java -cp 'target/classes:target/lib/*' Record OUT
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.*;
import java.util.function.Consumer;
import org.apache.kafka.common.serialization.*;
import org.apache.kafka.streams.*;
import org.apache.kafka.streams.kstream.*;
import org.apache.kafka.streams.state.*;
import org.apache.kafka.streams.test.TestRecord;

public class Record {
  static final Serde<String> S = Serdes.String();
  static final Consumed<String, String> IN = Consumed.with(S, S);
  static final Duration NONE = Duration.ZERO;
  static Duration ms(long n) { return Duration.ofMillis(n); }
  static String plus(String a, String b) { return a + "+" + b; }
  static String first(String v) { return v.substring(0, 1); }

  static StreamsBuilder b;
  static KStream<String, String> stream(String topic) { return b.stream(topic, IN); }
  static KTable<String, String> table(String topic) { return b.table(topic, IN); }
  static void out(KStream<String, String> s) { s.to("out", Produced.with(S, S)); }
  static void windowsOut(KTable<Windowed<String>, String> t) {
    out(t.toStream((w, v) -> w.key() + "[" + w.window().start() + "," + w.window().end() + ")"));
  }
  static final Initializer<String> EMPTY = () -> "";
  static final Aggregator<String, String, String> ADD = (k, v, agg) -> agg + "+" + v;
  static final Aggregator<String, String, String> SUBTRACT = (k, v, agg) -> agg + "-" + v;
  static Materialized<String, String, KeyValueStore<org.apache.kafka.common.utils.Bytes, byte[]>> store() {
    return Materialized.with(S, S);
  }
  static KGroupedTable<String, String> byFirst() {
    // 'z' groups under no key.
    return table("left").groupBy((k, v) -> KeyValue.pair(v.startsWith("z") ? null : first(v), v),
        Grouped.with(S, S));
  }
  static KGroupedStream<String, String> grouped(String topic) {
    return stream(topic).groupByKey(Grouped.with(S, S));
  }
  static JoinWindows near() { return JoinWindows.ofTimeDifferenceAndGrace(ms(10), ms(5)); }
  static StreamJoined<String, String, String> joined() { return StreamJoined.with(S, S, S); }
  static TimeWindows tens() { return TimeWindows.ofSizeAndGrace(ms(10), ms(5)); }
  static KTable<String, String> versioned(String topic) {
    return b.table(topic, IN, Materialized.as(Stores.persistentVersionedKeyValueStore(topic + "-v", ms(30))));
  }

  static final Map<String, Runnable> TOPOLOGIES = new LinkedHashMap<>();
  static {
    Map<String, Runnable> t = TOPOLOGIES;
    t.put("table", () -> out(table("left").toStream()));
    t.put("table-filter", () -> out(table("left").filter((k, v) -> !v.startsWith("a")).mapValues(v -> v + "!").toStream()));
    t.put("stream-to-table", () -> out(stream("left").toTable(store()).toStream()));
    t.put("table-join-inner", () -> out(table("left").join(table("right"), Record::plus).toStream()));
    t.put("table-join-left", () -> out(table("left").leftJoin(table("right"), Record::plus).toStream()));
    t.put("table-join-outer", () -> out(table("left").outerJoin(table("right"), Record::plus).toStream()));
    t.put("foreign-key-join-inner", () -> out(table("left").join(table("right"), (String v) -> v.startsWith("z") ? null : first(v).toUpperCase(), Record::plus).toStream()));
    t.put("foreign-key-join-left", () -> out(table("left").leftJoin(table("right"), (String v) -> v.startsWith("z") ? null : first(v).toUpperCase(), Record::plus).toStream()));
    t.put("stream-table-join-inner", () -> out(stream("left").join(table("right"), Record::plus, Joined.with(S, S, S))));
    t.put("stream-table-join-left", () -> out(stream("left").leftJoin(table("right"), Record::plus, Joined.with(S, S, S))));
    t.put("stream-versioned-join-inner", () -> out(stream("left").join(versioned("right"), Record::plus, Joined.with(S, S, S, "j", ms(5)))));
    t.put("stream-versioned-join-left", () -> out(stream("left").leftJoin(versioned("right"), Record::plus, Joined.with(S, S, S, "j", ms(5)))));
    t.put("stream-versioned-join-now", () -> out(stream("left").leftJoin(versioned("right"), Record::plus, Joined.with(S, S, S))));
    t.put("versioned-table-join", () -> out(versioned("left").join(versioned("right"), Record::plus).toStream()));
    t.put("versioned-table-reduce", () -> out(versioned("left").groupBy((k, v) -> KeyValue.pair(first(v), v), Grouped.with(S, S))
        .aggregate(EMPTY, ADD, SUBTRACT, store()).toStream()));
    t.put("global-join-inner", () -> out(stream("left").join(b.globalTable("right", IN), (k, v) -> v == null ? null : first(v).toUpperCase(), Record::plus)));
    t.put("global-join-left", () -> out(stream("left").leftJoin(b.globalTable("right", IN), (k, v) -> v == null ? null : first(v).toUpperCase(), Record::plus)));
    t.put("table-count", () -> out(byFirst().count(Materialized.with(S, Serdes.Long())).toStream().mapValues(v -> v == null ? null : v.toString())));
    t.put("table-reduce", () -> out(byFirst().reduce((x, y) -> x + "+" + y, (x, y) -> x + "-" + y, store()).toStream()));
    t.put("table-aggregate", () -> out(byFirst().aggregate(EMPTY, ADD, SUBTRACT, store()).toStream()));
    t.put("table-aggregate-to-nothing", () -> out(byFirst().aggregate(EMPTY, ADD, (k, v, agg) -> null, store()).toStream()));
    t.put("stream-count", () -> out(grouped("left").count(Materialized.with(S, Serdes.Long())).toStream().mapValues(v -> v.toString())));
    t.put("stream-reduce", () -> out(grouped("left").reduce((x, y) -> x + "+" + y, store()).toStream()));
    t.put("window-tumbling", () -> windowsOut(grouped("left").windowedBy(tens()).aggregate(EMPTY, ADD, Materialized.with(S, S))));
    t.put("window-hopping", () -> windowsOut(grouped("left").windowedBy(tens().advanceBy(ms(5))).aggregate(EMPTY, ADD, Materialized.with(S, S))));
    t.put("suppress-window-closes", () -> windowsOut(grouped("left").windowedBy(tens()).aggregate(EMPTY, ADD, Materialized.with(S, S))
        .suppress(Suppressed.untilWindowCloses(Suppressed.BufferConfig.unbounded()))));
    t.put("suppress-time-limit", () -> out(table("left").suppress(Suppressed.untilTimeLimit(ms(10), Suppressed.BufferConfig.unbounded())).toStream()));
    t.put("stream-join-inner", () -> out(stream("left").join(stream("right"), Record::plus, near(), joined())));
    t.put("stream-join-left", () -> out(stream("left").leftJoin(stream("right"), Record::plus, near(), joined())));
    t.put("stream-join-outer", () -> out(stream("left").outerJoin(stream("right"), Record::plus, near(), joined())));
    t.put("stream-join-ahead", () -> out(stream("left").join(stream("right"), Record::plus, JoinWindows.ofTimeDifferenceAndGrace(ms(3), ms(5)).before(NONE).after(ms(10)), joined())));
    t.put("cogroup", () -> out(grouped("left").cogroup(ADD).cogroup(grouped("right"), (String k, String v, String agg) -> agg + "/" + v).aggregate(EMPTY, store()).toStream()));
    t.put("cogroup-window", () -> windowsOut(grouped("left").cogroup(ADD).cogroup(grouped("right"), (String k, String v, String agg) -> agg + "/" + v)
        .windowedBy(tens()).aggregate(EMPTY, Materialized.with(S, S))));
    t.put("window-join", () -> windowsOut(grouped("left").windowedBy(tens()).reduce(Record::plus, Materialized.with(S, S))
        .outerJoin(grouped("right").windowedBy(tens()).reduce(Record::plus, Materialized.with(S, S)), Record::plus)));
    t.put("split", () -> {
      Map<String, KStream<String, String>> parts = stream("left").split(Named.as("p-"))
          .branch((k, v) -> v != null && v.startsWith("a"), Branched.as("a")).branch((k, v) -> v != null && v.compareTo("c") < 0, Branched.as("b")).defaultBranch(Branched.as("rest"));
      out(parts.get("p-a").mapValues(v -> "a:" + v));
      out(parts.get("p-b").mapValues(v -> "b:" + v));
      out(parts.get("p-rest").mapValues(v -> "rest:" + v));
    });
  }

  static String text(Object o) { return o == null ? "-" : o.toString().isEmpty() ? "''" : o.toString(); }

  public static void main(String[] args) throws Exception {
    for (var topology : TOPOLOGIES.entrySet()) {
      if (args.length > 1 && !topology.getKey().contains(args[1])) continue;
      b = new StreamsBuilder();
      topology.getValue().run();
      boolean two = b.build().describe().toString().contains("[right]");
      Properties p = new Properties();
      p.put(StreamsConfig.APPLICATION_ID_CONFIG, "record");
      p.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:0");
      p.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, 0);
      p.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
      p.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
      p.put("__emit.interval.ms.kstreams.outer.join.spurious.results.fix__", 0L);
      p.put("__emit.interval.ms.kstreams.windowed.aggregation__", 0L);
      try (PrintStream file = new PrintStream(Path.of(args[0], topology.getKey() + ".txt").toFile(), "UTF-8")) {
        file.println("# What Kafka Streams 4.3.1 answers: > behind each record of a topic: key value @ms ('-': null).");
        for (int script = 0; script < 3; ++script) {
          file.println("script");
          try (TopologyTestDriver driver = new TopologyTestDriver(b.build(), p)) {
            var topics = new ArrayList<Map.Entry<String, TestInputTopic<String, String>>>();
            for (String name : two ? List.of("left", "right") : List.of("left"))
              topics.add(Map.entry(name, driver.createInputTopic(name, new StringSerializer(), new StringSerializer())));
            var out = driver.createOutputTopic("out", new StringDeserializer(), new StringDeserializer());
            Random random = new Random(topology.getKey().hashCode() * 31L + script);
            long now = 100;
            for (int i = 0; i < 60; ++i) {
              int r = random.nextInt(10);
              // A delete at the very time of the value that it deletes is forgotten there.
              if (topology.getKey().contains("versioned")) ++now;
              if (r < 4) now += random.nextInt(5); else if (r == 9) now += random.nextInt(25);
              long t = random.nextInt(4) == 0 ? Math.max(0, now - random.nextInt(script == 0 ? 1 : 25)) : now;
              var topic = topics.get(random.nextInt(topics.size()));
              // A left join with a versioned table and grace fails there with a key of null.
              boolean nullKey = random.nextInt(25) == 0 && !topology.getKey().contains("versioned");
              String key = nullKey ? null : String.valueOf((char) ('A' + random.nextInt(3)));
              String value = random.nextInt(6) == 0 ? null : (random.nextInt(12) == 0 ? "z" : String.valueOf((char) ('a' + random.nextInt(3)))) + i;
              topic.getValue().pipeInput(key, value, t);
              file.println(topic.getKey() + " " + text(key) + " " + text(value) + " @" + t);
              for (TestRecord<String, String> each : out.readRecordsToList())
                file.println("> " + text(each.key()) + " " + text(each.value()) + " @" + each.timestamp());
            }
          }
        }
      }
    }
  }
}
