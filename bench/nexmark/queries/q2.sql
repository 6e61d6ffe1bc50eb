-- SPDX-License-Identifier: Apache-2.0
-- Selection: a filter that few rows pass.
SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0
