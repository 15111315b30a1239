"""The API."""

from polymicro_lambda import PolyMicro

from .articles import Articles, Comments, Favorites, Feed, Latest, Tags
from .credentials import request_user
from .users import Me, Profiles, Users


def errors(problem):
    """A problem as RealWorld words it: a list of messages for each field, or for the body."""
    said = {}
    for one in problem.get("errors") or [{"detail": problem.get("detail", problem["title"])}]:
        place = one.get("parameter") or one.get("pointer", "").rpartition("/")[2]
        said.setdefault(place if place.isidentifier() else "body", []).append(one["detail"])
    return {"errors": said}


pm = PolyMicro(request_user, title="Conduit", problem=errors)
for resource in (Users, Me, Articles, Feed, Favorites, Comments, Tags):
    resource(pm)
Latest(pm, Profiles(pm))
handler = pm.compile()
