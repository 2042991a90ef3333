{# What a cell of segment_types may say, in the order of preference; the first is what an empty cell means. #}
{% macro segment_type_options() %}
    {{ return({
        'entity': ['customer', 'product'],
        'identity_basis': ['id', 'vat'],
        'hierarchy_level': ['customer', 'ultimate_parent'],
        'metric': ['net_sales', 'gross_margin', 'net_profit_after_cost_to_serve', 'order_count', 'quantity'],
        'metric_basis': ['actual', 'contract'],
        'interval': ['rolling', 'fixed_year'],
        'window_end': ['last_complete_month', 'as_of_date'],
        'outlier_treatment': ['flag', 'cap', 'exclude'],
        'boundary': ['upper', 'lower', 'nearest'],
        'method': ['cut_point', 'sequential_quota', 'absolute', 'count'],
        'ties': ['together', 'split'],
        'denominator': ['eligible', 'all'],
        'status': ['active', 'challenger', 'scenario', 'retired'],
    }) }}
{% endmacro %}


{# How many tiers a type can hand out by ranking: they stand side by side in int_segment_type_cuts. #}
{% macro sales_tier_limit() %}
    {{ return(9) }}
{% endmacro %}
