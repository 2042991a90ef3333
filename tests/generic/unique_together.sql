{# Fails on every combination of the columns that stands more than once: the grain of a model. Combinations are counted by a hash, and
   only those that share one are compared: less to hold where a model has a row for every customer and month. #}
{% test unique_together(model, columns) %}
select {{ columns | join(', ') }}, count(*) as record_count
from {{ model }}
where {{ key_hash(columns) }} in (
    select {{ key_hash(columns) }}
    from {{ model }}
    group by {{ key_hash(columns) }}
    having count(*) > 1
)
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
