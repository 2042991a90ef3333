{# What a cell of segment_types may say, in the order of preference; the first is what an empty cell means. #}
{% macro segment_type_options() %}
    {{ return({
        'entity': ['customer', 'product'],
        'identity_basis': ['id', 'vat'],
        'hierarchy_level': ['customer', 'ultimate_parent'],
        'metric': ['net_sales', 'gross_margin'],
        'metric_basis': ['actual'],
        'interval': ['rolling', 'fixed_year'],
        'window_end': ['last_complete_month', 'as_of_date'],
        'outlier_treatment': ['flag'],
        'boundary': ['upper'],
        'method': ['cut_point'],
        'ties': ['together'],
        'denominator': ['eligible'],
        'status': ['active', 'retired'],
    }) }}
{% endmacro %}


{# Options of the contract that a later release brings; refused with their own words until then. #}
{% macro segment_type_options_to_come() %}
    {{ return({
        'metric': ['net_profit_after_cost_to_serve', 'order_count', 'quantity'],
        'metric_basis': ['contract'],
        'outlier_treatment': ['cap', 'exclude'],
        'boundary': ['lower', 'nearest'],
        'method': ['sequential_quota', 'absolute', 'count'],
        'ties': ['split'],
        'denominator': ['all'],
        'status': ['challenger', 'scenario'],
    }) }}
{% endmacro %}
