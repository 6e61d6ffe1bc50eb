-- SPDX-License-Identifier: Apache-2.0
--
-- Clicks per URL in 5-minute windows, up to 1 minute late: the busiest windows of a web server's
-- access log. From the root of the project:
--
--   build/tidegate run examples/click_analytics/clicks.sql

CREATE TABLE clicks (
  url STRING,
  ts TIMESTAMP(3),
  WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE
) WITH (
  'connector' = 'filesystem',
  'path' = 'examples/click_analytics/data/apache_access.json.gz',
  'format' = 'json'
);

CREATE VIEW clicks_per_url AS
SELECT window_start, window_end, url, COUNT(*) AS clicks
FROM TABLE(TUMBLE(TABLE clicks, DESCRIPTOR(ts), INTERVAL '5' MINUTE))
GROUP BY window_start, window_end, url;

SELECT * FROM clicks_per_url ORDER BY clicks DESC, window_start, url LIMIT 10;
