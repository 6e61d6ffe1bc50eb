-- SPDX-License-Identifier: Apache-2.0
-- Pass through: what it costs to read and write rows.
SELECT auction, bidder, price, `dateTime`, extra FROM bid
