-- SPDX-License-Identifier: Apache-2.0
-- Bids of each bidder in 10 s of processing time; what it answers depends on the clock.
WITH timed AS (SELECT bidder, PROCTIME() AS p_time FROM bid)
SELECT bidder, COUNT(*) AS bids, window_start, window_end
FROM TABLE(TUMBLE(TABLE timed, DESCRIPTOR(p_time), INTERVAL '10' SECOND))
GROUP BY bidder, window_start, window_end
