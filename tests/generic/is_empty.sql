{# Fails on every row: for marts of findings, which somebody should look at. #}
{% test is_empty(model) %}
select * from {{ model }}
{% endtest %}
