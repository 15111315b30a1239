"""What a user of polymicro_lambda writes."""
