-- SPDX-License-Identifier: Apache-2.0
-- Average of the winning prices per category: a join under two aggregates with retractions.
SELECT q.category, AVG(q.final_price) AS average
FROM (
  SELECT MAX(b.price) AS final_price, a.category
  FROM auction AS a, bid AS b
  WHERE a.id = b.auction AND b.`dateTime` BETWEEN a.`dateTime` AND a.expires
  GROUP BY a.id, a.category
) AS q
GROUP BY q.category
