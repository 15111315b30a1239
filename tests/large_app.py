"""An app of LARGE_APP_RESOURCES resources, each with six routes over a table of its own; CORS for LARGE_APP_ORIGINS."""

import os

from pynamodb.attributes import UnicodeAttribute
from pynamodb.models import Model

from polymicro_lambda import (
    CORS,
    AllowAny,
    Create,
    Delete,
    List,
    ModelResource,
    PolyMicro,
    Retrieve,
    Update,
)

COUNT = int(os.environ.get("LARGE_APP_RESOURCES", "60"))
ORIGINS = tuple(os.environ.get("LARGE_APP_ORIGINS", "").split())
models: list[type[Model]] = []
pm = PolyMicro(cors=CORS(origins=ORIGINS) if ORIGINS else None)

for number in range(COUNT):
    members = {
        "Meta": type("Meta", (), {"table_name": f"inventory-movements-{number}"}),
        "place": UnicodeAttribute(hash_key=True),
        "id": UnicodeAttribute(range_key=True),
        "text": UnicodeAttribute(null=True),
    }
    models.append(type(f"InventoryMovement{number}", (Model,), members))
    kinds = (ModelResource, Create, List, Retrieve, Update, Delete)
    words = {
        "model": models[-1],
        "route": f"inventory-movements-{number}",
        "permissions": AllowAny,
        "filters": {"place": ("eq",)},
    }
    type(f"InventoryMovement{number}Resource", kinds, words)(pm)

handler = pm.compile()
