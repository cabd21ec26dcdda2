-- Net ads revenue: ads revenue per day, market and ad channel, less the shared-cost credits of Brazilian sellers.
-- Source cut-off: the old ad server counts up to 31 March 2026, the new one from 1 April 2026 on; never both.
-- Adjustments are booked as negative amounts and exist for BR only. They are stacked on the revenue and not joined to it:
-- several of them on a day multiply nothing, and one on a day without revenue is not lost.
-- Runs on SQLite and PostgreSQL.
-- facets:
--   time: report_date
--   dimensions:
--     market: {label: Market, aliases: [region, country]}
--     ad_channel: {label: Ad channel, aliases: [placement]}
--   value: {agg: sum, expr: net_ads_rev}
WITH booked AS (
  SELECT dt AS report_date, region AS market, ad_channel, spend_usd AS revenue_usd, 0 AS adjustment_usd
  FROM ads_daily_old
  WHERE dt < '2026-04-01'
  UNION ALL
  SELECT report_date, grass_region AS market, ad_channel, revenue_usd, 0 AS adjustment_usd
  FROM ads_daily_new
  WHERE report_date >= '2026-04-01'
  UNION ALL
  SELECT adjusted_on AS report_date, grass_region AS market, ad_channel, 0 AS revenue_usd, adjustment_usd
  FROM scs_adjustments
  WHERE grass_region = 'BR'
)
SELECT
  report_date,
  market,
  ad_channel,
  SUM(revenue_usd) AS ads_rev,
  SUM(adjustment_usd) AS adjustment,
  COALESCE(SUM(revenue_usd), 0) + COALESCE(SUM(adjustment_usd), 0) AS net_ads_rev
FROM booked
GROUP BY report_date, market, ad_channel
ORDER BY report_date, market, ad_channel;
