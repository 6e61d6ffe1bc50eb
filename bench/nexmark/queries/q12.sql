-- SPDX-License-Identifier: Apache-2.0
-- Bids of each bidder in 10 s of processing time; what it answers depends on the clock.
SELECT bidder, COUNT(*) AS bids, window_start, window_end
FROM TABLE(TUMBLE(
  TABLE (SELECT bidder, PROCTIME() AS p_time FROM bid), DESCRIPTOR(p_time), INTERVAL '10' SECOND))
GROUP BY bidder, window_start, window_end
