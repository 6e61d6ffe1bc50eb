-- SPDX-License-Identifier: Apache-2.0
-- User sessions: bids of each bidder until a pause of 10 s.
SELECT bidder, COUNT(*) AS bids, window_start, window_end
FROM TABLE(SESSION(TABLE bid PARTITION BY bidder, DESCRIPTOR(`dateTime`), INTERVAL '10' SECOND))
GROUP BY bidder, window_start, window_end
