-- SPDX-License-Identifier: Apache-2.0
-- Currency conversion: a calculation per row.
SELECT auction, bidder, 0.908 * price AS price, `dateTime`, extra FROM bid
