-- The two witnesses of history, where they disagree: what was recorded at the time against what we would say today. A finding is one
-- member under one type for one reason; the months it covers are part of its id, so that an acceptance holds for these and no others.
with

differences as (
    select * from {{ ref('fct_recorded_vs_restated') }}
),

months_summed as (
    select
        segment_type_id,
        entity,
        member_id,
        difference_cause,
        min(month_end) as first_month_end,
        max(month_end) as last_month_end,
        count(*) as month_count
    from differences
    group by segment_type_id, entity, member_id, difference_cause
),

found as (
    select
        months_summed.difference_cause || '|' || months_summed.segment_type_id || '|' || months_summed.member_id
        || '|' || {{ iso_date('months_summed.first_month_end') }} || '|' || {{ iso_date('months_summed.last_month_end') }} as finding_id,
        months_summed.segment_type_id,
        months_summed.entity,
        months_summed.member_id,
        months_summed.difference_cause,
        months_summed.first_month_end,
        months_summed.last_month_end,
        months_summed.month_count,
        differences.recorded_tier,
        differences.restated_tier,
        case
            when months_summed.difference_cause in ('gone_from_the_sources', 'not_known_then', 'hierarchy') then 'master_data'
            when months_summed.difference_cause in ('configuration', 'override') then 'sales_operations'
            when months_summed.difference_cause in ('corrected_rows', 'rows_of_others') then 'commercial_finance'
            when months_summed.difference_cause = 'unexplained' then 'internal_audit'
            else 'data_engineering'
        end as owner,
        case months_summed.difference_cause
            when 'gone_from_the_sources' then 'Ask why it was deleted; sources should mark who is no longer active.'
            when 'not_known_then' then 'See why it landed after its first month.'
            when 'hierarchy' then 'If the parent was right at the time, date it by an entry in hierarchy_overrides.csv.'
            when 'configuration' then 'If the past was meant to stand, add a version of the type instead of changing it.'
            when 'override' then 'Write decisions down before the month they speak of ends.'
            when 'corrected_rows' then 'Tell who relied on the tier, if the correction is right.'
            when 'late_rows' then 'See why the rows landed after the build.'
            when 'no_build_on_the_day' then 'Build as of every month-end.'
            when 'rows_of_others' then 'None of its own; it goes with the rows of the others.'
            else 'Run make verify; if the seals hold, another release computes otherwise: compare code_version in audit.run_log.'
        end as next_step
    from months_summed
    inner join differences
        on months_summed.segment_type_id = differences.segment_type_id
        and months_summed.member_id = differences.member_id
        and months_summed.last_month_end = differences.month_end
)

select * from found
where {{ is_open_finding('findings_history_disagreements') }}
