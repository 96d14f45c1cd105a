#include "services/production/settings.h"

enum { NUMBER_RETRY_MS = 60000 };

struct production_policy production_settings_policy(const struct production_settings *s)
{
    const cf_ms day = CF_MS_PER_DAY;
    return (struct production_policy){
        .answer_ms = s->bank_answer_ms,
        .pickup_ms = day * s->pickup_days,
        .account_ms = day * s->account_failed_days,
        .loss_ms = day * s->temporary_loss_days,
        .operation_wait_ms = s->activation_wait_ms,
        .early_ms = s->early_alarm_ms,
        .notice_retry_ms = s->notice_retry_ms,
        .notice_retry_max_ms = s->notice_retry_max_ms,
        .notice_overdue_ms = s->notice_overdue_ms,
        .number_retry_ms = NUMBER_RETRY_MS,
        .remake_max = (uint32_t)s->remake_max,
        .card_years = s->card_years,
        .temporary_days = s->temporary_card_days,
        .temporary_months = s->temporary_card_months,
        .batch_lines = (uint32_t)s->batch_lines,
        .batch_wait_ms = s->batch_wait_ms,
        .daily_capacity = (uint32_t)s->bank_daily_capacity,
        .priority_quota = (uint32_t)s->priority_quota_percent,
        .lead_days = (uint32_t)s->bank_lead_days,
        .warn_days = (int)s->deadline_warn_days,
    };
}

bool production_settings_letters(const char *text, char letters[27])
{
    size_t n = strlen(text);
    if (n == 0 || n > 26) return false;
    for (size_t i = 0; i < n; i++)
        if (text[i] < 'A' || text[i] > 'Z' || strchr(text, text[i]) != text + i) return false;
    memcpy(letters, text, n + 1);
    return true;
}
