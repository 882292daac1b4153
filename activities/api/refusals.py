"""The status of every refusal of the use cases of activities."""

from __future__ import annotations

from loyalty.api.problems import STATUS_OF_REFUSAL

STATUS_OF_REFUSAL.update(
    {
        "unknown_activity_type": 422,
        "unknown_channel": 422,
        "disabled_channel": 422,
        "unknown_business_unit": 422,
        "disabled_business_unit": 422,
        "unknown_member": 422,
        "blocked_member": 422,
        "occurs_in_the_future": 422,
        "occurred_too_long_ago": 422,
        "negative_value": 422,
        "amount_too_large": 422,
        "invalid_number": 422,
        "no_exchange_rate": 422,
        "implausible": 422,
        "key_reused": 422,
        "program_disabled": 401,
        "unknown_trial": 422,
        "not_set_off_by_activities": 422,
        "empty_period": 422,
        "backtest_ended": 409,
        "backtest_not_failed": 409,
        "unknown_campaign": 404,
        "campaign_not_active": 409,
        "campaign_fully_redeemed": 409,
        "not_in_audience": 403,
    }
)
