{# The metrics a customer can be graded by (R17). A value is numerator / denominator over int_customer_metrics_measured, compared by
   multiplication (R4); what has no denominator is an amount or a count, and can be shared out. The direction is what an empty cell means. #}
{% macro stratification_metrics() %}
    {{ return({
        'net_sales': {'numerator': 'net_sales', 'higher_is_better': true, 'type': 'numeric(18, 2)'},
        'gross_margin': {'numerator': 'gross_margin', 'higher_is_better': true, 'type': 'numeric(18, 2)'},
        'gross_margin_rate': {'numerator': 'gross_margin', 'denominator': 'net_sales_of_known_cost', 'higher_is_better': true, 'type': 'numeric(18, 6)'},
        'net_profit': {'numerator': 'net_profit', 'higher_is_better': true, 'type': 'numeric(18, 2)'},
        'net_profit_rate': {'numerator': 'net_profit', 'denominator': 'net_sales', 'higher_is_better': true, 'type': 'numeric(18, 6)'},
        'cost_to_serve': {'numerator': 'cost_to_serve', 'higher_is_better': false, 'type': 'numeric(18, 2)'},
        'cost_to_serve_rate': {'numerator': 'cost_to_serve', 'denominator': 'net_sales', 'higher_is_better': false, 'type': 'numeric(18, 6)'},
        'order_count': {'numerator': 'order_count', 'higher_is_better': true, 'type': 'bigint'},
        'average_order_value': {'numerator': 'net_sales', 'denominator': 'order_count', 'higher_is_better': true, 'type': 'numeric(18, 6)'},
        'product_count': {'numerator': 'product_count', 'higher_is_better': true, 'type': 'bigint'},
        'months_active': {'numerator': 'months_active', 'higher_is_better': true, 'type': 'bigint'},
        'months_with_sales': {'numerator': 'months_with_sales', 'higher_is_better': true, 'type': 'bigint'},
        'days_since_last_invoice': {'numerator': 'days_since_last_invoice', 'higher_is_better': false, 'type': 'bigint'},
        'days_to_pay': {'numerator': 'settled_value_days', 'denominator': 'settled_net_sales', 'higher_is_better': false, 'type': 'numeric(18, 6)'},
        'return_rate': {'numerator': 'returned_quantity', 'denominator': 'invoiced_quantity', 'higher_is_better': false, 'type': 'numeric(18, 6)'},
    }) }}
{% endmacro %}


{# Names of the metrics that satisfy: 'rates' have a denominator, 'falling' are better when lower. #}
{% macro stratification_metrics_that(kind) %}
    {% set names = [] %}
    {% for metric, definition in stratification_metrics().items() %}
        {% if (kind == 'rates' and definition.denominator is defined) or (kind == 'falling' and not definition.higher_is_better) %}
            {% do names.append(metric) %}
        {% endif %}
    {% endfor %}
    {{ return(names) }}
{% endmacro %}


{# What the cells of stratification_metrics may say besides the metric. #}
{% macro stratification_options() %}
    {{ return({
        'dimension': ['buying_power', 'loyalty', 'profitability', 'cost_to_serve'],
        'grading': ['absolute', 'share', 'quartile'],
    }) }}
{% endmacro %}


{# Limits where the cells are empty: A holds the first half of the total, B what leads to 80 %, C to 95 %; of heads, quarters. #}
{% macro stratification_default_limits() %}
    {{ return({'share': ['0.50', '0.80', '0.95'], 'quartile': ['0.25', '0.50', '0.75']}) }}
{% endmacro %}


{# The quadrant of two axes, each the mean of two dimensions: points and weights are whole numbers, so 2.5 is compared exactly
   (R4): p1/w1 + p2/w2 >= 5 without a division. Nothing known of a dimension: no quadrant. #}
{% macro quadrant_of(prefix='') %}
    case
        when {{ prefix }}buying_power_weight = 0 or {{ prefix }}loyalty_weight = 0 or {{ prefix }}profitability_weight = 0 or {{ prefix }}cost_to_serve_weight = 0 then 'unknown'
        when {{ is_axis_high('buying_power', 'loyalty', prefix) }} and {{ is_axis_high('profitability', 'cost_to_serve', prefix) }} then 'Core'
        when {{ is_axis_high('profitability', 'cost_to_serve', prefix) }} then 'Opportunistic'
        when {{ is_axis_high('buying_power', 'loyalty', prefix) }} then 'Service Drain'
        else 'Marginal'
    end
{%- endmacro %}
{% macro is_axis_high(first, second, prefix='') -%}
    {{ prefix }}{{ first }}_points * {{ prefix }}{{ second }}_weight + {{ prefix }}{{ second }}_points * {{ prefix }}{{ first }}_weight >= 5 * {{ prefix }}{{ first }}_weight * {{ prefix }}{{ second }}_weight
{%- endmacro %}


{# numerator / denominator for display, rounded half up to six decimals; null where either is missing or the denominator is not
   above zero. Decimals of at most four places. Guessed as a float and put right by exact multiplication, as display_share is; a
   fraction of a million and more is divided exactly. #}
{% macro display_fraction(numerator, denominator) -%}
    {%- set size, total = 'abs(cast(' ~ numerator ~ ' as numeric(24, 4)))', 'cast(' ~ denominator ~ ' as numeric(22, 4))' -%}
    {%- set guess = 'cast(floor(cast(' ~ size ~ ' as ' ~ type_double() ~ ') / cast(' ~ total ~ ' as ' ~ type_double() ~ ') * 1000000 + 0.5) as numeric(14, 0))' -%}
    case
        when {{ denominator }} > 0 and {{ size }} < {{ total }} * 1000000
            then cast(
                    case when {{ numerator }} < 0 then -0.000001 else 0.000001 end
                    * (
                        {{ guess }}
                        + case
                            when cast(2 * {{ guess }} + 1 as numeric(15, 0)) * {{ total }} <= 2000000 * {{ size }} then 1
                            when cast(2 * {{ guess }} - 1 as numeric(15, 0)) * {{ total }} > 2000000 * {{ size }} then -1
                            else 0
                        end
                    ) as numeric(18, 6)
                )
        when {{ denominator }} > 0
            then cast(cast({{ divide_half_up(
                'cast(cast(' ~ numerator ~ ' as numeric(24, 4)) * 10000 as numeric(26, 0)) * 1000000',
                'cast(cast(' ~ denominator ~ ' as numeric(22, 4)) * 10000 as numeric(24, 0))'
            ) }} as numeric(19, 0)) * 0.000001 as numeric(18, 6))
    end
{%- endmacro %}
