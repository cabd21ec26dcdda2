-- Ads revenue by channel: revenue per month, market and ad channel, with the channel's share of its market.
-- Source cut-off: the old ad server counts up to 31 March 2026, the new one from 1 April 2026 on; never both.
-- Runs on SQLite and PostgreSQL.
-- facets:
--   time: {column: month, grain: month}
--   dimensions:
--     market: {label: Market, aliases: [region, country]}
--     ad_channel: {label: Ad channel, aliases: [placement]}
--   value: {agg: sum, expr: ads_rev}
WITH ads AS (
  SELECT dt AS report_date, region AS market, ad_channel, spend_usd AS revenue_usd
  FROM ads_daily_old
  WHERE dt < '2026-04-01'
  UNION ALL
  SELECT report_date, grass_region AS market, ad_channel, revenue_usd
  FROM ads_daily_new
  WHERE report_date >= '2026-04-01'
),
monthly AS (
  SELECT SUBSTR(CAST(report_date AS TEXT), 1, 7) || '-01' AS month, market, ad_channel, SUM(revenue_usd) AS ads_rev
  FROM ads
  GROUP BY SUBSTR(CAST(report_date AS TEXT), 1, 7), market, ad_channel
)
SELECT
  month,
  market,
  ad_channel,
  ads_rev,
  ads_rev / NULLIF(SUM(ads_rev) OVER (PARTITION BY month, market), 0) AS share_of_market
FROM monthly
ORDER BY month, market, ads_rev DESC;
