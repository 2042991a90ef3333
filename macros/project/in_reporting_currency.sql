{# An amount of a document in cents of the reporting currency, rounded half up (R13). A rate has ten decimals and an
   amount six, so the inverse is a division of whole numbers and exact before it is rounded. Nineteen digits, because DuckDB
   multiplies decimals of up to eighteen without widening them and Spark keeps at most thirty-eight.
   Dividing and rounding decimals of more than eighteen digits is slow, and every line goes through here. So the cents are guessed as a float
   and put right by exact multiplication: below 10^12 cents the guess is off by one at most. Beyond, the exact way is taken at once. #}
{% macro in_reporting_currency(amount, rate, is_inverse, is_reporting) -%}
    {%- set is_ordinary = 'abs(' ~ amount ~ ') < 10000000 and ' ~ rate ~ ' between 0.001 and 1000' -%}
    {%- set guesses = {
        'direct': 'cast(abs(' ~ amount ~ ') as ' ~ type_double() ~ ') * cast(' ~ rate ~ ' as ' ~ type_double() ~ ')',
        'inverse': 'cast(abs(' ~ amount ~ ') as ' ~ type_double() ~ ') / cast(' ~ rate ~ ' as ' ~ type_double() ~ ')',
    } -%}
    {%- set cents = {} -%}
    {%- for way, guess in guesses.items() -%}
        {%- set guessed = 'cast(floor(' ~ guess ~ ' * 100 + 0.5) as numeric(14, 0))' -%}
        {%- set low = 'cast((2 * ' ~ guessed ~ ' - 1) * 0.005 as numeric(19, 3))' -%}
        {%- set high = 'cast((2 * ' ~ guessed ~ ' + 1) * 0.005 as numeric(19, 3))' -%}
        {# The cents are right where the amount lies from half a cent below them to half a cent above. #}
        {%- if way == 'inverse' -%}
            {%- set too_low = high ~ ' * ' ~ rate ~ ' <= abs(' ~ amount ~ ')' -%}
            {%- set too_high = low ~ ' * ' ~ rate ~ ' > abs(' ~ amount ~ ')' -%}
        {%- else -%}
            {%- set converted = 'abs(cast(' ~ amount ~ ' as numeric(19, 6))) * ' ~ rate -%}
            {%- set too_low = high ~ ' <= ' ~ converted -%}
            {%- set too_high = low ~ ' > ' ~ converted -%}
        {%- endif -%}
        {%- do cents.update({way: '(' ~ guessed ~ ' + case when ' ~ too_low ~ ' then 1 when ' ~ too_high ~ ' then -1 else 0 end)'}) -%}
    {%- endfor -%}
    case
        when {{ is_reporting }} then cast(round({{ amount }}, 2) as numeric(18, 2))
        when {{ is_inverse }} and {{ is_ordinary }}
            then cast(case when {{ amount }} < 0 then -0.01 else 0.01 end * {{ cents.inverse }} as numeric(18, 2))
        when {{ is_inverse }}
            then cast(cast({{ divide_half_up(
                'cast(cast(' ~ amount ~ ' as numeric(19, 6)) * 1000000 as numeric(26, 0)) * 1000000',
                'cast(cast(' ~ rate ~ ' as numeric(19, 10)) * 10000000000 as numeric(26, 0))'
            ) }} as numeric(18, 0)) * 0.01 as numeric(18, 2))
        when {{ is_ordinary }}
            then cast(case when {{ amount }} < 0 then -0.01 else 0.01 end * {{ cents.direct }} as numeric(18, 2))
        else cast(round(cast({{ amount }} as numeric(19, 6)) * {{ rate }}, 2) as numeric(18, 2))
    end
{%- endmacro %}
