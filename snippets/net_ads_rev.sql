-- Net ads revenue: ads revenue per month and market, less the shared-cost credits of Brazilian sellers.
-- Source cut-off: the old ad server counts up to 31 March 2026, the new one from 1 April 2026 on; never both.
-- Adjustments are booked as negative amounts and exist for BR only. Both sides are added up before they are joined, so
-- that the several adjustments of a month cannot multiply the revenue.
-- Runs on SQLite and PostgreSQL.
WITH ads AS (
  SELECT dt AS report_date, region AS market, spend_usd AS revenue_usd
  FROM ads_daily_old
  WHERE dt < '2026-04-01'
  UNION ALL
  SELECT report_date, grass_region AS market, revenue_usd
  FROM ads_daily_new
  WHERE report_date >= '2026-04-01'
),
gross AS (
  SELECT SUBSTR(CAST(report_date AS TEXT), 1, 7) AS month, market, SUM(revenue_usd) AS ads_rev
  FROM ads
  GROUP BY SUBSTR(CAST(report_date AS TEXT), 1, 7), market
),
adjustments AS (
  SELECT SUBSTR(CAST(adjusted_on AS TEXT), 1, 7) AS month, grass_region AS market, SUM(adjustment_usd) AS adjustment
  FROM scs_adjustments
  WHERE grass_region = 'BR'
  GROUP BY SUBSTR(CAST(adjusted_on AS TEXT), 1, 7), grass_region
)
SELECT
  gross.month,
  gross.market,
  gross.ads_rev,
  COALESCE(adjustments.adjustment, 0) AS adjustment,
  gross.ads_rev + COALESCE(adjustments.adjustment, 0) AS net_ads_rev
FROM gross
LEFT JOIN adjustments ON adjustments.month = gross.month AND adjustments.market = gross.market
ORDER BY gross.month, gross.market;
