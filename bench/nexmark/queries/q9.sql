-- SPDX-License-Identifier: Apache-2.0
-- Winning bids: the highest, earliest bid of each auction.
SELECT id, seller, category, bidder, price, bid_time
FROM (
  SELECT a.id, a.seller, a.category, b.bidder, b.price, b.`dateTime` AS bid_time,
         ROW_NUMBER() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.`dateTime`) AS rn
  FROM auction AS a, bid AS b
  WHERE a.id = b.auction AND b.`dateTime` BETWEEN a.`dateTime` AND a.expires
)
WHERE rn <= 1
