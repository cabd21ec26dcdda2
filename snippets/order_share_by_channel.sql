-- Order share by channel: how the orders of a month and market split over the channels that brought the buyers.
-- Orders whose channel was lost are 'unattributed' and stay in the total. Cancelled orders do not count.
-- Runs on SQLite and PostgreSQL.
-- facets:
--   time: {column: month, grain: month}
--   dimensions:
--     market: {label: Market, aliases: [region, country]}
--     channel: {label: Channel}
--   value: {agg: sum, expr: order_share}
--   per: [month, market]                  # a share of the orders of one market in one month
WITH counted AS (
  SELECT
    SUBSTR(CAST(created_at AS TEXT), 1, 7) || '-01' AS month,
    grass_region AS market,
    COALESCE(channel, 'unattributed') AS channel,
    COUNT(*) AS orders
  FROM orders
  WHERE status <> 'CANCELLED'
  GROUP BY SUBSTR(CAST(created_at AS TEXT), 1, 7), grass_region, COALESCE(channel, 'unattributed')
)
SELECT
  month,
  market,
  channel,
  orders,
  CAST(orders AS DOUBLE PRECISION) / SUM(orders) OVER (PARTITION BY month, market) AS order_share
FROM counted
ORDER BY month, market, orders DESC, channel;
