// SPDX-License-Identifier: Apache-2.0

import java.util.Set;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.ConfigOptions;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.connector.datagen.source.GeneratorFunction;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.table.connector.ChangelogMode;
import org.apache.flink.table.connector.ProviderContext;
import org.apache.flink.table.connector.source.DataStreamScanProvider;
import org.apache.flink.table.connector.source.DynamicTableSource;
import org.apache.flink.table.connector.source.ScanTableSource;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.factories.DynamicTableSourceFactory;
import org.apache.flink.table.factories.FactoryUtil;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.RowType;

/** The connector 'nexmark-events': {@link NexmarkStream} as a table that ends. */
public final class NexmarkTable implements DynamicTableSourceFactory {
  private static final ConfigOption<Long> EVENTS =
      ConfigOptions.key("events").longType().noDefaultValue();
  private static final ConfigOption<Long> RATE = ConfigOptions.key("rate").longType().defaultValue(1000L);
  private static final ConfigOption<Long> SEED = ConfigOptions.key("seed").longType().defaultValue(42L);

  @Override
  public String factoryIdentifier() {
    return "nexmark-events";
  }

  @Override
  public Set<ConfigOption<?>> requiredOptions() {
    return Set.of(EVENTS);
  }

  @Override
  public Set<ConfigOption<?>> optionalOptions() {
    return Set.of(RATE, SEED);
  }

  @Override
  public DynamicTableSource createDynamicTableSource(Context context) {
    var helper = FactoryUtil.createTableFactoryHelper(this, context);
    helper.validate();
    var options = helper.getOptions();
    var type = context.getCatalogTable().getResolvedSchema().toPhysicalRowDataType().getLogicalType();
    return new Events(options.get(EVENTS), options.get(RATE), options.get(SEED), (RowType) type);
  }

  private record Events(long events, long rate, long seed, RowType type) implements ScanTableSource {
    @Override
    public ChangelogMode getChangelogMode() {
      return ChangelogMode.insertOnly();
    }

    @Override
    public ScanRuntimeProvider getScanRuntimeProvider(ScanContext context) {
      return new DataStreamScanProvider() {
        @Override
        public DataStream<RowData> produceDataStream(
            ProviderContext provider, StreamExecutionEnvironment env) {
          int readers = env.getParallelism();
          if (events % readers != 0) {
            throw new IllegalArgumentException(events + " events for " + readers + " readers");
          }
          var source =
              new DataGeneratorSource<>(
                  new Make(events / readers, readers, rate, seed), events, InternalTypeInfo.of(type));
          return env.fromSource(source, WatermarkStrategy.noWatermarks(), "nexmark");
        }

        @Override
        public boolean isBounded() {
          return true;
        }
      };
    }

    @Override
    public DynamicTableSource copy() {
      return this;
    }

    @Override
    public String asSummaryString() {
      return "nexmark";
    }
  }

  /**
   * A reader gets numbers in a row; it makes of them every so-manieth event, so that time goes on
   * in all readers together.
   */
  private static final class Make implements GeneratorFunction<Long, RowData> {
    private final long eventsPerReader;
    private final int readers;
    private final long rate;
    private final long seed;
    private transient NexmarkStream stream;

    Make(long eventsPerReader, int readers, long rate, long seed) {
      this.eventsPerReader = eventsPerReader;
      this.readers = readers;
      this.rate = rate;
      this.seed = seed;
    }

    @Override
    public void open(SourceReaderContext context) {
      stream = new NexmarkStream(seed, rate);
    }

    @Override
    public RowData map(Long number) {
      return stream.event(number % eventsPerReader * readers + number / eventsPerReader);
    }
  }
}
