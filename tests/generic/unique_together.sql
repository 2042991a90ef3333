{# Fails on every combination of the columns that stands more than once: the grain of a model. #}
{% test unique_together(model, columns) %}
select {{ columns | join(', ') }}, count(*) as record_count
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1
{% endtest %}
