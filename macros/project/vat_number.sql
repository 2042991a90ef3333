{# A VAT number as it is compared (R8): upper case, letters and digits only, the country in front. Greece writes EL on
   its VAT numbers and GR on everything else, so GR becomes EL wherever it comes from. #}
{% macro normalised_vat_number(number, country) -%}
    case
        when {{ letters_and_digits(number) }} like 'GR%' then 'EL' || substring({{ letters_and_digits(number) }}, 3)
        when {{ matches_pattern(letters_and_digits(number), '^[A-Z][A-Z]') }}
            or not coalesce({{ matches_pattern('upper(' ~ country ~ ')', '^[A-Z][A-Z]$') }}, false)
            then {{ letters_and_digits(number) }}
        when upper({{ country }}) = 'GR' then 'EL' || {{ letters_and_digits(number) }}
        else upper({{ country }}) || {{ letters_and_digits(number) }}
    end
{%- endmacro %}


{# Why a VAT number counts as missing (R8), null where it does not: people type something when a form insists. #}
{% macro vat_number_fault(number) -%}
    case
        when length({{ digits_only(number) }}) < 5 then 'fewer than five digits'
        when replace({{ digits_only(number) }}, left({{ digits_only(number) }}, 1), '') = '' then 'one digit repeated'
        when {{ digits_only(number) }} in ('12345', '123456', '1234567', '12345678', '123456789', '1234567890') then 'a counting sequence'
    end
{%- endmacro %}
