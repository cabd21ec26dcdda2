-- Repeat buyer rate: of the buyers of a month and market, the share who ordered at least twice in that month.
-- Cancelled orders do not count. A buyer who orders in two markets is a buyer of each.
-- Runs on SQLite and PostgreSQL.
-- facets:
--   time: {column: month, grain: month}
--   dimensions:
--     market: {label: Market, aliases: [region, country]}
--   numerator: {agg: sum, expr: repeat_buyers}
--   denominator: {agg: sum, expr: buyers}
--   per: [month]                          # who ordered twice in two months is two buyers, and none twice in one
WITH buyers AS (
  SELECT SUBSTR(CAST(created_at AS TEXT), 1, 7) || '-01' AS month, grass_region AS market, user_id, COUNT(*) AS orders
  FROM orders
  WHERE status <> 'CANCELLED'
  GROUP BY SUBSTR(CAST(created_at AS TEXT), 1, 7), grass_region, user_id
)
SELECT
  month,
  market,
  COUNT(*) AS buyers,
  SUM(CASE WHEN orders >= 2 THEN 1 ELSE 0 END) AS repeat_buyers,
  CAST(SUM(CASE WHEN orders >= 2 THEN 1 ELSE 0 END) AS DOUBLE PRECISION) / COUNT(*) AS repeat_buyer_rate
FROM buyers
GROUP BY month, market
ORDER BY month, market;
