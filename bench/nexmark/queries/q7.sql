-- SPDX-License-Identifier: Apache-2.0
-- Highest bid of each 10 s: a window joined back to its rows.
SELECT b.auction, b.bidder, b.price, b.`dateTime`, b.extra
FROM bid AS b
JOIN (
  SELECT MAX(price) AS top, window_end AS we
  FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
  GROUP BY window_start, window_end
) AS m
ON b.price = m.top
WHERE b.`dateTime` BETWEEN m.we - INTERVAL '10' SECOND AND m.we
