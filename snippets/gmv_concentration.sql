-- GMV concentration: the share of a market's order value that its largest tenth of sellers brings.
-- The market is the seller's, not the buyer's. Only sellers with an order count; cancelled orders do not.
-- Runs on SQLite and PostgreSQL.
-- facets:
--   dimensions:
--     market: {label: Market, aliases: [region, country]}
--   value: {agg: max, expr: gmv_concentration}
--   per: [market]                         # the tenths of two markets are not the tenth of both
WITH by_seller AS (
  SELECT sellers.grass_region AS market, sellers.seller_id, SUM(orders.amount_usd) AS gmv
  FROM orders
  JOIN sellers ON sellers.seller_id = orders.seller_id
  WHERE orders.status <> 'CANCELLED'
  GROUP BY sellers.grass_region, sellers.seller_id
),
ranked AS (
  SELECT
    market,
    gmv,
    ROW_NUMBER() OVER (PARTITION BY market ORDER BY gmv DESC, seller_id) AS position,
    COUNT(*) OVER (PARTITION BY market) AS sellers
  FROM by_seller
)
SELECT
  market,
  MAX(sellers) AS sellers,
  SUM(gmv) AS gmv,
  -- Rounded up, so that a market with few sellers has at least one at the top.
  SUM(CASE WHEN position <= (sellers + 9) / 10 THEN gmv ELSE 0 END) / NULLIF(SUM(gmv), 0) AS gmv_concentration
FROM ranked
GROUP BY market
ORDER BY gmv_concentration DESC;
