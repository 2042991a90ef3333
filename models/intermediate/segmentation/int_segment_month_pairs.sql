-- Each month-end of a type with the one before it, and the fingerprint of both: what a migration follows from.
with

months as (
    select segment_type_id, evaluation_date, input_fingerprint
    from {{ ref('int_segment_evaluations') }}
    where is_month_end
),

months_linked as (
    select
        segment_type_id,
        evaluation_date as month_end,
        input_fingerprint as own_fingerprint,
        lag(evaluation_date) over (partition by segment_type_id order by evaluation_date asc) as previous_month_end,
        lag(input_fingerprint) over (partition by segment_type_id order by evaluation_date asc) as previous_fingerprint
    from months
)

select
    segment_type_id,
    month_end,
    previous_month_end,
    cast({{ key_hash(['previous_fingerprint', 'own_fingerprint']) }} as numeric(38, 0)) as input_fingerprint
from months_linked
where previous_month_end is not null
