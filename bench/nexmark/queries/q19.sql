-- SPDX-License-Identifier: Apache-2.0
-- The ten highest bids of each auction.
SELECT *
FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS rn FROM bid
)
WHERE rn <= 10
