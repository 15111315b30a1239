"""The shop's API."""

from polymicro_lambda import Idempotency, PolyMicro

from .resources import RESOURCES

pm = PolyMicro(idempotency=Idempotency())
for resource in RESOURCES:
    resource(pm)
handler = pm.compile()
