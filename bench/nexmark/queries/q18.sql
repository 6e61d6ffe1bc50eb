-- SPDX-License-Identifier: Apache-2.0
-- Last bid of each bidder for each auction.
SELECT auction, bidder, price, channel, url, `dateTime`, extra
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY bidder, auction ORDER BY `dateTime` DESC) AS rn
  FROM bid
)
WHERE rn <= 1
