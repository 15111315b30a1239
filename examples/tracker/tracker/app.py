"""The tracker's API over a table for each kind of item."""

from polymicro_lambda import PolyMicro

from .permissions import InTenant
from .resources import RESOURCES

pm = PolyMicro(default_permissions=InTenant)
for resource in RESOURCES:
    resource(pm)
handler = pm.compile()
