"""The API."""

from polymicro_lambda import PolyMicro

from .articles import Articles, Comments, Favorites, Feed, Latest, Tags
from .credentials import request_user
from .users import Me, Profiles, Users

pm = PolyMicro(request_user, title="Conduit")
for resource in (Users, Me, Articles, Feed, Favorites, Comments, Tags):
    resource(pm)
Latest(pm, Profiles(pm))
handler = pm.compile()
