-- Guards R18: on every day of knowledge the restated periods of a member follow each other without an overlap. They may leave a
-- gap where the member was gone.
select earlier.*
from {{ ref('dim_segment_restatements') }} as earlier
inner join {{ ref('dim_segment_restatements') }} as later
    on earlier.segment_type_id = later.segment_type_id
    and earlier.member_id = later.member_id
    and earlier.valid_from < later.valid_from
    and earlier.valid_to > later.valid_from
    and earlier.recorded_at < later.superseded_at
    and earlier.superseded_at > later.recorded_at
