-- R21: the pairs of dates whose changes fct_tier_changes holds, the ones without any change among them. Written after it, so that
-- a build that dies in between explains them once more.
-- depends_on: {{ ref('fct_tier_changes') }}
select segment_type_id, old_segment_type_id, from_date, to_date, is_as_today, input_fingerprint
from {{ ref('int_tier_change_pairs') }}
