// SPDX-License-Identifier: Apache-2.0

import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.data.binary.BinaryStringData;

/**
 * The events of the connector 'nexmark' of Tidegate, made in Java: the same bytes for the same seed
 * and rate. An event is a row of its kind (0, 1, 2), a person, an auction and a bid; two are null.
 */
final class NexmarkStream {
  private static final long GOLDEN = 0x9E3779B97F4A7C15L;
  private static final int POOL = 1 << 20;
  private static final long FIRST_ID = 1000;
  private static final long BASE_TIME_MS = 1_700_000_000_000L;
  private static final int CHANNELS = 10_000;
  private static final String[] HOT_CHANNELS = {"Google", "Facebook", "Baidu", "Apple"};
  private static final StringData[] FIRST_NAMES =
      texts("Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter",
          "Walter");
  private static final StringData[] LAST_NAMES =
      texts("Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris");
  private static final StringData[] STATES = texts("AZ", "CA", "ID", "OR", "WA", "WY");
  private static final StringData[] CITIES =
      texts("Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond",
          "Seattle", "Kent", "Cheyenne");

  private final long state;
  private final long rate;
  private final byte[] letters = new byte[POOL];
  private final byte[] words = new byte[POOL];
  private final long[] prices = new long[65537];
  private final StringData[] channels = new StringData[CHANNELS + HOT_CHANNELS.length];
  private final StringData[] urls = new StringData[CHANNELS + HOT_CHANNELS.length];

  NexmarkStream(long seed, long rate) {
    this.rate = rate;
    state = mix(seed + GOLDEN);
    for (int i = 0; i < POOL; i++) {
      letters[i] = (byte) ('a' + ((mix((state ^ 0x5DEECE66DL) + (i + 1) * GOLDEN) >>> 32) * 26 >>> 32));
      long drawn = (mix((state ^ 0xB5026F5AAL) + (i + 1) * GOLDEN) >>> 32) * 338 >>> 32;
      words[i] = (byte) (drawn < 26 ? ' ' : 'a' + drawn % 26);
    }
    for (int i = 0; i < prices.length; i++) {
      prices[i] = (long) Math.rint(100 * Math.pow(10, 6.0 * i / 65536));
    }
    for (int i = 0; i < urls.length; i++) {
      boolean hot = i >= CHANNELS;
      channels[i] = StringData.fromString(hot ? HOT_CHANNELS[i - CHANNELS] : "channel-" + i);
      urls[i] = StringData.fromString(url((1L << 40) + i, hot ? -1 : i));
    }
  }

  RowData event(long number) {
    long epoch = number / 50;
    int place = (int) (number % 50);
    long ms = BASE_TIME_MS + number * 1000 / rate;
    if (place == 0) return GenericRowData.of(0, person(number, epoch, ms), null, null);
    if (place < 4) {
      return GenericRowData.of(1, null, auction(number, epoch, epoch * 3 + place - 1, ms), null);
    }
    return GenericRowData.of(2, null, null, bid(number, epoch, ms));
  }

  private RowData person(long e, long person, long ms) {
    StringData name =
        StringData.fromString(FIRST_NAMES[(int) below(e, 0, 11)] + " " + LAST_NAMES[(int) below(e, 1, 9)]);
    StringData email =
        StringData.fromString(part(e, 2, 3, 7, letters) + "@" + part(e, 4, 3, 5, letters) + ".com");
    StringData card =
        StringData.fromString(
            String.format("%04d %04d %04d %04d", below(e, 6, 10_000), below(e, 7, 10_000),
                below(e, 8, 10_000), below(e, 9, 10_000)));
    StringData city = CITIES[(int) below(e, 10, 10)];
    StringData home = STATES[(int) below(e, 11, 6)];
    int used = 8 + size(name) + size(email) + size(card) + size(city) + size(home);
    return GenericRowData.of(FIRST_ID + person, name, email, card, city, home,
        TimestampData.fromEpochMillis(ms), filler(e, used, 200, 12));
  }

  private RowData auction(long e, long person, long auction, long ms) {
    long seller = below(e, 0, 4) > 0 ? person / 100 * 100 : anyPerson(e, person, 1);
    long firstBid = price(e, 3);
    StringData name = part(e, 6, 3, 20, words);
    StringData description = part(e, 8, 3, 100, words);
    long expires = ms + 1 + below(e, 5, Math.max(2 * (1666 * 1000 / rate), 1));
    return GenericRowData.of(FIRST_ID + auction, name, description, firstBid, firstBid + price(e, 4),
        TimestampData.fromEpochMillis(ms), TimestampData.fromEpochMillis(expires),
        FIRST_ID + seller, 10 + below(e, 2, 5),
        filler(e, 48 + size(name) + size(description), 500, 10));
  }

  private RowData bid(long e, long person, long ms) {
    long last = person * 3 + 2;
    long auction = below(e, 0, 2) > 0 ? last / 100 * 100 : anyAuction(e, last, 1);
    long bidder = below(e, 2, 4) > 0 ? person / 100 * 100 + 1 : anyPerson(e, person, 3);
    int channel =
        (int) (below(e, 5, 2) > 0 ? CHANNELS + below(e, 6, 4) : below(e, 7, CHANNELS));
    return GenericRowData.of(FIRST_ID + auction, FIRST_ID + bidder, price(e, 4), channels[channel],
        urls[channel], TimestampData.fromEpochMillis(ms), filler(e, 32, 100, 8));
  }

  private static long mix(long z) {
    z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
    z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
    return z ^ z >>> 31;
  }

  /** 32 random bits. */
  private long draw(long event, int k) {
    return mix(state + (32 * event + k + 1) * GOLDEN) >>> 32;
  }

  private long below(long event, int k, long bound) {
    return draw(event, k) * bound >>> 32;
  }

  private long price(long event, int k) {
    long bits = draw(event, k);
    int at = (int) (bits >>> 16);
    return prices[at] + ((prices[at + 1] - prices[at]) * (bits & 0xffff) >> 16);
  }

  private long anyPerson(long event, long last, int k) {
    long active = Math.min(last + 1, 1000);
    return last + 1 - active + below(event, k, active + 10);
  }

  private long anyAuction(long event, long last, int k) {
    long first = Math.max(last - 100, 0);
    return first + below(event, k, last - first + 11);
  }

  private StringData part(long event, int k, int shortest, int end, byte[] from) {
    return StringData.fromBytes(
        from, (int) below(event, k, POOL - 1024), shortest + (int) below(event, k + 1, end - shortest));
  }

  private StringData filler(long event, int used, int target, int k) {
    int missing = target - used;
    if (missing < 0) return StringData.fromString("");
    int spread = (missing + 2) / 5;
    int more = spread > 0 ? (int) below(event, k + 1, 2L * spread) : 0;
    return StringData.fromBytes(letters, (int) below(event, k, POOL - 1024), missing - spread + more);
  }

  /** {@code channel} is -1 for those whose URL does not tell it. */
  private String url(long event, int channel) {
    String url = "https://www.nexmark.com/" + part(event, 0, 3, 6, letters) + "/"
        + part(event, 2, 3, 6, letters) + "/" + part(event, 4, 3, 6, letters) + "/item.htm?query=1";
    if (channel < 0 || below(event, 6, 10) == 0) return url;
    return url + "&channel_id=" + Math.abs((long) Integer.reverse(channel));
  }

  private static int size(StringData text) {
    return ((BinaryStringData) text).getSizeInBytes();
  }

  private static StringData[] texts(String... texts) {
    StringData[] data = new StringData[texts.length];
    for (int i = 0; i < texts.length; i++) data[i] = StringData.fromString(texts[i]);
    return data;
  }
}
