{{ stage_charges() }}
