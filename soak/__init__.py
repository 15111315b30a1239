"""A soak: `polymicro serve` over DynamoDB Local under load and faults, and what must hold at the end."""
